//! No NETLINK_SOCK_DIAG: only Linux has it.

use super::{DumpRequest, TableErrors};
use crate::model::socket::{RawSocket, SocketCounters};
use crate::os::Error;
use hashbrown::HashSet;
use std::time::Instant;

pub enum Diag {}

impl Diag {
    pub fn open() -> Result<Self, DiagError> {
        Err(DiagError::Unsupported)
    }

    pub fn dump(&mut self, _: &DumpRequest, _: &mut impl FnMut(&RawSocket)) -> TableErrors {
        match *self {}
    }

    pub fn still_open(&mut self, _: &[RawSocket]) -> HashSet<u64> {
        match *self {}
    }

    pub fn counters(
        &mut self,
        _: &RawSocket,
        _: Instant,
    ) -> Result<Option<SocketCounters>, DiagError> {
        match *self {}
    }
}

pub enum DestroyEvents {}

impl DestroyEvents {
    pub fn open() -> Result<Self, Error> {
        Err(Error::DestroyEventsUnsupported)
    }

    pub fn wait_until(&mut self, _: Instant) {
        match *self {}
    }

    pub fn take(&mut self) -> (Vec<RawSocket>, bool) {
        match *self {}
    }
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum DiagError {
    #[error("only Linux has this source")]
    Unsupported,
}

impl DiagError {
    pub fn is_unavailable(self) -> bool {
        matches!(self, Self::Unsupported)
    }
}
