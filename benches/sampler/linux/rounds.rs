//! Alternating rounds: each measures every candidate, in another order, and a ratio compares times of one round.
//!
//! A busy machine slows a whole round alike, so ratios hold where times do not.

use super::candidates::{Candidate, Candidates};
use std::time::Duration;

/// Rounds that do not count: caches fill, and the new load is polled for the first time.
const WARM_UP: usize = 2;

#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    pub count: usize,
    /// Slow candidates take part in one of this many rounds.
    pub slow_every: usize,
}

/// Times of all rounds on one load.
#[derive(Default)]
pub struct Timings {
    rounds: Vec<Vec<(Candidate, Duration)>>,
}

/// Median and quartiles of some figures.
#[derive(Clone, Copy, Debug)]
pub struct Quartiles {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Rounds {
    /// Runs all rounds, each after a change of the load.
    pub fn run(
        self,
        candidates: &mut Candidates,
        installed: &[Candidate],
        mut change: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<Timings> {
        let mut timings = Timings::default();
        for round in 0..WARM_UP + self.count {
            change()?;
            let mut times = Vec::new();
            for candidate in self.order(installed, round) {
                times.push((candidate, candidates.measure(candidate)?));
            }
            if round >= WARM_UP {
                timings.rounds.push(times);
            }
        }
        Ok(timings)
    }

    /// Order of a round: over all rounds each candidate runs first, last and after each other one.
    fn order(self, installed: &[Candidate], round: usize) -> Vec<Candidate> {
        let has_slow = round < WARM_UP || (round - WARM_UP).is_multiple_of(self.slow_every);
        let installed = installed.iter().copied();
        let mut order: Vec<_> = installed.filter(|one| has_slow || !one.is_slow()).collect();
        let turns = round % order.len().max(1);
        order.rotate_left(turns);
        if (round / order.len().max(1)) % 2 == 1 {
            order.reverse();
        }
        order
    }
}

impl Timings {
    /// In seconds.
    pub fn times(&self, of: Candidate) -> Option<Quartiles> {
        quartiles(self.rounds.iter().filter_map(|round| time(round, of)))
    }

    /// Times of one candidate divided by those of another.
    pub fn ratios(&self, of: Candidate, to: Candidate) -> Option<Quartiles> {
        let pairs = self.rounds.iter();
        quartiles(pairs.filter_map(|round| Some(time(round, of)? / time(round, to)?)))
    }
}

fn time(round: &[(Candidate, Duration)], of: Candidate) -> Option<f64> {
    let (_, time) = round.iter().find(|(candidate, _)| *candidate == of)?;
    Some(time.as_secs_f64())
}

fn quartiles(figures: impl Iterator<Item = f64>) -> Option<Quartiles> {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    Some(Quartiles {
        low: *sorted.get(last / 4)?,
        median: *sorted.get(last.div_ceil(2))?,
        high: *sorted.get((last * 3).div_ceil(4))?,
    })
}
