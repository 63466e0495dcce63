//! What is measured, on which load, in how many rounds, and the target of each figure.

use super::load::{FRESH, HOLDERS};
use super::rounds::Rounds;
use anyhow::{Context, bail};
use rustix::process::{Resource, getrlimit};

/// Sockets and processes of one load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadSize {
    pub sockets: usize,
    pub processes: usize,
}

pub struct BenchPlan {
    pub steady: Vec<LoadSize>,
    /// For loads with few sockets: short times vary widely, and many rounds cost little.
    pub short_rounds: Rounds,
    pub long_rounds: Rounds,
    pub change_rounds: Rounds,
    /// For the change that starts a hundred processes each time.
    pub fresh_rounds: Rounds,
}

/// The load that changes between two polls.
pub const CHANGED: LoadSize = size(6_000, 500);

/// Only with `--large`: each round takes seconds.
const LARGE: [LoadSize; 2] = [size(50_000, 50), size(100_000, 50)];

/// The number of sockets only grows, so each load builds on the one before.
const STEADY: [LoadSize; 5] = [
    size(100, 50),
    size(1_000, 50),
    size(1_000, 500),
    size(1_000, 2_000),
    size(10_000, 50),
];

const fn size(sockets: usize, processes: usize) -> LoadSize {
    LoadSize { sockets, processes }
}

const fn rounds(count: usize, slow_every: usize) -> Rounds {
    Rounds { count, slow_every }
}

impl BenchPlan {
    pub fn of(words: &[&str]) -> anyhow::Result<Self> {
        let mut plan = Self {
            steady: STEADY.to_vec(),
            short_rounds: rounds(288, 24),
            long_rounds: rounds(72, 6),
            change_rounds: rounds(60, 1),
            fresh_rounds: rounds(24, 1),
        };
        for word in words {
            match *word {
                "--bench" => {}
                "--quick" => {
                    plan.short_rounds = rounds(48, 16);
                    plan.long_rounds = rounds(12, 4);
                    plan.change_rounds = rounds(8, 1);
                    plan.fresh_rounds = rounds(4, 1);
                }
                "--large" => plan.steady.extend(LARGE),
                word => bail!("unknown option {word} (try --help)"),
            }
        }
        Ok(plan)
    }

    pub fn rounds(&self, size: LoadSize) -> Rounds {
        if size.sockets < CHANGED.sockets {
            self.short_rounds
        } else {
            self.long_rounds
        }
    }

    /// All loads, with the one that changes.
    pub fn loads(&self) -> impl Iterator<Item = LoadSize> {
        self.steady.iter().copied().chain([CHANGED])
    }
}

/// Target of a figure.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

pub const STEADY_POLL: Goal = Goal::AtMost(1.10);
pub const POLL_WITH_10_NEW: Goal = Goal::AtMost(1.15);
pub const POLL_WITH_CHURN: Goal = Goal::AtMost(2.0);
pub const POLL_WITH_NEW_PROCESSES: Goal = Goal::AtMost(5.0);
pub const BYTES_PER_ROW: Goal = Goal::AtMost(130.0);

/// Targets of netstat2 with pids ÷ a poll and of `ss -tunap` ÷ a poll, where there are any.
pub fn compared_to_poll(size: LoadSize) -> Option<[Goal; 2]> {
    let [netstat, ss] = match (size.sockets, size.processes) {
        (1_000, 50) => [8.0, 19.0],
        (1_000, 500) => [30.0, 50.0],
        (1_000, 2_000) => [90.0, 120.0],
        _ => return None,
    };
    Some([Goal::AtLeast(netstat), Goal::AtLeast(ss)])
}

/// Target of the system calls of a poll: a datagram of the kernel holds some 270 rows.
pub fn system_calls(rows: u32) -> Goal {
    Goal::AtMost(15.0 + f64::from(rows) / 270.0)
}

/// Descriptors that a process needs besides its sockets or pipes.
const SPARE_DESCRIPTORS: usize = 32;

/// Upper bounds of the kernel's memory for a socket and for a process of this size.
const SOCKET_KIB: usize = 6;
const PROCESS_KIB: usize = 1024;

/// Checks that this machine allows the load, before anything is started.
pub fn check_limits(plan: &BenchPlan) -> anyhow::Result<()> {
    let sockets = plan.loads().map(|load| load.sockets).max().unwrap_or(0);
    let processes = plan.loads().map(|load| load.processes).max().unwrap_or(0) + FRESH;
    let descriptors = sockets / HOLDERS * 2 + SPARE_DESCRIPTORS;
    allow(
        "open files (ulimit -Hn)",
        descriptors,
        hard(Resource::Nofile),
    )?;
    // This process has two pipes to each holder, and the children inherit this limit.
    let pipes = 2 * (HOLDERS + FRESH) + SPARE_DESCRIPTORS;
    allow("open files (ulimit -Sn)", pipes, soft(Resource::Nofile))?;
    if !rustix::process::geteuid().is_root() {
        allow("processes (ulimit -u)", processes, soft(Resource::Nproc))?;
    }
    let threads = std::fs::read_to_string("/proc/sys/kernel/threads-max")?;
    allow(
        "processes (kernel.threads-max)",
        processes,
        threads.trim().parse().ok(),
    )?;
    let memory = sockets * SOCKET_KIB + processes * PROCESS_KIB;
    allow("KiB of memory", memory, Some(available_kib()?))
}

fn allow(what: &str, needed: usize, allowed: Option<usize>) -> anyhow::Result<()> {
    match allowed {
        Some(allowed) if allowed < needed => {
            bail!("the load needs {needed} {what}, and this machine allows {allowed}")
        }
        _ => Ok(()),
    }
}

fn hard(resource: Resource) -> Option<usize> {
    getrlimit(resource).maximum?.try_into().ok()
}

fn soft(resource: Resource) -> Option<usize> {
    getrlimit(resource).current?.try_into().ok()
}

fn available_kib() -> anyhow::Result<usize> {
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let line = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number
        .context("no MemAvailable in /proc/meminfo")?
        .parse()?)
}
