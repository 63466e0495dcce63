//! `portmon unused`: ports that nothing has, each proved by a bind on every local address.

use super::complain;
use crate::cli::{Place, UnusedOptions};
use crate::model::endpoint::Protocol;
use crate::model::ports::EphemeralRange;
use crate::model::source::Source;
use crate::os::binding::{Reuse, everywhere, try_all};
use crate::os::eye::Eye;
use crate::os::machine;
use crate::os::sockets::{Demand, Extent};
use crate::report::unused::{Excluded, Search};
use std::io::{self, Write};
use std::ops::RangeInclusive;

/// The exit code when fewer ports were found than were asked for.
const TOO_FEW: u8 = 1;

/// Prints the ports as they are found, one a line.
pub fn run(options: &UnusedOptions) -> anyhow::Result<u8> {
    let search = Search {
        ports: ports(options.place),
        count: options.count.into(),
    };
    let excluded = excluded(options.source);
    let mut found = 0;
    let mut out = io::stdout().lock();
    for port in search
        .candidates(&excluded)
        .filter(|port| can_be_used(*port))
    {
        match writeln!(out, "{port}").and_then(|()| out.flush()) {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(0),
            outcome => outcome?,
        }
        found += 1;
        if found == search.count {
            return Ok(0);
        }
    }
    complain(&mut io::stderr(), &search.shortfall(found));
    Ok(TOO_FEW)
}

fn ports(place: Place) -> RangeInclusive<u16> {
    let (first, last) = match place {
        Place::From(first) => (first, u16::MAX),
        Place::Dynamic => (EphemeralRange::IANA.first, EphemeralRange::IANA.last),
        Place::Ephemeral => {
            let own = machine::ephemeral_range();
            (own.first, own.last)
        }
    };
    // Port 0 stands for any.
    first.max(1)..=last
}

/// Without SO_REUSEADDR too: a server that does not ask for it must be able to start as well.
fn can_be_used(port: u16) -> bool {
    try_all(Protocol::Tcp, &everywhere(port), Reuse::Nothing).is_ok()
}

fn excluded(source: Option<Source>) -> Excluded {
    let demand = Demand {
        extent: Extent::Everything,
        with_bound: true,
    };
    let mut eye = Eye::new(EphemeralRange::IANA, source, demand);
    for problem in eye.glance().problems {
        complain(&mut io::stderr(), &format!("could not be read: {problem}"));
    }
    let endpoints = eye.endpoints().into_iter();
    Excluded {
        taken: endpoints
            .map(|endpoint| endpoint.socket)
            .filter(|socket| socket.protocol == Protocol::Tcp)
            .map(|socket| socket.port())
            .collect(),
        reserved: machine::reserved_ports(),
    }
}
