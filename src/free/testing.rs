//! Builds events of the executor for tests.

use super::{ExecEvent, RequestId, SendOutcome, SendReport, SignalError};
use crate::model::process::ProcessId;
use std::time::Instant;

/// Every target got its signal; these were resumed.
pub fn sent(request: RequestId, at: Instant, resumed: Vec<ProcessId>) -> ExecEvent {
    let sending = SendOutcome::Sent {
        sockets: Vec::new(),
        resumed,
        missed: Vec::new(),
    };
    ExecEvent::SignalsSent(SendReport {
        request,
        at,
        sending,
    })
}

/// No signal was sent.
pub fn not_sent(request: RequestId, at: Instant, error: SignalError) -> ExecEvent {
    ExecEvent::SignalsSent(SendReport {
        request,
        at,
        sending: SendOutcome::NotSent(error),
    })
}
