//! Reads the socket tables of the machine.
//!
//! A table that could not be read to its end is a [`Problem`] beside the sockets that were read: what it did not give
//! must never look closed. On Linux the kernel is asked by NETLINK_SOCK_DIAG; where that is refused netstat2 is, and after
//! it `/proc/net`. Which of them it is, is settled by the first look.

use crate::model::address::Family;
use crate::model::endpoint::Protocol;
use crate::model::sighting::Sighting;
use crate::model::snapshot::Problem;
use crate::model::source::Source;
use crate::model::text::escaped;
use crate::model::traffic::Traffic;
use crate::os::Error;
use std::collections::HashSet;
use std::time::Instant;

mod demand;
#[cfg(target_os = "linux")]
pub mod diag;
mod netstat;
#[cfg(target_os = "linux")]
mod procnet;
#[cfg(target_os = "linux")]
mod sockstat;

pub use demand::{Demand, Extent};

/// The four tables that are read in each look.
const TABLES: [(Protocol, Family); 4] = [
    (Protocol::Tcp, Family::Ipv4),
    (Protocol::Tcp, Family::Ipv6),
    (Protocol::Udp, Family::Ipv4),
    (Protocol::Udp, Family::Ipv6),
];

/// The sources that this system has, in the order in which they are tried.
#[cfg(target_os = "linux")]
const SOURCES: [Source; 3] = [Source::Diag, Source::Netstat, Source::Procnet];
#[cfg(not(target_os = "linux"))]
const SOURCES: [Source; 1] = [Source::Netstat];

/// So many sockets are looked up one by one; beyond it a second walk over all listeners is cheaper.
#[cfg(target_os = "linux")]
const FEW: usize = 4;

#[cfg(target_os = "linux")]
const LISTENERS: Demand = Demand {
    extent: Extent::Standing,
    with_bound: false,
};

/// What could not be read, and why.
type Faults = Vec<(Protocol, Family, Error)>;

/// Where sockets are read from.
pub struct Sockets {
    /// What is tried first and then next, until one is not refused.
    open: Vec<Source>,
    reader: Option<Reader>,
}

enum Reader {
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
    pub fn new(source: Option<Source>) -> Self {
        Self {
            open: source.map_or_else(|| SOURCES.to_vec(), |source| vec![source]),
            reader: None,
        }
    }

    /// Tells every socket that the demand names, and which tables could not be read to their end.
    pub fn read(&mut self, demand: &Demand, see: &mut impl FnMut(&Sighting)) -> Vec<Problem> {
        match &mut self.reader {
            Some(reader) => problems(reader.read(demand, see)),
            None => self.settle(Reader::open, demand, see),
        }
    }

    /// Reads from the first source that is not refused, and from no other from then on.
    fn settle(
        &mut self,
        open: impl Fn(Source) -> Result<Reader, Error>,
        demand: &Demand,
        see: &mut impl FnMut(&Sighting),
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
            let mut told = Vec::new();
            let faults = reader.read(demand, &mut |socket| told.push(*socket));
            let is_refused = faults.iter().any(|(.., error)| error.is_refusal());
            if !is_refused {
                told.iter().for_each(see);
                self.reader = Some(reader);
                return problems(faults);
            }
            refused = problems(faults);
        }
        refused
    }

    /// The cookies of those listeners that a look did not tell and that are there all the same; none where only a look
    /// can tell.
    pub fn still_there(&mut self, missed: &[Sighting]) -> HashSet<u64> {
        let reader = self.reader.as_mut();
        reader.map_or_else(HashSet::new, |reader| reader.still_there(missed))
    }

    /// Whether sockets come with their cookies, as far as is settled.
    pub fn has_cookies(&self) -> bool {
        match &self.reader {
            #[cfg(target_os = "linux")]
            Some(Reader::Diag(_)) => true,
            Some(_) => false,
            None => self.open.first() == Some(&Source::Diag),
        }
    }

    /// What went through a socket, where the source knows.
    pub fn traffic(&mut self, socket: &Sighting, now: Instant) -> Option<Traffic> {
        self.reader.as_mut()?.traffic(socket, now)
    }
}

impl Reader {
    #[cfg(target_os = "linux")]
    fn open(source: Source) -> Result<Self, Error> {
        match source {
            Source::Diag => Ok(Self::Diag(Box::new(diag::Diag::open()?))),
            Source::Netstat => Ok(Self::Netstat),
            Source::Procnet => Ok(Self::Procnet),
        }
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unnecessary_wraps, reason = "on Linux a source may be refused")]
    fn open(_only: Source) -> Result<Self, Error> {
        Ok(Self::Netstat)
    }

    fn read(&mut self, demand: &Demand, see: &mut impl FnMut(&Sighting)) -> Faults {
        let mut wanted = |socket: &Sighting| {
            if demand.wants(socket) {
                see(socket);
            }
        };
        match self {
            #[cfg(target_os = "linux")]
            Self::Diag(diag) => diag.dump(demand, see),
            Self::Netstat => each_table(|protocol, family| netstat(protocol, family, &mut wanted)),
            #[cfg(target_os = "linux")]
            Self::Procnet => {
                each_table(|protocol, family| procnet::table(protocol, family, &mut wanted))
            }
            #[cfg(all(test, target_os = "linux"))]
            Self::Refused => each_table(|_, _| Err(tests::refused())),
        }
    }
}

#[cfg(target_os = "linux")]
impl Reader {
    fn still_there(&mut self, missed: &[Sighting]) -> HashSet<u64> {
        let mut found = HashSet::new();
        let Self::Diag(diag) = self else {
            return found;
        };
        if missed.len() <= FEW {
            // An error is no proof that it is gone.
            let is_there = |socket: &&Sighting| !matches!(diag.find(socket), Ok(None));
            found.extend(missed.iter().filter(is_there).map(Sighting::cookie));
            return found;
        }
        let faults = diag.dump(&LISTENERS, &mut |socket| {
            found.insert(socket.cookie());
        });
        let is_unread = |socket: &&Sighting| {
            let table = (socket.protocol, socket.table);
            let mut unread = faults.iter();
            unread.any(|(protocol, family, _)| (*protocol, *family) == table)
        };
        found.extend(missed.iter().filter(is_unread).map(Sighting::cookie));
        found
    }

    fn traffic(&mut self, socket: &Sighting, now: Instant) -> Option<Traffic> {
        match self {
            Self::Diag(diag) => diag.traffic(socket, now).ok().flatten(),
            _ => None,
        }
    }
}

/// Elsewhere a look tells all there is to know.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unused_self, reason = "on Linux the kernel is asked")]
impl Reader {
    fn still_there(&mut self, _missed: &[Sighting]) -> HashSet<u64> {
        HashSet::new()
    }

    fn traffic(&mut self, _socket: &Sighting, _now: Instant) -> Option<Traffic> {
        None
    }
}

fn each_table(mut read: impl FnMut(Protocol, Family) -> Result<(), Error>) -> Faults {
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
    see: &mut impl FnMut(&Sighting),
) -> Result<(), Error> {
    if family == Family::Ipv6 && !sockstat::has_ipv6() {
        return Ok(());
    }
    let mut counted = 0;
    for _ in 0..2 {
        let mut is_empty = true;
        netstat::table(protocol, family, &mut |socket| {
            is_empty = false;
            see(socket);
        })?;
        if !is_empty {
            return Ok(());
        }
        counted = sockstat::in_use(protocol, family).unwrap_or(0);
        if counted == 0 {
            return Ok(());
        }
    }
    Err(Error::Withheld { counted })
}

#[cfg(not(target_os = "linux"))]
fn netstat(
    protocol: Protocol,
    family: Family,
    see: &mut impl FnMut(&Sighting),
) -> Result<(), Error> {
    netstat::table(protocol, family, see)
}

fn problems(faults: Faults) -> Vec<Problem> {
    faults
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
pub fn held_tcp_ports() -> HashSet<u16> {
    let demand = Demand {
        extent: Extent::Standing,
        with_bound: true,
    };
    let mut held = HashSet::new();
    Sockets::new(None).read(&demand, &mut |socket| {
        held.insert(socket.local.port());
    });
    held
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
