//! The reasons in words: what was seen, and what it means for who wants the port.

use super::formatting::{command_summary, process_and_user, who_holds};
use super::reason::{LeftoverBind, Reason};
use crate::model::address::Family;
use crate::model::endpoint::{Owners, Protocol, Socket, State};
use crate::model::platform::PLATFORM;
use crate::model::process::{Process, ProcessState};
use crate::model::time_wait::TimeWaitLeft;
use crate::wording::{list, place, place_at, time_left};
use std::fmt::{self, Display};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

impl Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holder { socket, is_root } => f.write_str(&stands(socket, *is_root)),
            Self::Elsewhere { socket, is_root } => {
                write!(f, "elsewhere on this port, {}", stands(socket, *is_root))
            }
            Self::Client {
                socket,
                is_local,
                more,
            } => f.write_str(&client(socket, *is_local, *more)),
            Self::TimeWait {
                count,
                binding,
                left,
            } => write!(f, "{}; {binding}", time_wait(*count, *left)),
            Self::Leftover {
                states,
                holders,
                binding,
            } => write!(f, "{}; {binding}", leftover(states, holders)),
            Self::Wildcard { socket, takes } => f.write_str(&wildcard(socket, takes)),
            Self::TwoLocalhosts { v4, v6, localhost } => {
                f.write_str(&two_localhosts(v4, v6, localhost))
            }
            Self::BacklogFull {
                socket,
                waiting,
                room,
            } => write!(
                f,
                "the backlog of {} is full: {waiting} of {room} connections wait to be accepted, new clients time out",
                place(socket)
            ),
            Reason::NotRunning {
                process,
                process_state,
            } => f.write_str(&not_running(process, *process_state)),
            _ => self.fmt_bind(f),
        }
    }
}

impl Reason {
    /// What only binds and settings say.
    fn fmt_bind(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Privileged { port, from } => f.write_str(&privileged(*port, *from)),
            Self::NoSuchAddress(ip) => write!(f, "{ip} is no address of this machine"),
            Self::Failed { at, why } => write!(f, "{at} cannot be bound: {why}"),
            Self::Unexplained { places, is_unread } => {
                let places = list(places);
                if *is_unread {
                    write!(
                        f,
                        "what holds {places} is unknown, as not every table could be read"
                    )
                } else {
                    write!(f, "something holds {places} that is in no table")
                }
            }
            Self::OneFamily { taken, usable } => {
                let taken = match taken {
                    Family::Ipv4 => "IPv4",
                    Family::Ipv6 => "IPv6",
                };
                write!(f, "only {taken} is taken: {} can be bound", list(usable))
            }
            Self::Partly(usable) => {
                write!(
                    f,
                    "not every address is taken: {} can be bound",
                    list(usable)
                )
            }
            Self::NeedsReuse => {
                f.write_str("it can be bound only with SO_REUSEADDR, as most servers do")
            }
            Self::Reserved(port) => write!(
                f,
                "{port} is in net.ipv4.ip_local_reserved_ports: the system never hands it out by itself, who asks for it gets it"
            ),
            Self::NoFamily(addresses) => write!(
                f,
                "this machine has no {}: not tried",
                list(addresses).replace(" and ", " and no ")
            ),
            Self::Published(words) => f.write_str(words),
            Self::Unread(words) => write!(f, "not everything could be read: {words}"),
            _ => Ok(()),
        }
    }
}

impl Display for LeftoverBind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WithReuse => "it can be bound with SO_REUSEADDR, as most servers do",
            Self::Refused if !PLATFORM.has_safe_reuseaddr() => "until then it cannot be bound",
            Self::Refused => "until then it cannot be bound, not even with SO_REUSEADDR",
        })
    }
}

/// `java 812 of ops listens on *:8080 (java -jar shop.jar, in /srv)`
fn stands(socket: &Socket, is_root: bool) -> String {
    let (who, place) = (who_holds(socket), place(socket));
    let does = match (socket.protocol, socket.state) {
        (Protocol::Udp, _) => format!("has {place}"),
        (Protocol::Tcp, Some(State::Bound)) => format!("has bound {place} and does not listen"),
        (Protocol::Tcp, _) => format!("listens on {place}"),
    };
    let more = match (&socket.owners, is_root) {
        (Owners::Known(processes), _) => {
            let what = processes.first().and_then(|first| command_summary(first));
            what.map_or_else(String::new, |what| format!(" ({what})"))
        }
        (Owners::NoPermission | Owners::Pending, false) => "; only root may see which".to_owned(),
        (Owners::NoPermission | Owners::Pending, true) => {
            "; not even root sees it: it is in another container, or the kernel's own".to_owned()
        }
        (Owners::NoProcess, _) => String::new(),
    };
    format!("{who} {does}{more}")
}

/// `51324 is the local port of chrome 942's connection to :3000`
fn client(socket: &Socket, is_local: bool, more: usize) -> String {
    let whose = match socket.owners.first() {
        Some(process) => process.to_string(),
        None => who_holds(socket),
    };
    let to = match socket.remote {
        Some(remote) if is_local => format!(" to :{}", remote.port()),
        Some(remote) => format!(" to {remote}"),
        None => String::new(),
    };
    let others = match more {
        0 => String::new(),
        1 => " and of 1 more connection".to_owned(),
        more => format!(" and of {more} more connections"),
    };
    let port = socket.port();
    format!("{port} is the local port of {whose}'s connection{to}{others}")
}

/// `12 connections are in TIME_WAIT, the last for 48 s`
fn time_wait(count: usize, left: Option<TimeWaitLeft>) -> String {
    match (count, left.map(time_left)) {
        (1, Some(left)) => format!("1 connection is in TIME_WAIT for {left}"),
        (1, None) => "1 connection is in TIME_WAIT".to_owned(),
        (count, Some(left)) => {
            format!("{count} connections are in TIME_WAIT, the last for {left}")
        }
        (count, None) => format!("{count} connections are in TIME_WAIT"),
    }
}

fn leftover(states: &str, holders: &[Arc<Process>]) -> String {
    let whose = match holders {
        [] => String::new(),
        holders => {
            let names: Vec<String> = holders
                .iter()
                .map(|process| process_and_user(process))
                .collect();
            format!(" of {}", list(&names))
        }
    };
    format!("nobody listens; what is left is {states}{whose}")
}

fn privileged(port: u16, from: Option<u16>) -> String {
    match from {
        Some(from) if port < from => format!(
            "you may not bind ports below {from} (net.ipv4.ip_unprivileged_port_start): that needs root or CAP_NET_BIND_SERVICE"
        ),
        Some(_) | None => "you may not bind it: the system refuses that to this user".to_owned(),
    }
}

fn wildcard(socket: &Socket, takes: &[SocketAddr]) -> String {
    let of = match (socket.is_dual_stack(), socket.local.is_ipv4()) {
        (true, _) => "of both families",
        (false, true) => "of IPv4",
        (false, false) => "of IPv6",
    };
    let (own, rows) = match takes {
        [_] => ("is", "a row of its own"),
        _ => ("are", "rows of their own"),
    };
    let places: Vec<String> = takes
        .iter()
        .map(|at| place_at(socket.protocol, *at))
        .collect();
    let all = socket.local_address();
    format!(
        "{all} is every address {of}: {} {own} taken by it, without {rows}",
        list(&places)
    )
}

fn two_localhosts(v4: &Socket, v6: &Socket, localhost: &[IpAddr]) -> String {
    let order = match localhost {
        [] => String::new(),
        [first, rest @ ..] if rest.iter().all(|ip| ip == first) => {
            format!("; localhost is {first} only")
        }
        [first, ..] => format!("; localhost reaches {first} first"),
    };
    format!(
        "127.0.0.1:{port} is {}, ::1:{port} is {}{order}",
        who_holds(v4),
        who_holds(v6),
        port = v4.port()
    )
}

fn not_running(process: &Process, process_state: ProcessState) -> String {
    match process_state {
        ProcessState::Suspended => format!(
            "{process} is stopped and answers nobody: kill -CONT {} lets it go on",
            process.pid()
        ),
        ProcessState::Traced => format!("{process} is stopped by a debugger and answers nobody"),
        ProcessState::Uninterruptible => {
            format!("{process} waits in the kernel at this moment, where no signal reaches it")
        }
        ProcessState::Zombie => match process.parent {
            Some(parent) => {
                format!("{process} has ended and its parent {parent} has not reaped it")
            }
            None => format!("{process} has ended and was not reaped"),
        },
    }
}
