//! What is measured: everything that the sampling thread does in a tick.
//!
//! The only place here that knows the program.

use portmon::model::ports::EphemeralRange;
use portmon::os::poller::SocketPoller;
use portmon::os::sockets::{DumpRequest, DumpScope};
use portmon::tracker::Changes;

pub struct PortmonPoll(SocketPoller);

impl PortmonPoll {
    pub fn new() -> Self {
        let request = DumpRequest {
            scope: DumpScope::All,
            with_bound: false,
        };
        Self(SocketPoller::new(EphemeralRange::IANA, None, request))
    }

    pub fn poll(&mut self) -> Changes {
        self.0.poll()
    }
}
