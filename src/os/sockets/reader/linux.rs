//! The three socket sources of Linux.

use super::diag::Diag;
use super::{DumpRequest, DumpScope, TableErrors, each_table, netstat, procnet};
use crate::model::socket::{RawSocket, SocketCounters, SocketSource};
use crate::os::Error;
use hashbrown::HashSet;
use std::time::Instant;

/// In the order in which they are tried.
pub const SOURCES: [SocketSource; 3] = [
    SocketSource::Diag,
    SocketSource::Netstat,
    SocketSource::Procnet,
];

/// Above this count, one dump of all listeners is cheaper than single lookups.
const MAX_SINGLE_LOOKUPS: usize = 4;

const LISTENERS: DumpRequest = DumpRequest {
    scope: DumpScope::Listening,
    with_bound: false,
};

pub use super::diag::diag_error::DiagError as SourceError;

/// Whether another source is needed.
pub fn is_unavailable(error: &SourceError) -> bool {
    error.is_unavailable()
}

pub enum SourceReader {
    Diag(Box<Diag>),
    Netstat,
    Procnet,
    /// Opens, then refuses every request.
    #[cfg(test)]
    Refused,
}

impl SourceReader {
    pub fn open(source: SocketSource) -> Result<Self, Error> {
        match source {
            SocketSource::Diag => Ok(Self::Diag(Box::new(Diag::open()?))),
            SocketSource::Netstat => Ok(Self::Netstat),
            SocketSource::Procnet => Ok(Self::Procnet),
        }
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
        match self {
            Self::Diag(diag) => diag.dump(request, emit),
            Self::Netstat => {
                each_table(|protocol, family| netstat::read(protocol, family, &mut emit_matching))
            }
            Self::Procnet => {
                each_table(|protocol, family| procnet::read(protocol, family, &mut emit_matching))
            }
            #[cfg(test)]
            Self::Refused => each_table(|_, _| Err(super::tests::refused())),
        }
    }

    pub fn has_cookies(&self) -> bool {
        matches!(self, Self::Diag(_))
    }

    pub fn still_open(&mut self, missed: &[RawSocket]) -> HashSet<u64> {
        let mut found = HashSet::new();
        let Self::Diag(diag) = self else {
            return found;
        };
        if missed.len() <= MAX_SINGLE_LOOKUPS {
            // An error does not prove that it closed.
            let is_open = |socket: &&RawSocket| !matches!(diag.find(socket), Ok(None));
            found.extend(missed.iter().filter(is_open).map(RawSocket::cookie));
            return found;
        }
        let errors = diag.dump(&LISTENERS, &mut |socket| {
            found.insert(socket.cookie());
        });
        let is_unread = |socket: &&RawSocket| {
            errors.iter().any(|(protocol, family, _)| {
                (*protocol, *family) == (socket.protocol, socket.table)
            })
        };
        found.extend(missed.iter().filter(is_unread).map(RawSocket::cookie));
        found
    }

    pub fn counters(&mut self, socket: &RawSocket, now: Instant) -> Option<SocketCounters> {
        match self {
            Self::Diag(diag) => diag.counters(socket, now).ok().flatten(),
            _ => None,
        }
    }
}
