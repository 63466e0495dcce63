//! What the kernel counts of one socket and what a process uses: asked only for what is looked at.

use crate::model::endpoint::EndpointId;
use crate::model::process::ProcessId;
use crate::model::socket::SocketQueue;
use std::time::{Duration, Instant};

/// The counts of one socket at one moment (`struct tcp_info`, include/uapi/linux/tcp.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketCounters {
    pub at: Instant,
    pub queue: SocketQueue,
    /// `None` for what is no TCP connection.
    pub flow: Option<TcpCounters>,
}

/// What went through a TCP connection since it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpCounters {
    /// Bytes that the other end acknowledged (`tcpi_bytes_acked`).
    pub sent: u64,
    /// Bytes that were received (`tcpi_bytes_received`).
    pub received: u64,
    /// The smoothed round trip (`tcpi_rtt`).
    pub round_trip: Duration,
    /// Segments sent again (`tcpi_total_retrans`).
    pub retransmits: u32,
    /// Since data was last sent and received (`tcpi_last_data_sent`, `tcpi_last_data_recv`).
    pub idle_sent: Duration,
    pub idle_received: Duration,
}

/// Bytes a second between two counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRates {
    pub sent: u64,
    pub received: u64,
}

impl SocketCounters {
    /// What went through since an earlier count; `None` where the counts do not follow one another.
    pub fn rates_since(&self, earlier: &Self) -> Option<ByteRates> {
        let (now, then) = (self.flow?, earlier.flow?);
        let span = self.at.saturating_duration_since(earlier.at);
        let rate = |now: u64, then: u64| ratio(now.checked_sub(then)?, NANOS, span);
        Some(ByteRates {
            sent: rate(now.sent, then.sent)?,
            received: rate(now.received, then.received)?,
        })
    }
}

const NANOS: u128 = 1_000_000_000;

/// `count` times `units` by the nanoseconds of `span`, rounded; `None` without a span.
fn ratio(count: u64, units: u128, span: Duration) -> Option<u64> {
    let nanos = span.as_nanos();
    let scaled = u128::from(count) * units + nanos / 2;
    u64::try_from(scaled.checked_div(nanos)?).ok()
}

/// What a process used up to one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessUsage {
    pub process: ProcessId,
    pub at: Instant,
    /// Processor time since it started, in user and kernel mode.
    pub processor: Duration,
    /// Resident memory in bytes.
    pub memory: u64,
}

impl ProcessUsage {
    /// The part of one core in thousandths since an earlier count; `None` where the counts do not follow one another.
    pub fn share_since(&self, earlier: &Self) -> Option<u64> {
        let used = self.processor.checked_sub(earlier.processor)?;
        let span = self.at.saturating_duration_since(earlier.at);
        ratio(u64::try_from(used.as_nanos()).ok()?, 1_000, span)
    }
}

/// The row that is looked at closely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Focus {
    pub endpoint: EndpointId,
    /// Its holders whose use of the machine is wanted.
    pub processes: Vec<ProcessId>,
}

/// What was found about a [`Focus`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketStats {
    pub endpoint: EndpointId,
    /// `None` where the source cannot tell, or the socket is gone.
    pub traffic: Option<SocketCounters>,
    pub usage: Vec<ProcessUsage>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::process::{Pid, StartTime};
    use crate::model::testing::instant;

    fn traffic(seconds: f64, sent: u64) -> SocketCounters {
        SocketCounters {
            at: instant(seconds),
            queue: SocketQueue::UNKNOWN,
            flow: Some(TcpCounters {
                sent,
                received: 0,
                round_trip: Duration::ZERO,
                retransmits: 0,
                idle_sent: Duration::ZERO,
                idle_received: Duration::ZERO,
            }),
        }
    }

    fn usage(seconds: f64, milliseconds: u64) -> ProcessUsage {
        ProcessUsage {
            process: ProcessId {
                pid: Pid(1),
                start: StartTime(1),
            },
            at: instant(seconds),
            processor: Duration::from_millis(milliseconds),
            memory: 0,
        }
    }

    #[test]
    fn a_rate_needs_two_ordered_counts() {
        let cases = [
            (traffic(3.0, 2_500), Some(750)),
            (traffic(3.0, u64::MAX), Some(9_223_372_036_854_775_308)),
            (traffic(3.0, 999), None),
            (traffic(1.0, 2_000), None),
            (traffic(0.0, 2_000), None),
            (
                SocketCounters {
                    flow: None,
                    ..traffic(3.0, 2_500)
                },
                None,
            ),
        ];
        for (now, sent) in cases {
            let rates = sent.map(|sent| ByteRates { sent, received: 0 });
            assert_eq!(now.rates_since(&traffic(1.0, 1_000)), rates, "{now:?}");
        }
    }

    #[test]
    fn cpu_share_is_per_core_and_needs_two_ordered_counts() {
        let shares = [
            usage(3.0, 146),
            usage(3.0, 5_100),
            usage(3.0, 99),
            usage(1.0, 200),
        ]
        .map(|now| now.share_since(&usage(1.0, 100)));
        assert_eq!(shares, [Some(23), Some(2_500), None, None]);
    }
}
