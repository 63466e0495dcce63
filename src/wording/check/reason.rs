//! A sentence for each reason of a check.

use super::owner::{command, owner, process_and_user};
use super::reach::{answered_unseen, other_interface, published, wildcard};
use crate::check::{CheckReport, Reason, distinct_owners};
use crate::model::platform::PLATFORM;
use crate::model::port::{PortSpec, WhyUnseen};
use crate::model::process::{Engine, Process, ProcessState, SocketCandidates};
use crate::model::socket::{Endpoint, Family, Owners, Protocol, Socket, State, TimeWaitLeft};
use crate::wording::socket::not_found;
use crate::wording::warning::left_over;
use crate::wording::{
    CONNECTED_TO_ITSELF, count, list, one_of_many, place, port, probably, states, time_left,
    unread_table, unreadable,
};
use std::net::{IpAddr, SocketAddr};

/// A line for each reason, in their order.
pub fn reason_lines(report: &CheckReport) -> Vec<String> {
    let reasons = report.reasons.iter();
    reasons.map(|reason| sentence(reason, report)).collect()
}

/// `probably webserver 4242: its descriptors are not readable, so portmon cannot prove it`
fn probable_owner(candidates: &SocketCandidates) -> String {
    let Some(probably) = probably(candidates) else {
        return format!("it may be {}", one_of_many(candidates));
    };
    let unreadable = unreadable(&candidates.processes, candidates.others);
    format!("{probably}: {unreadable}, so portmon cannot prove it")
}

fn sentence(reason: &Reason, report: &CheckReport) -> String {
    let spec = report.findings.request.spec;
    match reason {
        Reason::HoldingSocket(socket) => holds(socket),
        Reason::Candidates(candidates) => probable_owner(candidates),
        Reason::Elsewhere(socket) => format!("on another address: {}", holds(socket)),
        Reason::Client { first, more } => client(first, *more),
        Reason::SelfConnection { first, more } => self_connection(first, *more),
        Reason::TimeWait {
            count,
            refused,
            left,
        } => format!(
            "{}; {}",
            time_wait(*count, *left),
            until_then(refused, *count)
        ),
        Reason::Leftover { sockets, refused } => {
            format!(
                "{}; {}",
                leftover(sockets),
                until_then(refused, sockets.len())
            )
        }
        Reason::Privileged(Some(from)) => format!(
            "ports below {from} need root or CAP_NET_BIND_SERVICE (net.ipv4.ip_unprivileged_port_start)"
        ),
        Reason::Privileged(None) => "the system does not permit you to bind it".to_owned(),
        Reason::NoSuchAddress(ip) => format!("{ip} is not an address of this machine"),
        Reason::Failed { at, error } => format!("{at} cannot be bound: {error}"),
        Reason::Unexplained { at, why } => unexplained(at, *why),
        Reason::Wildcard { socket, covered } => wildcard(socket, covered),
        Reason::OtherInterface { socket, unheard } => other_interface(socket, unheard),
        Reason::Partly { .. } if spec.asks_for_both_families() => {
            format!("{spec} is free for IPv6 alone (IPV6_V6ONLY)")
        }
        Reason::Partly { usable, taken } => partly(usable, *taken),
        Reason::TwoLocalhosts { v4, v6, localhost } => two_localhosts(v4, v6, localhost),
        Reason::BacklogFull { socket, queue } => format!(
            "the backlog of {} is full ({} / {}): new clients time out",
            place(socket),
            queue.incoming,
            queue.outgoing
        ),
        Reason::NotRunning { process, state } => not_running(process, *state),
        Reason::LeftOver { process, engine } => left_over_proxy(process, *engine, spec),
        Reason::NeedsReuse => {
            "it can be bound only with SO_REUSEADDR, which most servers set".to_owned()
        }
        Reason::Reserved => format!(
            "{} is in net.ipv4.ip_local_reserved_ports: a program can bind it, but the system never assigns it",
            spec.port
        ),
        Reason::NoFamily(addresses) => {
            format!(
                "not tried, because this machine does not have them: {}",
                list(addresses)
            )
        }
        Reason::Published {
            container,
            forwarding,
        } => published(container, spec, *forwarding),
        Reason::AnsweredUnseen(at) => answered_unseen(at),
        Reason::SharedWithWindows => format!(
            "WSL shares ports with Windows here (networkingMode=mirrored), so a Windows program may use it; to look, in \
             Windows: netstat -ano | findstr :{}",
            spec.port
        ),
        Reason::Unread(problem) => unread_table(problem),
    }
}

fn partly(usable: &[IpAddr], taken: Option<Family>) -> String {
    let taken = taken.map_or("some addresses are", |family| match family {
        Family::Ipv4 => "IPv4 is",
        Family::Ipv6 => "IPv6 is",
    });
    format!("only {taken} taken: {} can be bound", list(usable))
}

/// `java 812 of ops listens on *:8080 (java -jar shop.jar, in /srv)`
fn holds(socket: &Socket) -> String {
    let (owner, place) = (owner(socket), place(socket));
    let holds = match (socket.protocol, socket.state) {
        (Protocol::Udp, _) => format!("is bound to {place}"),
        (Protocol::Tcp, Some(State::Bound)) => format!("is bound to {place} but does not listen"),
        (Protocol::Tcp, _) => format!("listens on {place}"),
    };
    let note = match &socket.owners {
        Owners::Known(processes) => processes.first().and_then(|first| command(first)),
        Owners::NoProcess => None,
        Owners::Pending => Some("owner still being looked up".to_owned()),
        Owners::NotFound(not_found) => Some(not_found::note(not_found)),
    };
    let note = note.map_or_else(String::new, |note| format!(" ({note})"));
    format!("{owner} {holds}{note}")
}

/// `51324 is the local port of chrome 942's connection to :3000 and of 1 more connection`
fn client(first: &Endpoint, more: usize) -> String {
    let socket = &first.socket;
    let client = socket.owners.first();
    let client = client.map_or_else(|| owner(socket), ToString::to_string);
    let to = match socket.remote {
        Some(remote) if first.relation.is_local => format!(" to :{}", remote.port()),
        Some(_) => format!(" to {}", socket.remote_end().unwrap_or_default()),
        None => String::new(),
    };
    let more = match more {
        0 => String::new(),
        more => format!(" and of {}", count(more, "more connection")),
    };
    let port = socket.port();
    format!("{port} is the local port of {client}'s connection{to}{more}")
}

/// `node 4242 of dev is connected to itself: both ends of the connection are 127.0.0.1:3000`
fn self_connection(first: &Socket, more: usize) -> String {
    let more = match more {
        0 => String::new(),
        more => format!(", and so is it with {}", count(more, "more connection")),
    };
    let (owner, place) = (owner(first), place(first));
    format!("{owner} is {CONNECTED_TO_ITSELF}: both ends of the connection are {place}{more}")
}

/// `12 connections are in TIME_WAIT (the last ends in 48 s)`
fn time_wait(count: usize, left: Option<TimeWaitLeft>) -> String {
    let (connections, ends) = match count {
        1 => ("1 connection is".to_owned(), "ends"),
        count => (format!("{count} connections are"), "the last ends"),
    };
    let left = left.map(|left| format!(" ({ends} in {})", time_left(left)));
    format!("{connections} in TIME_WAIT{}", left.unwrap_or_default())
}

/// `nothing listens, but connections remain: 2 ESTABLISHED (gunicorn 7003 of dev)`
fn leftover(sockets: &[Socket]) -> String {
    let owners = distinct_owners(sockets);
    let owners: Vec<String> = owners.iter().map(|one| process_and_user(one)).collect();
    let states = states(&sockets.iter().collect::<Vec<_>>());
    let owners = match owners.as_slice() {
        [] => String::new(),
        owners => format!(" ({})", list(owners)),
    };
    format!("nothing listens, but connections remain: {states}{owners}")
}

/// `until they end, 127.0.0.1 and 0.0.0.0 cannot be bound`, for this many connections.
fn until_then(refused: &[IpAddr], count: usize) -> String {
    if refused.is_empty() {
        return "the port can be bound with SO_REUSEADDR, which most servers set".to_owned();
    }
    let until = if count == 1 { "it ends" } else { "they end" };
    let has_reuseaddr = PLATFORM.has_safe_reuseaddr();
    let even = has_reuseaddr.then_some(", even with SO_REUSEADDR");
    let (refused, even) = (list(refused), even.unwrap_or_default());
    format!("until {until}, {refused} cannot be bound{even}")
}

fn unexplained(at: &[SocketAddr], why: WhyUnseen) -> String {
    let addresses = list(at);
    let are = if at.len() == 1 { "is" } else { "are" };
    match why {
        WhyUnseen::UnreadTable => {
            format!("it is unknown what holds {addresses}: not every socket table could be read")
        }
        WhyUnseen::BoundNotShown => format!(
            "{addresses} {are} in use: this socket source shows no sockets that are bound without listening"
        ),
        WhyUnseen::NotKnown => {
            format!("{addresses} {are} in use, but no socket table shows an owner")
        }
    }
}

/// `docker-proxy 812 is left over: docker answers …, so it may be stopped (portmon free 8080)`
fn left_over_proxy(proxy: &Process, engine: Engine, spec: PortSpec) -> String {
    let left_over = left_over(proxy, engine, &port(spec.protocol, spec.port));
    format!(
        "{left_over}, so it may be stopped (portmon free {})",
        spec.to_argument()
    )
}

/// `127.0.0.1:5173 is held by java 812 of ops, [::1]:5173 by vite 9120 of dev; localhost reaches ::1 first`
fn two_localhosts(v4: &Socket, v6: &Socket, localhost: &[IpAddr]) -> String {
    let order = match localhost {
        [] => String::new(),
        [only] => format!("; localhost resolves only to {only}"),
        [first, ..] => format!("; localhost reaches {first} first"),
    };
    let (port, v4, v6) = (v4.port(), owner(v4), owner(v6));
    format!("127.0.0.1:{port} is held by {v4}, [::1]:{port} by {v6}{order}")
}

fn not_running(process: &Process, state: ProcessState) -> String {
    let pid = process.pid();
    let what = match (state, process.parent) {
        (ProcessState::Suspended, _) => {
            format!("is suspended and does not answer (to resume it: kill -CONT {pid})")
        }
        (ProcessState::Traced, _) => "is stopped by a debugger and does not answer".to_owned(),
        (ProcessState::Frozen, _) => {
            "is frozen with its control group and does not answer until that is thawed".to_owned()
        }
        (ProcessState::Uninterruptible, _) => {
            "is in uninterruptible sleep (state D): signals reach it only once it wakes".to_owned()
        }
        (ProcessState::Zombie, Some(parent)) => {
            format!("has exited, but its parent {parent} has not reaped it")
        }
        (ProcessState::Zombie, None) => "has exited and was not reaped".to_owned(),
    };
    format!("{process} {what}")
}
