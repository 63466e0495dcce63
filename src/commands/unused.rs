//! `portmon unused`: ports that nothing uses, each verified by binding it on every local address.

use crate::cli::CliCommand;
use crate::cli::values::{port_count, port_number, source};
use crate::model::port::{BindResult, EphemeralRange, PortSpec};
use crate::model::socket::{Protocol, SocketSource};
use crate::os::poller::SocketPoller;
use crate::os::sockets::{DumpRequest, DumpScope};
use crate::os::{bind_probe, environment};
use crate::wording::check::wait as wording;
use clap::{Args, FromArgMatches as _};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::ops::RangeInclusive;

pub const COMMAND: CliCommand = CliCommand {
    name: "unused",
    alias: Some("next"),
    synonyms: &[],
    define: UnusedArgs::augment_args,
    run: |matches| run(&UnusedArgs::from_arg_matches(matches)?),
};

/// Find unused ports
#[derive(Args)]
#[command(after_help = "\
Each port is verified by binding it on every local address.

Examples:
  portmon unused                     the first unused port from 3000 up
  portmon unused --from 8000 -c 3    the first three from 8000 up
  PORT=$(portmon unused) npm start   start a server on it

Exit status:
  0  all requested ports were found
  1  fewer ports were found
  2  error")]
pub struct UnusedArgs {
    /// First port to try [default: 3000]
    #[arg(long, value_name = "PORT", value_parser = port_number)]
    from: Option<u16>,
    /// Only ports from 49152 to 65535
    #[arg(long, conflicts_with = "from")]
    dynamic: bool,
    /// Only ports in this machine's ephemeral range
    #[arg(long, conflicts_with_all = ["from", "dynamic"])]
    ephemeral: bool,
    /// Number of ports to print
    #[arg(short = 'c', value_name = "COUNT", default_value = "1", value_parser = port_count)]
    pub count: u16,
    #[arg(long, hide = true, value_parser = source)]
    source: Option<SocketSource>,
}

/// Where unused ports are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchRange {
    /// From this port upward.
    From(u16),
    /// The dynamic class of IANA (RFC 6335).
    Dynamic,
    /// What this machine assigns to sockets that ask for no port.
    Ephemeral,
}

/// Where most development servers begin.
const DEFAULT_FIRST_PORT: u16 = 3000;

impl UnusedArgs {
    pub fn range(&self) -> SearchRange {
        if self.dynamic {
            SearchRange::Dynamic
        } else if self.ephemeral {
            SearchRange::Ephemeral
        } else {
            SearchRange::From(self.from.unwrap_or(DEFAULT_FIRST_PORT))
        }
    }
}

/// Exit code when fewer ports were found than were requested.
const TOO_FEW: u8 = 1;

/// Prints the ports as they are found, one a line.
fn run(options: &UnusedArgs) -> anyhow::Result<u8> {
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
