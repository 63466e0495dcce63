//! Stats of one socket and of its owners, read only for the focused row.

use super::EndpointId;
use crate::model::process::ProcessId;
use crate::model::socket::SocketQueue;
use std::time::{Duration, Instant};

/// Counters of one socket at one moment (`struct tcp_info`, include/uapi/linux/tcp.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketCounters {
    pub at: Instant,
    pub queue: SocketQueue,
    /// `None` if it is no TCP connection.
    pub flow: Option<TcpCounters>,
}

/// Counters of a TCP connection since it opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpCounters {
    /// Bytes acknowledged by the other end (`tcpi_bytes_acked`).
    pub sent: u64,
    /// Bytes received (`tcpi_bytes_received`).
    pub received: u64,
    /// Smoothed round trip time (`tcpi_rtt`).
    pub rtt: Duration,
    /// Retransmitted segments (`tcpi_total_retrans`).
    pub retransmits: u32,
    /// Time since data was last sent (`tcpi_last_data_sent`).
    pub idle_sent: Duration,
    /// Time since data was last received (`tcpi_last_data_recv`).
    pub idle_received: Duration,
}

/// Bytes per second between two counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRates {
    pub sent: u64,
    pub received: u64,
}

impl SocketCounters {
    /// Rates since an earlier counter; `None` if the counters are not in order.
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

/// Resource usage of a process.
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
    /// Thousandths of one core used since an earlier count; `None` if the counts are not in order.
    pub fn cpu_share_since(&self, earlier: &Self) -> Option<u64> {
        let used = self.processor.checked_sub(earlier.processor)?;
        let span = self.at.saturating_duration_since(earlier.at);
        ratio(u64::try_from(used.as_nanos()).ok()?, 1_000, span)
    }
}

/// The row whose stats are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Focus {
    pub endpoint: EndpointId,
    /// Its owners whose usage is read.
    pub processes: Vec<ProcessId>,
}

/// Stats of a [`Focus`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketStats {
    pub endpoint: EndpointId,
    /// `None` if the source has none or the socket is closed.
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
                rtt: Duration::ZERO,
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
        .map(|now| now.cpu_share_since(&usage(1.0, 100)));
        assert_eq!(shares, [Some(23), Some(2_500), None, None]);
    }
}
