//! Reads the socket tables of the machine and says who holds each socket.
//!
//! A table that could not be read to its end is a [`Problem`] beside the rows that were read: what it did not give must
//! never look closed. Sockets that only this program holds are left out here, so no other module can show them.

use crate::model::address::Family;
use crate::model::endpoint::Protocol;
use crate::model::process::{Pid, Process};
use crate::model::snapshot::{Problem, Snapshot};
use crate::model::text::escaped;
use crate::os::processes::Processes;
use crate::os::{Error, now};
use rows::Row;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

#[cfg(target_os = "linux")]
#[cfg_attr(not(test), expect(dead_code, reason = "wired by the sampler next"))]
pub(crate) mod diag;
#[cfg(target_os = "linux")]
mod holders;
mod netstat;
#[cfg(target_os = "linux")]
pub mod procnet;
mod rows;
#[cfg(target_os = "linux")]
mod sockstat;

/// The four tables that are read in each look.
const TABLES: [(Protocol, Family); 4] = [
    (Protocol::Tcp, Family::Ipv4),
    (Protocol::Tcp, Family::Ipv6),
    (Protocol::Udp, Family::Ipv4),
    (Protocol::Udp, Family::Ipv6),
];

/// The source of snapshots.
pub struct Sockets {
    /// Whose sockets are left out when nobody else holds them too.
    own: Option<Pid>,
    #[cfg(target_os = "linux")]
    holders: holders::Holders,
}

impl Default for Sockets {
    fn default() -> Self {
        Self::new()
    }
}

impl Sockets {
    pub fn new() -> Self {
        Self::without(Some(Pid(std::process::id())))
    }

    /// Leaves out what only this process holds, or nothing.
    fn without(own: Option<Pid>) -> Self {
        Self {
            own,
            #[cfg(target_os = "linux")]
            holders: holders::Holders::default(),
        }
    }

    pub fn look(&mut self, processes: &mut Processes) -> Snapshot {
        let taken = now();
        let mut tables = self.read();
        let mut described = describe(&tables.rows, processes);
        // A holder that ended in the midst of the look most likely took its sockets along. A row of it would say that
        // its owner is hidden, and its closing would be told without a name. Elsewhere than on Linux a pid may also be
        // that of a process which may never be asked.
        let is_lost = |row: &Row| row.has_lost_all(&described);
        if cfg!(target_os = "linux") && tables.rows.iter().any(is_lost) {
            tables = self.read();
            described = describe(&tables.rows, processes);
        }
        let rows = tables.rows.into_iter();
        let others = rows.filter(|row| !row.is_only_of(self.own)).collect();
        let sockets = rows::sockets(others, &described, |uid| processes.user(uid));
        Snapshot {
            taken,
            took: taken.instant.elapsed(),
            sockets,
            problems: tables.problems,
        }
    }

    #[cfg(target_os = "linux")]
    fn read(&mut self) -> Tables {
        self.holders.scan();
        let mut tables = Tables::read();
        self.holders.assign(&mut tables.rows);
        tables
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(
        clippy::unused_self,
        reason = "on Linux it remembers what has no holder"
    )]
    fn read(&mut self) -> Tables {
        Tables::read()
    }
}

/// The ports that TCP sockets without a remote end hold, whoever owns them; what could not be read is missing.
pub fn held_tcp_ports() -> HashSet<u16> {
    let rows = Tables::read().rows.into_iter();
    rows.filter(|row| row.protocol == Protocol::Tcp && row.remote.is_none())
        .map(|row| row.local.port())
        .collect()
}

fn describe(rows: &[Row], processes: &mut Processes) -> HashMap<Pid, Arc<Process>> {
    let pids: HashSet<Pid> = rows.iter().flat_map(|row| &row.pids).copied().collect();
    processes.describe(&pids)
}

/// What the tables gave.
#[derive(Default)]
struct Tables {
    rows: Vec<Row>,
    problems: Vec<Problem>,
}

impl Tables {
    fn read() -> Self {
        let mut tables = Self::default();
        for (protocol, family) in TABLES {
            let (rows, error) = table(protocol, family);
            tables.rows.extend(rows);
            tables.problems.extend(error.map(|error| Problem {
                protocol,
                family,
                reason: escaped(&error.to_string()),
            }));
        }
        tables
    }
}

/// One table and the error that ended it.
///
/// netstat2 takes a refusal of the kernel for the end of the table, so one that is empty is compared with the kernel's own
/// count, and asked for once more in case its sockets only closed or opened meanwhile.
#[cfg(target_os = "linux")]
fn table(protocol: Protocol, family: Family) -> (Vec<Row>, Option<Error>) {
    if family == Family::Ipv6 && !sockstat::has_ipv6() {
        return (Vec::new(), None);
    }
    let mut counted = 0;
    for _ in 0..2 {
        let (rows, error) = rows(protocol, family);
        if error.is_some() || !rows.is_empty() {
            return (rows, error);
        }
        counted = sockstat::in_use(protocol, family).unwrap_or(0);
        if counted == 0 {
            return (rows, error);
        }
    }
    (Vec::new(), Some(Error::Withheld { counted }))
}

#[cfg(not(target_os = "linux"))]
fn table(protocol: Protocol, family: Family) -> (Vec<Row>, Option<Error>) {
    rows(protocol, family)
}

/// What netstat2 sees, as rows, and the error that ended it.
fn rows(protocol: Protocol, family: Family) -> (Vec<Row>, Option<Error>) {
    let mut rows = Vec::new();
    let end = netstat::table(protocol, family, &mut |one| rows.push(Row::from(one)));
    (rows, end.err())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
