//! The only socket source of other systems than Linux: netstat2.

use super::{DumpRequest, TableErrors, each_table, netstat};
use crate::model::socket::{RawSocket, SocketCounters, SocketSource};
use crate::os::Error;
use hashbrown::HashSet;
use std::time::Instant;

pub const SOURCES: [SocketSource; 1] = [SocketSource::Netstat];

/// No source has errors of its own.
pub type SourceError = std::convert::Infallible;

pub fn is_unavailable(error: &SourceError) -> bool {
    match *error {}
}

pub struct SourceReader;

#[expect(
    clippy::unused_self,
    clippy::unnecessary_wraps,
    reason = "Linux has sources that may be refused and be asked for more"
)]
impl SourceReader {
    pub fn open(_only: SocketSource) -> Result<Self, Error> {
        Ok(Self)
    }

    pub fn read(
        &mut self,
        request: &DumpRequest,
        emit: &mut impl FnMut(&RawSocket),
    ) -> TableErrors {
        let mut emit_matching = |socket: &RawSocket| {
            if request.matches(socket) {
                emit(socket);
            }
        };
        each_table(|protocol, family| netstat::read(protocol, family, &mut emit_matching))
    }

    pub fn has_cookies(&self) -> bool {
        false
    }

    pub fn still_open(&mut self, _missed: &[RawSocket]) -> HashSet<u64> {
        HashSet::new()
    }

    pub fn counters(&mut self, _socket: &RawSocket, _now: Instant) -> Option<SocketCounters> {
        None
    }
}
