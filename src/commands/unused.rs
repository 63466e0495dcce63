//! `portmon unused`: ports that nothing uses, each verified by binding it on every local address.

use super::unless_closed;
use crate::cli::values::{port_count, port_number, source};
use crate::model::port::{BindResult, EphemeralRange, PortSpec};
use crate::model::socket::{Endpoint, Protocol, Socket, SocketSource};
use crate::os::poller::SocketPoller;
use crate::os::sockets::DumpScope;
use crate::os::{bind_probe, environment};
use crate::wording::check::unused as wording;
use anyhow::bail;
use clap::Args;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::ops::RangeInclusive;

/// Find unused ports
#[derive(Args)]
#[command(after_help = "\
Each port is verified by binding it on every local address. Ports of this machine's ephemeral range, which the system gives
to connections, are left out unless --from is one of them, or --dynamic or --ephemeral asks for them.

Examples:
  portmon unused                     the first unused port at or above 3000
  portmon unused --from 8000 -c 3    the first three at or above 8000
  portmon unused --random            any unused port at or above 3000
  PORT=$(portmon unused) npm start   start a server on it

Exit status:
  0  all requested ports were found
  1  fewer ports were found
  2  error, or fewer were found and binds of others fail")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct UnusedArgs {
    /// First port to try [default: 3000]
    #[arg(long, value_name = "PORT", value_parser = port_number)]
    pub from: Option<u16>,
    /// Only ports from 49152 to 65535, those outside the ephemeral range first
    #[arg(long, conflicts_with = "from")]
    pub dynamic: bool,
    /// Only ports in this machine's ephemeral range
    #[arg(long, conflicts_with_all = ["from", "dynamic"])]
    pub ephemeral: bool,
    /// UDP ports instead of TCP ports
    #[arg(long)]
    pub udp: bool,
    /// In random order, so that two callers seldom get the same port
    #[arg(long)]
    pub random: bool,
    /// Number of ports to print
    #[arg(short = 'c', value_name = "COUNT", default_value = "1", value_parser = port_count)]
    pub count: u16,
    #[arg(long, hide = true, value_parser = source)]
    source: Option<SocketSource>,
}

/// First port to try where none is given.
const DEFAULT_FROM: u16 = 3000;

impl UnusedArgs {
    fn protocol(&self) -> Protocol {
        if self.udp {
            Protocol::Udp
        } else {
            Protocol::Tcp
        }
    }

    /// Returns the ranges to try, one group after the other; port 0 stands for any port.
    fn groups(&self, ephemeral: EphemeralRange) -> [Vec<RangeInclusive<u16>>; 2] {
        let from = self.from.unwrap_or(DEFAULT_FROM);
        if self.dynamic {
            let EphemeralRange { first, last } = EphemeralRange::IANA;
            let within = first.max(ephemeral.first)..=last.min(ephemeral.last);
            [outside(ephemeral, first..=last), non_empty([within])]
        } else if self.ephemeral {
            let whole = ephemeral.first.max(1)..=ephemeral.last;
            [non_empty([whole]), Vec::new()]
        } else if self.from.is_some_and(|from| ephemeral.contains(from)) {
            [vec![from..=u16::MAX], Vec::new()]
        } else {
            [outside(ephemeral, from..=u16::MAX), Vec::new()]
        }
    }
}

/// Returns what of a range lies outside the ephemeral one.
fn outside(ephemeral: EphemeralRange, range: RangeInclusive<u16>) -> Vec<RangeInclusive<u16>> {
    let (first, last) = range.into_inner();
    let below = ephemeral.first.checked_sub(1);
    let above = ephemeral.last.checked_add(1);
    let below = below.map(|end| first..=last.min(end));
    let above = above.map(|start| first.max(start)..=last);
    non_empty([below, above].into_iter().flatten())
}

fn non_empty(ranges: impl IntoIterator<Item = RangeInclusive<u16>>) -> Vec<RangeInclusive<u16>> {
    ranges
        .into_iter()
        .filter(|range| !range.is_empty())
        .collect()
}

/// Exit code when fewer ports were found than were requested.
const TOO_FEW: u8 = 1;

/// Prints the ports as they are found, one a line.
pub fn run(options: &UnusedArgs) -> anyhow::Result<u8> {
    let request = DumpScope::All.with_bound();
    let mut poller = SocketPoller::new(EphemeralRange::IANA, options.source, request);
    super::warn_about_problems(&poller.poll_sockets().problems);
    let ephemeral = environment::ephemeral_range();
    let (groups, protocol) = (options.groups(ephemeral), options.protocol());
    let excluded = excluded(protocol, &poller.endpoints(), environment::reserved_ports());
    let ports = groups.iter().flat_map(|group| {
        let ports = group.iter().cloned().flatten();
        let ports: Vec<u16> = ports.filter(|port| !excluded.contains(port)).collect();
        if options.random {
            shuffled(ports)
        } else {
            ports
        }
    });
    let requested = usize::from(options.count);
    let mut found = 0;
    let mut out = io::stdout().lock();
    let mut failure = None;
    let is_usable = |port: &u16| {
        let result = bind_probe::bind_result(PortSpec {
            protocol,
            ..PortSpec::tcp(*port)
        });
        let is_usable = result == BindResult::Usable;
        if let BindResult::Failed(error) = result {
            failure = Some(error);
        }
        is_usable
    };
    for port in ports.filter(is_usable).take(requested) {
        let printed = writeln!(out, "{port}").and_then(|()| out.flush());
        if unless_closed(printed)?.is_none() {
            return Ok(0);
        }
        found += 1;
    }
    if found == requested {
        return Ok(0);
    }
    if let Some(error) = failure {
        bail!(wording::undecided(&error, found, requested));
    }
    let tried: Vec<RangeInclusive<u16>> = groups.into_iter().flatten().collect();
    super::warn(&wording::too_few(
        &tried,
        ephemeral,
        protocol,
        [found, requested],
    ));
    Ok(TOO_FEW)
}

/// Returns the ports that a socket of the protocol has in any state, and the reserved ones. Only a bind tells whether
/// another one can be used.
fn excluded(
    protocol: Protocol,
    endpoints: &[Endpoint],
    reserved: Vec<RangeInclusive<u16>>,
) -> HashSet<u16> {
    let sockets = endpoints.iter().map(|endpoint| &endpoint.socket);
    let sockets = sockets.filter(|socket| socket.protocol == protocol);
    let mut excluded: HashSet<u16> = sockets.map(Socket::port).collect();
    excluded.extend(reserved.into_iter().flatten());
    excluded
}

/// Orders ports by a hash with a key of the system's random numbers, which std takes for its hash tables.
fn shuffled(mut ports: Vec<u16>) -> Vec<u16> {
    let random = RandomState::new();
    ports.sort_by_cached_key(|port| random.hash_one(port));
    ports
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::socket;
    use clap::Parser;

    const LINUX: EphemeralRange = EphemeralRange {
        first: 32768,
        last: 60999,
    };

    #[derive(Parser)]
    struct UnusedCommandLine {
        #[command(flatten)]
        options: UnusedArgs,
    }

    fn groups(words: &str, ephemeral: EphemeralRange) -> [Vec<RangeInclusive<u16>>; 2] {
        let words = std::iter::once("unused").chain(words.split_whitespace());
        let line =
            UnusedCommandLine::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
        line.options.groups(ephemeral)
    }

    #[test]
    fn the_ephemeral_range_is_left_out_unless_asked_for() {
        let none = Vec::new;
        let cases = [
            ("", vec![3000..=32767, 61000..=65535], none()),
            ("--from 3000", vec![3000..=32767, 61000..=65535], none()),
            ("--from 32767", vec![32767..=32767, 61000..=65535], none()),
            ("--from 32768", vec![32768..=65535], none()),
            ("--from 60999", vec![60999..=65535], none()),
            ("--from 61000", vec![61000..=65535], none()),
            ("--dynamic", vec![61000..=65535], vec![49152..=60999]),
            ("--ephemeral", vec![32768..=60999], none()),
        ];
        for (words, first, then) in cases {
            assert_eq!(groups(words, LINUX), [first, then], "{words:?}");
        }
    }

    #[test]
    fn an_ephemeral_range_of_any_size_leaves_what_is_outside() {
        let none = Vec::new;
        let wide = EphemeralRange {
            first: 1024,
            last: 65535,
        };
        let low = EphemeralRange {
            first: 0,
            last: 4999,
        };
        let iana = EphemeralRange::IANA;
        let cases = [
            ("", wide, [none(), none()]),
            ("--from 3000", wide, [vec![3000..=65535], none()]),
            ("--dynamic", wide, [none(), vec![49152..=65535]]),
            ("", low, [vec![5000..=65535], none()]),
            ("--ephemeral", low, [vec![1..=4999], none()]),
            ("--dynamic", low, [vec![49152..=65535], none()]),
            ("", iana, [vec![3000..=49151], none()]),
            ("--dynamic", iana, [none(), vec![49152..=65535]]),
        ];
        for (words, ephemeral, expected) in cases {
            assert_eq!(groups(words, ephemeral), expected, "{words:?} {ephemeral}");
        }
    }

    #[test]
    fn used_ports_of_the_protocol_and_reserved_ones_are_excluded() {
        let endpoints = [
            socket("127.0.0.1:3004").to("127.0.0.1:1").endpoint(),
            socket("127.0.0.1:3001").endpoint(),
            socket("127.0.0.1:3002").udp().endpoint(),
        ];
        let excluded = |protocol| {
            let excluded = excluded(protocol, &endpoints, vec![3006..=3007]);
            let mut excluded: Vec<u16> = excluded.into_iter().collect();
            excluded.sort_unstable();
            excluded
        };
        assert_eq!(excluded(Protocol::Tcp), [3001, 3004, 3006, 3007]);
        assert_eq!(excluded(Protocol::Udp), [3002, 3006, 3007]);
    }

    #[test]
    fn a_random_order_has_every_port_and_differs_each_time() {
        let ports: Vec<u16> = (3000..4000).collect();
        let orders = [0; 2].map(|_| shuffled(ports.clone()));
        assert_ne!(orders[0], orders[1]);
        for mut order in orders {
            assert_ne!(order, ports);
            order.sort_unstable();
            assert_eq!(order, ports);
        }
    }
}
