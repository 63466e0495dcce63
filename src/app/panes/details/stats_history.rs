//! The last stats of one row, which give its rates.

use crate::model::process::ProcessId;
use crate::model::socket::{ByteRates, EndpointId, ProcessUsage, SocketCounters, SocketStats};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Minimum time that rates cover, however short the poll interval: many kernels count CPU time in steps of 10 ms, which
/// over 100 ms would jump by a tenth of a core.
const RATE_WINDOW: Duration = Duration::from_millis(900);

/// Number of polls without stats after which the source counts as one that has none. The first of them may have begun
/// before stats were requested.
const MAX_MISSES: u8 = 2;

#[derive(Debug, Default)]
pub struct StatsHistory {
    /// All of one endpoint, oldest first.
    samples: VecDeque<(Instant, SocketStats)>,
    /// Number of polls in a row without the requested stats. It describes the source, so it outlives the row.
    missed: u8,
}

impl StatsHistory {
    pub fn add(&mut self, stats: SocketStats, at: Instant) {
        if !self.is_for(stats.endpoint) {
            self.clear();
        }
        self.missed = 0;
        self.samples.push_back((at, stats));
        // The first sample is the newest one that is old enough.
        while let Some((second, _)) = self.samples.get(1)
            && at.saturating_duration_since(*second) >= RATE_WINDOW
        {
            self.samples.pop_front();
        }
    }

    /// Counts a poll without stats.
    pub fn miss(&mut self) {
        self.missed = self.missed.saturating_add(1);
    }

    pub fn clear(&mut self) {
        self.samples.clear();
    }

    pub fn is_for(&self, endpoint: EndpointId) -> bool {
        self.latest_of(endpoint).is_some()
    }

    /// True while the first stats of this endpoint are awaited.
    pub fn is_pending(&self, endpoint: EndpointId) -> bool {
        !self.is_for(endpoint) && self.missed < MAX_MISSES
    }

    /// Returns the last counters of this endpoint, with its rates once there are two samples.
    pub fn traffic(&self, endpoint: EndpointId) -> Option<(SocketCounters, Option<ByteRates>)> {
        let last = self.latest_of(endpoint)?.traffic?;
        let first = self.samples.iter().find_map(|(_, stats)| stats.traffic)?;
        Some((last, last.rates_since(&first)))
    }

    /// Returns the last usage of an owner, with its share of a core in thousandths once there are two samples.
    pub fn usage(
        &self,
        endpoint: EndpointId,
        process: ProcessId,
    ) -> Option<(ProcessUsage, Option<u64>)> {
        let of = |stats: &SocketStats| {
            let mut usage = stats.usage.iter();
            usage.find(|usage| usage.process == process).copied()
        };
        let last = of(self.latest_of(endpoint)?)?;
        let first = self.samples.iter().find_map(|(_, stats)| of(stats))?;
        Some((last, last.cpu_share_since(&first)))
    }

    fn latest_of(&self, endpoint: EndpointId) -> Option<&SocketStats> {
        let (_, last) = self.samples.back()?;
        (last.endpoint == endpoint).then_some(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::process::{Pid, StartTime};
    use crate::model::socket::{SocketQueue, TcpCounters};
    use crate::model::testing::instant;

    const ROW: EndpointId = EndpointId::Cookie(1);
    const HOLDER: ProcessId = ProcessId {
        pid: Pid(7),
        start: StartTime(700),
    };

    /// After so many seconds: 1000 bytes and 100 ms of processor time for each of them.
    fn at(endpoint: EndpointId, seconds: f64) -> (SocketStats, Instant) {
        let at = instant(seconds);
        let since = Duration::from_secs_f64(seconds);
        let bytes = u64::try_from(since.as_millis()).expect("a few bytes");
        let flow = TcpCounters {
            sent: bytes,
            received: bytes * 2,
            rtt: Duration::ZERO,
            retransmits: 0,
            idle_sent: Duration::ZERO,
            idle_received: Duration::ZERO,
        };
        let stats = SocketStats {
            endpoint,
            traffic: Some(SocketCounters {
                at,
                queue: SocketQueue::UNKNOWN,
                flow: Some(flow),
            }),
            usage: vec![ProcessUsage {
                process: HOLDER,
                at,
                processor: since / 10,
                memory: 1,
            }],
        };
        (stats, at)
    }

    fn seen(stats_history: &StatsHistory) -> (Option<ByteRates>, Option<u64>) {
        (
            stats_history.traffic(ROW).expect("traffic").1,
            stats_history.usage(ROW, HOLDER).expect("usage").1,
        )
    }

    fn add(stats_history: &mut StatsHistory, (stats, at): (SocketStats, Instant)) {
        stats_history.add(stats, at);
    }

    #[test]
    fn the_first_stats_have_totals_and_the_second_rates() {
        let mut stats_history = StatsHistory::default();
        add(&mut stats_history, at(ROW, 1.0));
        assert_eq!(seen(&stats_history), (None, None));
        add(&mut stats_history, at(ROW, 2.0));
        let rates = ByteRates {
            sent: 1000,
            received: 2000,
        };
        assert_eq!(seen(&stats_history), (Some(rates), Some(100)));
    }

    #[test]
    fn rates_cover_about_one_second() {
        let mut stats_history = StatsHistory::default();
        for tenth in 0..30 {
            add(&mut stats_history, at(ROW, f64::from(tenth) / 10.0));
            assert!(
                stats_history.samples.len() <= 11,
                "{}",
                stats_history.samples.len()
            );
        }
        assert_eq!(
            stats_history.samples.front().map(|(at, _)| *at),
            Some(instant(2.0))
        );
        add(&mut stats_history, at(ROW, 60.0));
        assert_eq!(stats_history.samples.len(), 2);
    }

    #[test]
    fn stats_start_over_for_another_row() {
        let mut stats_history = StatsHistory::default();
        add(&mut stats_history, at(ROW, 1.0));
        add(&mut stats_history, at(EndpointId::Cookie(2), 2.0));
        assert_eq!(stats_history.traffic(ROW), None);
        assert!(stats_history.is_pending(ROW));
        add(&mut stats_history, at(ROW, 3.0));
        assert_eq!(seen(&stats_history), (None, None));
    }

    #[test]
    fn a_source_without_stats_is_not_awaited_forever() {
        let mut stats_history = StatsHistory::default();
        stats_history.miss();
        assert!(stats_history.is_pending(ROW));
        stats_history.miss();
        stats_history.clear();
        assert!(!stats_history.is_pending(ROW));
        add(&mut stats_history, at(EndpointId::Cookie(2), 1.0));
        assert!(stats_history.is_pending(ROW), "it has them after all");
    }
}
