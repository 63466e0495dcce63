//! Measures in alternation: every round measures everybody, in another order, and a ratio is of times of one round.
//!
//! A busy machine slows all of a round alike, so ratios hold where times do not.

use super::contestants::{Arena, Contestant};
use std::time::Duration;

/// Rounds that nobody counts: caches fill, and what the load changed is seen for the first time.
const WARM_UP: usize = 2;

#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    pub count: usize,
    /// The slow ones take part in one of so many rounds.
    pub slow_every: usize,
}

/// What the rounds of one load gave.
#[derive(Default)]
pub struct Outcome {
    rounds: Vec<Vec<(Contestant, Duration)>>,
}

/// The middle of some figures, and where the middle half of them lies.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Rounds {
    /// How many rounds have the slow ones.
    pub fn slow_count(self) -> usize {
        self.count.div_ceil(self.slow_every)
    }

    /// Runs all rounds, each after its change of the load.
    pub fn run(
        self,
        arena: &mut Arena,
        entrants: &[Contestant],
        mut change: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome::default();
        for round in 0..WARM_UP + self.count {
            change()?;
            let mut times = Vec::new();
            for contestant in self.order(entrants, round) {
                times.push((contestant, arena.measure(contestant)?));
            }
            if round >= WARM_UP {
                outcome.rounds.push(times);
            }
        }
        Ok(outcome)
    }

    /// Who runs in a round: everybody comes first, last and after everybody else in turn.
    fn order(self, entrants: &[Contestant], round: usize) -> Vec<Contestant> {
        let has_slow = round < WARM_UP || (round - WARM_UP).is_multiple_of(self.slow_every);
        let entrants = entrants.iter().copied();
        let mut order: Vec<_> = entrants.filter(|one| has_slow || !one.is_slow()).collect();
        let turns = round % order.len().max(1);
        order.rotate_left(turns);
        if (round / order.len().max(1)) % 2 == 1 {
            order.reverse();
        }
        order
    }
}

impl Outcome {
    /// In seconds.
    pub fn times(&self, of: Contestant) -> Option<Spread> {
        spread(self.rounds.iter().filter_map(|round| time(round, of)))
    }

    /// How many times as much as another it takes.
    pub fn ratios(&self, of: Contestant, to: Contestant) -> Option<Spread> {
        let pairs = self.rounds.iter();
        spread(pairs.filter_map(|round| Some(time(round, of)? / time(round, to)?)))
    }
}

fn time(round: &[(Contestant, Duration)], of: Contestant) -> Option<f64> {
    let (_, time) = round.iter().find(|(contestant, _)| *contestant == of)?;
    Some(time.as_secs_f64())
}

fn spread(figures: impl Iterator<Item = f64>) -> Option<Spread> {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    Some(Spread {
        low: *sorted.get(last / 4)?,
        median: *sorted.get(last.div_ceil(2))?,
        high: *sorted.get((last * 3).div_ceil(4))?,
    })
}
