//! `portmon unused`: ports that nothing uses, each verified by binding it on every local address.

use super::unless_closed;
use crate::cli::values::{port_count, port_number, source};
use crate::model::port::{EphemeralRange, PortSpec};
use crate::model::socket::{Endpoint, Protocol, Socket, SocketSource};
use crate::os::poller::SocketPoller;
use crate::os::sockets::DumpScope;
use crate::os::{bind_probe, environment};
use crate::wording::check::wait as wording;
use clap::Args;
use std::collections::HashSet;
use std::io::{self, Write};
use std::ops::RangeInclusive;

/// Find unused ports
#[derive(Args)]
#[command(after_help = "\
Each port is verified by binding it on every local address.

Examples:
  portmon unused                     the first unused port at or above 3000
  portmon unused --from 8000 -c 3    the first three at or above 8000
  PORT=$(portmon unused) npm start   start a server on it

Exit status:
  0  all requested ports were found
  1  fewer ports were found
  2  error")]
pub struct UnusedArgs {
    /// First port to try
    #[arg(long, value_name = "PORT", default_value = "3000", value_parser = port_number)]
    pub from: u16,
    /// Only ports from 49152 to 65535
    #[arg(long, conflicts_with = "from")]
    pub dynamic: bool,
    /// Only ports in this machine's ephemeral range
    #[arg(long, conflicts_with_all = ["from", "dynamic"])]
    pub ephemeral: bool,
    /// Number of ports to print
    #[arg(short = 'c', value_name = "COUNT", default_value = "1", value_parser = port_count)]
    pub count: u16,
    #[arg(long, hide = true, value_parser = source)]
    source: Option<SocketSource>,
}

impl UnusedArgs {
    /// Returns the ports to try; port 0 stands for any port.
    fn ports(&self) -> RangeInclusive<u16> {
        let range = if self.dynamic {
            EphemeralRange::IANA
        } else if self.ephemeral {
            environment::ephemeral_range()
        } else {
            return self.from..=u16::MAX;
        };
        range.first.max(1)..=range.last
    }
}

/// Exit code when fewer ports were found than were requested.
const TOO_FEW: u8 = 1;

/// Prints the ports as they are found, one a line.
pub fn run(options: &UnusedArgs) -> anyhow::Result<u8> {
    let request = DumpScope::All.with_bound();
    let mut poller = SocketPoller::new(EphemeralRange::IANA, options.source, request);
    super::warn_about_problems(&poller.poll_sockets().problems);
    let (ports, endpoints) = (options.ports(), poller.endpoints());
    let candidates = candidates(ports.clone(), &endpoints, environment::reserved_ports());
    let requested = usize::from(options.count);
    let mut found = 0;
    let mut out = io::stdout().lock();
    for port in candidates.filter(|port| can_bind(*port)).take(requested) {
        let printed = writeln!(out, "{port}").and_then(|()| out.flush());
        if unless_closed(printed)?.is_none() {
            return Ok(0);
        }
        found += 1;
    }
    if found == requested {
        return Ok(0);
    }
    super::warn(&wording::too_few_unused(&ports, found, requested));
    Ok(TOO_FEW)
}

/// Returns the ports that no TCP socket has in any state and that are not reserved, ascending. Only a bind tells whether
/// one can be used.
fn candidates(
    ports: RangeInclusive<u16>,
    endpoints: &[Endpoint],
    reserved: Vec<RangeInclusive<u16>>,
) -> impl Iterator<Item = u16> {
    let sockets = endpoints.iter().map(|endpoint| &endpoint.socket);
    let tcp = sockets.filter(|socket| socket.protocol == Protocol::Tcp);
    let mut excluded: HashSet<u16> = tcp.map(Socket::port).collect();
    excluded.extend(reserved.into_iter().flatten());
    ports.filter(move |port| !excluded.contains(port))
}

/// Binds without SO_REUSEADDR too: a server that does not set it must be able to start as well.
fn can_bind(port: u16) -> bool {
    bind_probe::is_usable(PortSpec::tcp(port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::socket;

    #[test]
    fn used_and_reserved_ports_are_skipped_in_ascending_order() {
        let endpoints = [
            socket("127.0.0.1:3004").to("127.0.0.1:1").endpoint(),
            socket("127.0.0.1:3001").endpoint(),
            socket("127.0.0.1:3002").udp().endpoint(),
        ];
        let reserved = vec![3006..=3007, 1..=10];
        let ports: Vec<u16> = candidates(3000..=3008, &endpoints, reserved).collect();
        assert_eq!(ports, [3000, 3002, 3003, 3005, 3008]);
    }
}
