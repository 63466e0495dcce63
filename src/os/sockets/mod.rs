//! Reads the socket tables of the machine.
//!
//! A table that could not be read to its end is a [`Problem`] beside the sockets that were read: what it did not give
//! must never look closed. On Linux the kernel is asked by NETLINK_SOCK_DIAG; where that is refused netstat2 is, and after
//! it `/proc/net`. Which of them it is, is settled by the first look.

use crate::model::address::Family;
use crate::model::endpoint::Protocol;
use crate::model::raw_socket::RawSocket;
use crate::model::snapshot::Problem;
use crate::model::socket_source::SocketSource;
use crate::model::stats::SocketCounters;
use crate::model::text::escaped;
use crate::os::Error;
use std::collections::HashSet;
use std::time::Instant;

#[cfg(target_os = "linux")]
pub mod diag;
mod dump_request;
mod netstat;
#[cfg(target_os = "linux")]
mod procnet;
pub mod self_sockets;
#[cfg(target_os = "linux")]
mod sockstat;

pub use dump_request::{DumpRequest, DumpScope};

/// The four tables that are read in each look.
const TABLES: [(Protocol, Family); 4] = [
    (Protocol::Tcp, Family::Ipv4),
    (Protocol::Tcp, Family::Ipv6),
    (Protocol::Udp, Family::Ipv4),
    (Protocol::Udp, Family::Ipv6),
];

/// The sources that this system has, in the order in which they are tried.
#[cfg(target_os = "linux")]
const SOURCES: [SocketSource; 3] = [
    SocketSource::Diag,
    SocketSource::Netstat,
    SocketSource::Procnet,
];
#[cfg(not(target_os = "linux"))]
const SOURCES: [SocketSource; 1] = [SocketSource::Netstat];

/// So many sockets are looked up one by one; beyond it a second walk over all listeners is cheaper.
#[cfg(target_os = "linux")]
const MAX_SINGLE_LOOKUPS: usize = 4;

#[cfg(target_os = "linux")]
const LISTENERS: DumpRequest = DumpRequest {
    scope: DumpScope::Listening,
    with_bound: false,
};

/// What could not be read, and why.
type TableErrors = Vec<(Protocol, Family, Error)>;

/// Where sockets are read from.
pub struct Sockets {
    /// What is tried first and then next, until one is not refused.
    open: Vec<SocketSource>,
    reader: Option<SourceReader>,
}

enum SourceReader {
    #[cfg(target_os = "linux")]
    Diag(Box<diag::Diag>),
    Netstat,
    #[cfg(target_os = "linux")]
    Procnet,
    /// Opens, and refuses whatever it is asked.
    #[cfg(all(test, target_os = "linux"))]
    Refused,
}

impl Sockets {
    /// Reads from this source, or from the best that the system does not refuse.
    pub fn new(source: Option<SocketSource>) -> Self {
        Self {
            open: source.map_or_else(|| SOURCES.to_vec(), |source| vec![source]),
            reader: None,
        }
    }

    /// Tells every socket that the demand names, and which tables could not be read to their end.
    pub fn read(
        &mut self,
        request: &DumpRequest,
        emit: &mut impl FnMut(&RawSocket),
    ) -> Vec<Problem> {
        match &mut self.reader {
            Some(reader) => problems(reader.read(request, emit)),
            None => self.choose_source(SourceReader::open, request, emit),
        }
    }

    /// Reads from the first source that is not refused, and from no other from then on.
    fn choose_source(
        &mut self,
        open: impl Fn(SocketSource) -> Result<SourceReader, Error>,
        request: &DumpRequest,
        emit: &mut impl FnMut(&RawSocket),
    ) -> Vec<Problem> {
        let mut refused = Vec::new();
        for source in &self.open {
            let mut reader = match open(*source) {
                Ok(reader) => reader,
                Err(error) => {
                    refused = TABLES.map(|table| problem(table, &error)).to_vec();
                    continue;
                }
            };
            // What a source tells before it is refused must not stand beside what the next one tells of the same sockets.
            let mut buffered = Vec::new();
            let errors = reader.read(request, &mut |socket| buffered.push(*socket));
            let is_refused = errors.iter().any(|(.., error)| error.is_unavailable());
            if !is_refused {
                buffered.iter().for_each(emit);
                self.reader = Some(reader);
                return problems(errors);
            }
            refused = problems(errors);
        }
        refused
    }

    /// The cookies of those listeners that a look did not tell and that are there all the same; none where only a look
    /// can tell.
    pub fn still_open(&mut self, missed: &[RawSocket]) -> HashSet<u64> {
        let reader = self.reader.as_mut();
        reader.map_or_else(HashSet::new, |reader| reader.still_open(missed))
    }

    /// Whether sockets come with their cookies, as far as is settled.
    pub fn has_cookies(&self) -> bool {
        match &self.reader {
            #[cfg(target_os = "linux")]
            Some(SourceReader::Diag(_)) => true,
            Some(_) => false,
            None => self.open.first() == Some(&SocketSource::Diag),
        }
    }

    /// What went through a socket, where the source knows.
    pub fn traffic(&mut self, socket: &RawSocket, now: Instant) -> Option<SocketCounters> {
        self.reader.as_mut()?.traffic(socket, now)
    }
}

impl SourceReader {
    #[cfg(target_os = "linux")]
    fn open(source: SocketSource) -> Result<Self, Error> {
        match source {
            SocketSource::Diag => Ok(Self::Diag(Box::new(diag::Diag::open()?))),
            SocketSource::Netstat => Ok(Self::Netstat),
            SocketSource::Procnet => Ok(Self::Procnet),
        }
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unnecessary_wraps, reason = "on Linux a source may be refused")]
    fn open(_only: SocketSource) -> Result<Self, Error> {
        Ok(Self::Netstat)
    }

    fn read(&mut self, request: &DumpRequest, emit: &mut impl FnMut(&RawSocket)) -> TableErrors {
        let mut emit_matching = |socket: &RawSocket| {
            if request.matches(socket) {
                emit(socket);
            }
        };
        match self {
            #[cfg(target_os = "linux")]
            Self::Diag(diag) => diag.dump(request, emit),
            Self::Netstat => {
                each_table(|protocol, family| netstat(protocol, family, &mut emit_matching))
            }
            #[cfg(target_os = "linux")]
            Self::Procnet => {
                each_table(|protocol, family| procnet::table(protocol, family, &mut emit_matching))
            }
            #[cfg(all(test, target_os = "linux"))]
            Self::Refused => each_table(|_, _| Err(tests::refused())),
        }
    }
}

#[cfg(target_os = "linux")]
impl SourceReader {
    fn still_open(&mut self, missed: &[RawSocket]) -> HashSet<u64> {
        let mut found = HashSet::new();
        let Self::Diag(diag) = self else {
            return found;
        };
        if missed.len() <= MAX_SINGLE_LOOKUPS {
            // An error is no proof that it is gone.
            let is_there = |socket: &&RawSocket| !matches!(diag.find(socket), Ok(None));
            found.extend(missed.iter().filter(is_there).map(RawSocket::cookie));
            return found;
        }
        let errors = diag.dump(&LISTENERS, &mut |socket| {
            found.insert(socket.cookie());
        });
        let is_unread = |socket: &&RawSocket| {
            let table = (socket.protocol, socket.table);
            let mut unread = errors.iter();
            unread.any(|(protocol, family, _)| (*protocol, *family) == table)
        };
        found.extend(missed.iter().filter(is_unread).map(RawSocket::cookie));
        found
    }

    fn traffic(&mut self, socket: &RawSocket, now: Instant) -> Option<SocketCounters> {
        match self {
            Self::Diag(diag) => diag.traffic(socket, now).ok().flatten(),
            _ => None,
        }
    }
}

/// Elsewhere a look tells all there is to know.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unused_self, reason = "on Linux the kernel is asked")]
impl SourceReader {
    fn still_open(&mut self, _missed: &[RawSocket]) -> HashSet<u64> {
        HashSet::new()
    }

    fn traffic(&mut self, _socket: &RawSocket, _now: Instant) -> Option<SocketCounters> {
        None
    }
}

fn each_table(mut read: impl FnMut(Protocol, Family) -> Result<(), Error>) -> TableErrors {
    TABLES
        .into_iter()
        .filter_map(|(protocol, family)| Some((protocol, family, read(protocol, family).err()?)))
        .collect()
}

/// netstat2 takes a refusal of the kernel for the end of the table, so one that is empty is compared with the kernel's own
/// count, and asked for once more in case its sockets only closed or opened meanwhile.
#[cfg(target_os = "linux")]
fn netstat(
    protocol: Protocol,
    family: Family,
    emit: &mut impl FnMut(&RawSocket),
) -> Result<(), Error> {
    if family == Family::Ipv6 && !sockstat::has_ipv6() {
        return Ok(());
    }
    let mut counted = 0;
    for _ in 0..2 {
        let mut is_empty = true;
        netstat::table(protocol, family, &mut |socket| {
            is_empty = false;
            emit(socket);
        })?;
        if !is_empty {
            return Ok(());
        }
        counted = sockstat::in_use(protocol, family).unwrap_or(0);
        if counted == 0 {
            return Ok(());
        }
    }
    Err(Error::EmptyTable { counted })
}

#[cfg(not(target_os = "linux"))]
fn netstat(
    protocol: Protocol,
    family: Family,
    emit: &mut impl FnMut(&RawSocket),
) -> Result<(), Error> {
    netstat::table(protocol, family, emit)
}

fn problems(errors: TableErrors) -> Vec<Problem> {
    errors
        .into_iter()
        .map(|(protocol, family, error)| problem((protocol, family), &error))
        .collect()
}

fn problem((protocol, family): (Protocol, Family), error: &Error) -> Problem {
    Problem {
        protocol,
        family,
        reason: escaped(&error.to_string()),
    }
}

/// The ports that TCP sockets without a remote end hold, whoever owns them; what could not be read is missing.
pub fn bound_tcp_ports() -> HashSet<u16> {
    let request = DumpRequest {
        scope: DumpScope::Listening,
        with_bound: true,
    };
    let mut held = HashSet::new();
    Sockets::new(None).read(&request, &mut |socket| {
        held.insert(socket.local.port());
    });
    held
}

#[cfg(test)]
mod tests;
