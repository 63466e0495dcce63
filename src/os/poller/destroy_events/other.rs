//! No destroy events: only Linux has them.

use crate::model::socket::RawSocket;
use crate::os::Error;
use std::convert::Infallible;
use std::time::Instant;

pub struct DestroyEvents(Infallible);

impl DestroyEvents {
    pub fn open() -> Result<Self, Error> {
        Err(Error::DestroyEventsUnsupported)
    }

    pub fn wait_until(&mut self, _until: Instant) {
        match self.0 {}
    }

    pub fn take(&mut self) -> (Vec<RawSocket>, bool) {
        match self.0 {}
    }
}
