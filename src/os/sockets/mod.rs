//! Reads the socket tables of the machine.
//!
//! A table that could not be read to its end is a [`Problem`] beside the sockets that were read: its other sockets must
//! not look closed. Linux is asked through NETLINK_SOCK_DIAG, or where that is refused through netstat2, or else
//! through `/proc/net`. The first poll chooses the source.

use crate::model::snapshot::Problem;
use crate::model::socket::{Family, Protocol, RawSocket, SocketCounters, SocketSource};
use crate::model::text::escaped;
use crate::os::Error;
use diag::Diag;
use hashbrown::HashSet;
use sources::SOURCES;
use std::time::Instant;

#[cfg_attr(target_os = "linux", path = "diag/linux/mod.rs")]
#[cfg_attr(not(target_os = "linux"), path = "diag/other.rs")]
pub mod diag;
mod dump_request;
mod netstat;
#[cfg(target_os = "linux")]
mod procnet;
#[cfg_attr(target_os = "linux", path = "self_sockets/linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "self_sockets/other.rs")]
pub mod self_sockets;
#[cfg_attr(target_os = "linux", path = "sources/linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "sources/other.rs")]
mod sources;
#[cfg(target_os = "linux")]
mod state_number;

pub use dump_request::{DumpRequest, DumpScope};

/// Protocol and family, for each of which the kernel has a table.
type KernelTable = (Protocol, Family);

const TABLES: [KernelTable; 4] = [
    (Protocol::Tcp, Family::Ipv4),
    (Protocol::Tcp, Family::Ipv6),
    (Protocol::Udp, Family::Ipv4),
    (Protocol::Udp, Family::Ipv6),
];

/// Tables that could not be read, and why.
type TableErrors = Vec<(KernelTable, Error)>;

/// Emits the sockets of a table; after an error some are missing.
type ReadTable = fn(KernelTable, &mut dyn FnMut(&RawSocket)) -> Result<(), Error>;

/// An open source.
enum SourceReader {
    Diag(Box<Diag>),
    /// Cannot filter, and has no cookies.
    Tables(ReadTable),
}

impl SourceReader {
    /// Emits the requested sockets and returns the tables that could not be read to their end.
    fn read(&mut self, request: &DumpRequest, emit: &mut impl FnMut(&RawSocket)) -> TableErrors {
        let read_table = match self {
            Self::Diag(diag) => return diag.dump(request, emit),
            Self::Tables(read_table) => read_table,
        };
        let mut emit_matching = |socket: &RawSocket| {
            if request.matches(socket) {
                emit(socket);
            }
        };
        let outcomes = TABLES.map(|table| (table, read_table(table, &mut emit_matching)));
        let errors = outcomes.into_iter();
        errors
            .filter_map(|(table, outcome)| Some((table, outcome.err()?)))
            .collect()
    }
}

pub struct Sockets {
    /// Sources to try in order until one is not refused.
    candidates: Vec<SocketSource>,
    reader: Option<SourceReader>,
}

impl Sockets {
    /// Reads from this source, or from the best that the system does not refuse.
    pub fn new(source: Option<SocketSource>) -> Self {
        Self {
            candidates: source.map_or_else(|| SOURCES.to_vec(), |source| vec![source]),
            reader: None,
        }
    }

    /// Emits the requested sockets and returns the tables that could not be read to their end.
    pub fn read(
        &mut self,
        request: &DumpRequest,
        emit: &mut impl FnMut(&RawSocket),
    ) -> Vec<Problem> {
        match &mut self.reader {
            Some(reader) => problems(&reader.read(request, emit)),
            None => self.choose_source(sources::open, request, emit),
        }
    }

    /// Reads from the first source that is not refused, and keeps it.
    fn choose_source(
        &mut self,
        open: impl Fn(SocketSource) -> Result<SourceReader, Error>,
        request: &DumpRequest,
        emit: &mut impl FnMut(&RawSocket),
    ) -> Vec<Problem> {
        let mut refused = Vec::new();
        for source in &self.candidates {
            let mut reader = match open(*source) {
                Ok(reader) => reader,
                Err(error) => {
                    refused = TABLES.map(|table| problem(table, &error)).to_vec();
                    continue;
                }
            };
            // What a source reports before it is refused must not be mixed with the sockets of the next.
            let mut buffered = Vec::new();
            let errors = reader.read(request, &mut |socket| buffered.push(*socket));
            if !errors.iter().any(|(_, error)| error.is_unavailable()) {
                buffered.iter().for_each(emit);
                self.reader = Some(reader);
                return problems(&errors);
            }
            refused = problems(&errors);
        }
        refused
    }

    /// Returns the cookies of those listeners that exist although a poll missed them; none if only a poll can tell.
    pub fn still_open(&mut self, missed: &[RawSocket]) -> HashSet<u64> {
        match &mut self.reader {
            Some(SourceReader::Diag(diag)) => diag.still_open(missed),
            _ => HashSet::new(),
        }
    }

    /// True if sockets have cookies, as far as the source is chosen.
    pub fn has_cookies(&self) -> bool {
        match &self.reader {
            Some(reader) => matches!(reader, SourceReader::Diag(_)),
            None => self.candidates.first() == Some(&SocketSource::Diag),
        }
    }

    /// Counters of a socket; `None` if it is closed or the source has none.
    pub fn counters(&mut self, socket: &RawSocket, now: Instant) -> Option<SocketCounters> {
        match self.reader.as_mut()? {
            SourceReader::Diag(diag) => diag.counters(socket, now).ok()?,
            SourceReader::Tables(_) => None,
        }
    }
}

fn problems(errors: &TableErrors) -> Vec<Problem> {
    let errors = errors.iter();
    errors
        .map(|(table, error)| problem(*table, error))
        .collect()
}

fn problem((protocol, family): KernelTable, error: &Error) -> Problem {
    Problem {
        protocol,
        family,
        reason: escaped(&error.to_string()),
    }
}

/// TCP ports that are listening or bound, whoever owns them; those of unreadable tables are missing.
pub fn held_tcp_ports() -> HashSet<u16> {
    let request = DumpRequest {
        scope: DumpScope::Listening,
        with_bound: true,
    };
    let mut ports = HashSet::new();
    Sockets::new(None).read(&request, &mut |socket| {
        ports.insert(socket.local.port());
    });
    ports
}

#[cfg(test)]
mod tests;
