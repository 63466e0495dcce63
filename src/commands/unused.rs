//! `portmon unused`: ports that nothing uses, each verified by binding it on every local address.

use crate::cli::{self, CliCommand, SearchRange, UnusedArgs};
use crate::model::port::{BindResult, EphemeralRange, PortSpec};
use crate::model::socket::{Protocol, SocketSource};
use crate::os::poller::SocketPoller;
use crate::os::sockets::{DumpRequest, DumpScope};
use crate::os::{bind_probe, environment};
use crate::wording::check::wait as wording;
use clap::Args as _;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::ops::RangeInclusive;

pub const COMMAND: CliCommand = CliCommand {
    name: "unused",
    alias: Some("next"),
    synonyms: &[],
    define: UnusedArgs::augment_args,
    run: |matches| run(&cli::arguments(matches)?),
};

/// Exit code when fewer ports were found than were requested.
const TOO_FEW: u8 = 1;

/// Prints the ports as they are found, one a line.
pub fn run(options: &UnusedArgs) -> anyhow::Result<u8> {
    let (ports, requested) = (ports(options.range()), usize::from(options.count));
    let excluded = excluded_ports(options.source);
    let mut found = 0;
    let mut out = io::stdout().lock();
    for port in candidates(ports.clone(), &excluded).filter(|port| can_bind(*port)) {
        match writeln!(out, "{port}").and_then(|()| out.flush()) {
            // The reader has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(0),
            outcome => outcome?,
        }
        found += 1;
        if found == requested {
            return Ok(0);
        }
    }
    let message = wording::too_few_unused(&ports, found, requested);
    super::warn(&message);
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
    // Port 0 stands for any port.
    first.max(1)..=last
}

/// Ports that are not worth a bind.
struct ExcludedPorts {
    /// Local ports of sockets in any state.
    used: BTreeSet<u16>,
    /// Ports that the system keeps for programs that ask for them by number.
    reserved: Vec<RangeInclusive<u16>>,
}

/// The ports that are not excluded, ascending. Only a bind tells whether one can be used.
fn candidates(
    ports: RangeInclusive<u16>,
    excluded: &ExcludedPorts,
) -> impl Iterator<Item = u16> + use<'_> {
    ports.filter(|port| {
        let is_reserved = excluded.reserved.iter().any(|range| range.contains(port));
        !is_reserved && !excluded.used.contains(port)
    })
}

/// Binds without SO_REUSEADDR too: a server that does not set it must be able to start as well.
fn can_bind(port: u16) -> bool {
    BindResult::of(&bind_probe::probe_port(PortSpec::tcp(port))) == BindResult::Usable
}

fn excluded_ports(source: Option<SocketSource>) -> ExcludedPorts {
    let request = DumpRequest {
        scope: DumpScope::All,
        with_bound: true,
    };
    let mut poller = SocketPoller::new(EphemeralRange::IANA, source, request);
    super::warn_about_problems(&poller.poll_sockets().problems);
    let sockets = poller
        .endpoints()
        .into_iter()
        .map(|endpoint| endpoint.socket);
    ExcludedPorts {
        used: sockets
            .filter(|socket| socket.protocol == Protocol::Tcp)
            .map(|socket| socket.port())
            .collect(),
        reserved: environment::reserved_ports(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn used_and_reserved_ports_are_skipped_in_ascending_order() {
        let excluded = ExcludedPorts {
            used: BTreeSet::from([3001, 3004, 80]),
            reserved: vec![3006..=3007, 1..=10],
        };
        let ports: Vec<u16> = candidates(3000..=3008, &excluded).collect();
        assert_eq!(ports, [3000, 3002, 3003, 3005, 3008]);
    }
}
