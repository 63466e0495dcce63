//! What the kernel counts of one socket and what a process uses: asked only for what is looked at.

use crate::model::endpoint::EndpointId;
use crate::model::process::ProcessId;
use crate::model::sighting::Queue;
use std::time::{Duration, Instant};

/// The counts of one socket at one moment (`struct tcp_info`, include/uapi/linux/tcp.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    pub at: Instant,
    pub queue: Queue,
    /// `None` for what is no TCP connection.
    pub flow: Option<Flow>,
}

/// What went through a TCP connection since it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
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

/// What a process used up to one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    pub process: ProcessId,
    pub at: Instant,
    /// Processor time since it started, in user and kernel mode.
    pub processor: Duration,
    /// Resident memory in bytes.
    pub memory: u64,
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
pub struct Closeup {
    pub endpoint: EndpointId,
    /// `None` where the source cannot tell, or the socket is gone.
    pub traffic: Option<Traffic>,
    pub usage: Vec<Usage>,
}
