//! The last closeups of one row, from which follow its rates.

use crate::model::endpoint::EndpointId;
use crate::model::process::ProcessId;
use crate::model::traffic::{Closeup, Rates, Traffic, Usage};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Rates are taken over at least this long, where looks are less apart: the kernel counts processor time in steps of
/// 10 ms on many systems, and over 100 ms that would be jumps of a tenth of a core.
const SPAN: Duration = Duration::from_millis(900);

/// How many looks may come without a closeup until the source is taken for one that has none. The first of them may
/// have begun before it was asked for one.
const MISSES: u8 = 2;

#[derive(Debug, Default)]
pub struct Closeups {
    /// All of one endpoint, the oldest first.
    seen: VecDeque<(Instant, Closeup)>,
    /// How many looks in a row brought none though one was asked for. It speaks of the source, and so outlives the row.
    missed: u8,
}

impl Closeups {
    pub fn add(&mut self, closeup: Closeup, at: Instant) {
        if !self.are_of(closeup.endpoint) {
            self.clear();
        }
        self.missed = 0;
        self.seen.push_back((at, closeup));
        let is_old = |(then, _): &(Instant, Closeup)| at.saturating_duration_since(*then) >= SPAN;
        // The first is the youngest that is old enough.
        while self.seen.get(1).is_some_and(is_old) {
            self.seen.pop_front();
        }
    }

    /// A look brought none.
    pub fn miss(&mut self) {
        self.missed = self.missed.saturating_add(1);
    }

    pub fn clear(&mut self) {
        self.seen.clear();
    }

    pub fn are_of(&self, endpoint: EndpointId) -> bool {
        self.latest().is_some_and(|last| last.endpoint == endpoint)
    }

    /// Whether the first one of this endpoint is still to come.
    pub fn are_awaited(&self, endpoint: EndpointId) -> bool {
        !self.are_of(endpoint) && self.missed < MISSES
    }

    /// What was counted of this endpoint last, with its rates once it was counted twice.
    pub fn traffic(&self, endpoint: EndpointId) -> Option<(Traffic, Option<Rates>)> {
        let last = self.latest_of(endpoint)?.traffic?;
        let first = self.seen.iter().find_map(|(_, closeup)| closeup.traffic)?;
        Some((last, last.rates_since(&first)))
    }

    /// What a holder of this endpoint used last, with its part of a core in thousandths once that was asked twice.
    pub fn usage(&self, endpoint: EndpointId, process: ProcessId) -> Option<(Usage, Option<u64>)> {
        let of = |closeup: &Closeup| {
            let mut usage = closeup.usage.iter();
            usage.find(|usage| usage.process == process).copied()
        };
        let last = of(self.latest_of(endpoint)?)?;
        let first = self.seen.iter().find_map(|(_, closeup)| of(closeup))?;
        Some((last, last.share_since(&first)))
    }

    fn latest(&self) -> Option<&Closeup> {
        self.seen.back().map(|(_, closeup)| closeup)
    }

    fn latest_of(&self, endpoint: EndpointId) -> Option<&Closeup> {
        self.latest().filter(|last| last.endpoint == endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::process::{Pid, StartTime};
    use crate::model::sighting::Queue;
    use crate::model::testing::instant;
    use crate::model::traffic::Flow;

    const ROW: EndpointId = EndpointId::Cookie(1);
    const HOLDER: ProcessId = ProcessId {
        pid: Pid(7),
        start: StartTime(700),
    };

    /// After so many seconds: 1000 bytes and 100 ms of processor time for each of them.
    fn at(endpoint: EndpointId, seconds: f64) -> (Closeup, Instant) {
        let at = instant(seconds);
        let since = Duration::from_secs_f64(seconds);
        let bytes = u64::try_from(since.as_millis()).expect("a few bytes");
        let flow = Flow {
            sent: bytes,
            received: bytes * 2,
            round_trip: Duration::ZERO,
            retransmits: 0,
            idle_sent: Duration::ZERO,
            idle_received: Duration::ZERO,
        };
        let closeup = Closeup {
            endpoint,
            traffic: Some(Traffic {
                at,
                queue: Queue::UNKNOWN,
                flow: Some(flow),
            }),
            usage: vec![Usage {
                process: HOLDER,
                at,
                processor: since / 10,
                memory: 1,
            }],
        };
        (closeup, at)
    }

    fn seen(closeups: &Closeups) -> (Option<Rates>, Option<u64>) {
        (
            closeups.traffic(ROW).expect("traffic").1,
            closeups.usage(ROW, HOLDER).expect("usage").1,
        )
    }

    fn add(closeups: &mut Closeups, (closeup, at): (Closeup, Instant)) {
        closeups.add(closeup, at);
    }

    #[test]
    fn the_first_closeup_has_totals_only_and_the_second_rates() {
        let mut closeups = Closeups::default();
        add(&mut closeups, at(ROW, 1.0));
        assert_eq!(seen(&closeups), (None, None));
        add(&mut closeups, at(ROW, 2.0));
        let rates = Rates {
            sent: 1000,
            received: 2000,
        };
        assert_eq!(seen(&closeups), (Some(rates), Some(100)));
    }

    #[test]
    fn rates_are_taken_over_about_a_second_and_no_longer() {
        let mut closeups = Closeups::default();
        for tenth in 0..30 {
            add(&mut closeups, at(ROW, f64::from(tenth) / 10.0));
            assert!(closeups.seen.len() <= 11, "{}", closeups.seen.len());
        }
        assert_eq!(closeups.seen.front().map(|(at, _)| *at), Some(instant(2.0)));
        add(&mut closeups, at(ROW, 60.0));
        assert_eq!(closeups.seen.len(), 2);
    }

    #[test]
    fn another_row_begins_anew() {
        let mut closeups = Closeups::default();
        add(&mut closeups, at(ROW, 1.0));
        add(&mut closeups, at(EndpointId::Cookie(2), 2.0));
        assert_eq!(closeups.traffic(ROW), None);
        assert!(closeups.are_awaited(ROW));
        add(&mut closeups, at(ROW, 3.0));
        assert_eq!(seen(&closeups), (None, None));
    }

    #[test]
    fn a_source_that_has_none_is_not_waited_for_for_ever_nor_on_the_next_row() {
        let mut closeups = Closeups::default();
        closeups.miss();
        assert!(closeups.are_awaited(ROW));
        closeups.miss();
        closeups.clear();
        assert!(!closeups.are_awaited(ROW));
        add(&mut closeups, at(EndpointId::Cookie(2), 1.0));
        assert!(closeups.are_awaited(ROW), "it has them after all");
    }
}
