//! System calls of a poll, counted by strace(1).

use super::candidates::portmon;
use super::load::this_program;
use std::collections::BTreeMap;
use std::process::Command;

/// Argument that makes a child that only polls; the number of polls follows.
pub const POLL: &str = "poll-only";

/// Traced once with few polls and once with more: the difference cancels start and exit, and the first searches for an
/// owner that cannot be found, each of which waits twice as long as the one before.
const FEW: u32 = 300;
const MORE: u32 = 500;

/// Polls in a child that is traced.
pub fn poll(count: &str) -> anyhow::Result<()> {
    let mut portmon = portmon();
    for _ in 0..count.parse()? {
        portmon.poll();
    }
    Ok(())
}

/// Calls of one steady poll, and the most frequent of them as text.
pub fn calls() -> anyhow::Result<Result<(f64, String), String>> {
    let (few, more) = match (traced(FEW)?, traced(MORE)?) {
        (Ok(few), Ok(more)) => (few, more),
        (Err(reason), _) | (_, Err(reason)) => return Ok(Err(reason)),
    };
    let per_poll = |(name, count): (String, f64)| {
        let before = few.get(&name).copied().unwrap_or(0.0);
        (name, (count - before) / f64::from(MORE - FEW))
    };
    let mut calls: Vec<(String, f64)> = more.into_iter().map(per_poll).collect();
    calls.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let sum = calls.iter().map(|(_, count)| count).sum();
    let most = calls.iter().take(3).filter(|(_, count)| *count > 0.0);
    let words: Vec<String> = most
        .map(|(name, count)| format!("{name} {count:.1}"))
        .collect();
    Ok(Ok((sum, words.join(", "))))
}

type Calls = BTreeMap<String, f64>;

/// Calls of a child, or why they cannot be counted.
fn traced(polls: u32) -> anyhow::Result<Result<Calls, String>> {
    let this_program = this_program()?;
    let output = Command::new("strace")
        .args(["-f", "-c"])
        .arg(this_program.get_program())
        .args([POLL, &polls.to_string()])
        .output();
    Ok(match output {
        Err(_) => Err("strace is not installed".to_owned()),
        Ok(output) if !output.status.success() => Err("strace could not trace".to_owned()),
        Ok(output) => Ok(summary(&String::from_utf8_lossy(&output.stderr))),
    })
}

/// Parses lines of share, seconds, microseconds per call, calls, errors or nothing, and name.
fn summary(text: &str) -> Calls {
    let counts = text.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let count = words.get(3)?.parse().ok()?;
        Some(((*words.last()?).to_owned(), count))
    });
    counts.filter(|(name, _)| name != "total").collect()
}
