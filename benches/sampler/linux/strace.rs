//! The system calls of a tick, counted by strace(1).

use super::load::myself;
use super::portmon_poll::PortmonPoll;
use std::collections::BTreeMap;
use std::process::Command;

/// The word that makes a child that only looks; how often follows.
pub const TICKS: &str = "tick-only";

/// Traced once with few looks and once with more, so that start and end fall out of the difference, and with them the
/// first searches for a holder that nobody can find, each of which waits twice as long as the one before: none lies between.
const FEW: u32 = 300;
const MORE: u32 = 500;

/// What a child does to be traced.
pub fn tick(count: &str) -> anyhow::Result<()> {
    let mut portmon = PortmonPoll::new();
    for _ in 0..count.parse()? {
        portmon.poll();
    }
    Ok(())
}

/// The calls of one steady tick, and the most frequent of them in words.
pub fn calls() -> anyhow::Result<Result<(f64, String), String>> {
    let (few, more) = match (traced(FEW)?, traced(MORE)?) {
        (Ok(few), Ok(more)) => (few, more),
        (Err(reason), _) | (_, Err(reason)) => return Ok(Err(reason)),
    };
    let a_tick = |(name, count): (String, f64)| {
        let before = few.get(&name).copied().unwrap_or(0.0);
        (name, (count - before) / f64::from(MORE - FEW))
    };
    let mut calls: Vec<(String, f64)> = more.into_iter().map(a_tick).collect();
    calls.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let sum = calls.iter().map(|(_, count)| count).sum();
    let most = calls.iter().take(3).filter(|(_, count)| *count > 0.0);
    let words: Vec<String> = most
        .map(|(name, count)| format!("{name} {count:.1}"))
        .collect();
    Ok(Ok((sum, words.join(", "))))
}

type Calls = BTreeMap<String, f64>;

/// The calls of a child, or why there is no answer.
fn traced(looks: u32) -> anyhow::Result<Result<Calls, String>> {
    let myself = myself()?;
    let output = Command::new("strace")
        .args(["-f", "-c"])
        .arg(myself.get_program())
        .args([TICKS, &looks.to_string()])
        .output();
    Ok(match output {
        Err(_) => Err("strace is not installed".to_owned()),
        Ok(output) if !output.status.success() => Err("strace could not trace".to_owned()),
        Ok(output) => Ok(summary(&String::from_utf8_lossy(&output.stderr))),
    })
}

/// Lines of share, seconds, microseconds a call, calls, errors or nothing, and the name.
fn summary(text: &str) -> Calls {
    let counts = text.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let count = words.get(3)?.parse().ok()?;
        Some(((*words.last()?).to_owned(), count))
    });
    counts.filter(|(name, _)| name != "total").collect()
}
