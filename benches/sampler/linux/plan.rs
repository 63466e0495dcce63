//! What is measured, on which load and in how many rounds, and what it should come to.

use super::rounds::Rounds;
use anyhow::bail;

/// One load of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadSize {
    pub sockets: usize,
    pub processes: usize,
}

pub struct BenchPlan {
    pub steady: Vec<LoadSize>,
    /// Of a load with few sockets: short times spread widely, and many rounds cost little.
    pub short_rounds: Rounds,
    pub long_rounds: Rounds,
    pub change_rounds: Rounds,
    /// Of the change that starts a hundred processes each time.
    pub fresh_rounds: Rounds,
}

/// The load that is changed between two looks.
pub const CHANGED: LoadSize = size(6_000, 500);

/// Only in large runs: the rounds take seconds each.
const LARGE: [LoadSize; 2] = [size(50_000, 50), size(100_000, 50)];

/// Sockets never become fewer, so that every load follows from the one before.
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
                word => bail!("{word} is not understood; --help says what is"),
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

    /// All loads, those that are changed too.
    pub fn loads(&self) -> impl Iterator<Item = LoadSize> {
        self.steady.iter().copied().chain([CHANGED])
    }
}

/// What a figure should come to.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

pub const STEADY_TICK: Goal = Goal::AtMost(1.10);
pub const TICK_WITH_10: Goal = Goal::AtMost(1.15);
pub const TICK_WITH_CHURN: Goal = Goal::AtMost(2.0);
pub const TICK_WITH_FRESH: Goal = Goal::AtMost(5.0);
pub const BYTES_A_ROW: Goal = Goal::AtMost(130.0);

/// Of netstat2 with pids as a ratio to our tick: by the number of processes, measured at a thousand sockets.
pub fn netstat_to_ours(size: LoadSize) -> Option<Goal> {
    match size {
        LoadSize {
            sockets: 1_000,
            processes: 50,
        } => Some(Goal::AtLeast(8.0)),
        LoadSize {
            sockets: 1_000,
            processes: 500,
        } => Some(Goal::AtLeast(30.0)),
        LoadSize {
            sockets: 1_000,
            processes: 2_000,
        } => Some(Goal::AtLeast(90.0)),
        _ => None,
    }
}

/// Likewise of `ss -tunap`.
pub fn ss_to_ours(size: LoadSize) -> Option<Goal> {
    match size {
        LoadSize {
            sockets: 1_000,
            processes: 50,
        } => Some(Goal::AtLeast(19.0)),
        LoadSize {
            sockets: 1_000,
            processes: 500,
        } => Some(Goal::AtLeast(50.0)),
        LoadSize {
            sockets: 1_000,
            processes: 2_000,
        } => Some(Goal::AtLeast(120.0)),
        _ => None,
    }
}

/// A datagram of the kernel has room for some 270 rows.
pub fn system_calls(rows: u32) -> Goal {
    Goal::AtMost(15.0 + f64::from(rows) / 270.0)
}
