//! `portmon unused`: ports that nothing has, each proved by a bind on every local address.

use super::warn;
use crate::cli::{SearchRange, UnusedOptions};
use crate::model::bind::BindResult;
use crate::model::endpoint::Protocol;
use crate::model::port_spec::PortSpec;
use crate::model::ports::EphemeralRange;
use crate::model::socket_source::SocketSource;
use crate::os::poller::SocketPoller;
use crate::os::sockets::{DumpRequest, DumpScope};
use crate::os::{bind_probe, environment};
use crate::report::unused::{Excluded, Search};
use std::io::{self, Write};
use std::ops::RangeInclusive;

/// The exit code when fewer ports were found than were asked for.
const TOO_FEW: u8 = 1;

/// Prints the ports as they are found, one a line.
pub fn run(options: &UnusedOptions) -> anyhow::Result<u8> {
    let search = Search {
        ports: ports(options.range),
        count: options.count.into(),
    };
    let excluded_ports = excluded_ports(options.source);
    let mut found = 0;
    let mut out = io::stdout().lock();
    for port in search
        .candidates(&excluded_ports)
        .filter(|port| can_bind(*port))
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
    warn(&mut io::stderr(), &search.shortfall(found));
    Ok(TOO_FEW)
}

fn ports(range: SearchRange) -> RangeInclusive<u16> {
    let (first, last) = match range {
        SearchRange::From(first) => (first, u16::MAX),
        SearchRange::Dynamic => (EphemeralRange::IANA.first, EphemeralRange::IANA.last),
        SearchRange::Ephemeral => {
            let own = environment::ephemeral_range();
            (own.first, own.last)
        }
    };
    // Port 0 stands for any.
    first.max(1)..=last
}

/// Without SO_REUSEADDR too: a server that does not ask for it must be able to start as well.
fn can_bind(port: u16) -> bool {
    BindResult::of(&bind_probe::probe_port(PortSpec::tcp(port))) == BindResult::Usable
}

fn excluded_ports(source: Option<SocketSource>) -> Excluded {
    let request = DumpRequest {
        scope: DumpScope::All,
        with_bound: true,
    };
    let mut poller = SocketPoller::new(EphemeralRange::IANA, source, request);
    for problem in poller.poll_sockets().problems {
        warn(&mut io::stderr(), &format!("could not be read: {problem}"));
    }
    let endpoints = poller.endpoints().into_iter();
    Excluded {
        taken: endpoints
            .map(|endpoint| endpoint.socket)
            .filter(|socket| socket.protocol == Protocol::Tcp)
            .map(|socket| socket.port())
            .collect(),
        reserved: environment::reserved_ports(),
    }
}
