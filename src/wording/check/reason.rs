//! A sentence for each reason of a check.

use crate::check::{CheckReport, Findings, LeftoverBind, Reason, distinct_owners};
use crate::model::platform::PLATFORM;
use crate::model::port::PortSpec;
use crate::model::process::{Container, Process, ProcessState};
use crate::model::socket::{Family, Owners, Protocol, Socket, State, TimeWaitLeft};
use crate::wording::{list, place, place_at, port, states, time_left, user};
use std::net::{IpAddr, SocketAddr};

/// Longest command that is shown; the details and the JSON have the rest.
const MAX_COMMAND: usize = 60;

/// A line for each reason, in their order.
pub fn reason_lines(report: &CheckReport) -> Vec<String> {
    let reasons = report.reasons.iter();
    reasons
        .map(|reason| sentence(reason, &report.findings))
        .collect()
}

fn sentence(reason: &Reason, findings: &Findings) -> String {
    match reason {
        Reason::Holder(socket) => holds(socket, findings.is_root),
        Reason::Elsewhere(socket) => {
            format!("on another address: {}", holds(socket, findings.is_root))
        }
        Reason::Client {
            socket,
            is_local,
            more,
        } => client(socket, *is_local, *more),
        Reason::TimeWait { count, bind, left } => {
            format!(
                "{}; {}",
                time_wait(*count, *left),
                leftover_bind(bind, *count)
            )
        }
        Reason::Leftover { sockets, bind } => {
            format!(
                "{}; {}",
                leftover(sockets),
                leftover_bind(bind, sockets.len())
            )
        }
        Reason::Privileged { port, from } => privileged(*port, *from),
        Reason::NoSuchAddress(ip) => format!("{ip} is not an address of this machine"),
        Reason::Failed { at, error } => format!("{at} cannot be bound: {error}"),
        Reason::Unexplained {
            addresses,
            is_unread: true,
        } => format!(
            "what holds {} is unknown: not every socket table could be read",
            list(addresses)
        ),
        Reason::Unexplained { addresses, .. } => {
            let are = if addresses.len() == 1 { "is" } else { "are" };
            let addresses = list(addresses);
            format!("{addresses} {are} in use, but no socket table shows by what")
        }
        Reason::Wildcard { socket, covered } => wildcard(socket, covered),
        Reason::OneFamily { taken, usable } => {
            format!(
                "only {} is taken: {} can be bound",
                family(*taken),
                list(usable)
            )
        }
        Reason::Partly(usable) => format!(
            "only some addresses are taken: {} can be bound",
            list(usable)
        ),
        Reason::TwoLocalhosts { v4, v6, localhost } => two_localhosts(v4, v6, localhost),
        Reason::BacklogFull {
            socket,
            waiting,
            backlog,
        } => format!(
            "backlog of {} is full ({waiting} / {backlog}): new clients time out",
            place(socket)
        ),
        Reason::NotRunning { process, state } => not_running(process, *state),
        Reason::NeedsReuse => {
            "it can be bound only with SO_REUSEADDR, which most servers set".to_owned()
        }
        Reason::Reserved(port) => format!(
            "{port} is in net.ipv4.ip_local_reserved_ports: a program that asks for it gets it, but the system never assigns it"
        ),
        Reason::NoFamily(addresses) => {
            format!(
                "not tried, since this machine lacks them: {}",
                list(addresses)
            )
        }
        Reason::Published(container) => published(container, findings.request.spec),
        Reason::Unread(problem) => format!("could not be read: {problem}"),
    }
}

/// `java 812 of ops listens on *:8080 (java -jar shop.jar, in /srv)`
fn holds(socket: &Socket, is_root: bool) -> String {
    let (owner, place) = (owner(socket), place(socket));
    let holds = match (socket.protocol, socket.state) {
        (Protocol::Udp, _) => format!("is bound to {place}"),
        (Protocol::Tcp, Some(State::Bound)) => {
            format!("is bound to {place} and does not listen")
        }
        (Protocol::Tcp, _) => format!("listens on {place}"),
    };
    let note = match &socket.owners {
        Owners::Known(processes) => processes.first().and_then(|first| command(first)),
        Owners::NoPermission | Owners::Pending if is_root => Some(
            "owner hidden even from root: it may be in another container or belong to the kernel"
                .to_owned(),
        ),
        Owners::NoPermission | Owners::Pending => Some("owner hidden; sudo shows it".to_owned()),
        Owners::NoProcess => None,
    };
    let note = note.map_or_else(String::new, |note| format!(" ({note})"));
    format!("{owner} {holds}{note}")
}

/// `java 812 of ops`, or its user where the owner is hidden.
pub(super) fn owner(socket: &Socket) -> String {
    match (socket.owners.known(), &socket.owners, user(socket)) {
        ([only], ..) => process_and_user(only),
        ([first, ..], ..) => format!(
            "{} (one of {} that share the socket)",
            process_and_user(first),
            socket.owners.known().len()
        ),
        ([], Owners::NoProcess, _) => "the kernel itself".to_owned(),
        ([], _, Some(user)) => format!("a process of {user}"),
        ([], _, None) => "a process".to_owned(),
    }
}

fn process_and_user(process: &Process) -> String {
    match &process.user {
        Some(user) => format!("{process} of {user}"),
        None => process.to_string(),
    }
}

/// `node server.js, in /srv/shop`: the masked command without the path of its program, and its directory.
fn command(process: &Process) -> Option<String> {
    let mut words = process.arguments().into_iter().map(|word| word.to_string());
    let program = words.next()?;
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let words: Vec<String> = std::iter::once(program).chain(words).collect();
    let mut command = words.join(" ");
    if command.chars().count() > MAX_COMMAND {
        let beginning: String = command.chars().take(MAX_COMMAND).collect();
        command = format!("{}…", beginning.trim_end());
    }
    let directory = process.directory.as_ref();
    let directory = directory.map(|directory| format!("in {directory}"));
    let says_more = command != process.name.to_string();
    let parts: Vec<String> = says_more
        .then_some(command)
        .into_iter()
        .chain(directory)
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// `51324 is the local port of chrome 942's connection to :3000 and of 1 more connection`
fn client(socket: &Socket, is_local: bool, more: usize) -> String {
    let client = match socket.owners.first() {
        Some(process) => process.to_string(),
        None => owner(socket),
    };
    let to = match socket.remote {
        Some(remote) if is_local => format!(" to :{}", remote.port()),
        Some(remote) => format!(" to {remote}"),
        None => String::new(),
    };
    let more = match more {
        0 => String::new(),
        1 => " and of 1 more connection".to_owned(),
        more => format!(" and of {more} more connections"),
    };
    let port = socket.port();
    format!("{port} is the local port of {client}'s connection{to}{more}")
}

/// `12 connections are in TIME_WAIT, the last for 48 s`
fn time_wait(count: usize, left: Option<TimeWaitLeft>) -> String {
    let connections = match count {
        1 => "1 connection is in TIME_WAIT".to_owned(),
        count => format!("{count} connections are in TIME_WAIT"),
    };
    match (left.map(time_left), count) {
        (None, _) => connections,
        (Some(left), 1) => format!("{connections} for {left}"),
        (Some(left), _) => format!("{connections}, the last for {left}"),
    }
}

/// `nobody listens, but connections are left: 2 ESTABLISHED of gunicorn 7003 of dev`
fn leftover(sockets: &[Socket]) -> String {
    let owners = distinct_owners(sockets);
    let owners: Vec<String> = owners.iter().map(|one| process_and_user(one)).collect();
    let states = states(&sockets.iter().collect::<Vec<_>>());
    if owners.is_empty() {
        format!("nobody listens, but connections are left: {states}")
    } else {
        let owners = list(&owners);
        format!("nobody listens, but connections are left: {states} of {owners}")
    }
}

/// `until it ends 127.0.0.1 and 0.0.0.0 cannot be bound`, for this many connections.
fn leftover_bind(bind: &LeftoverBind, count: usize) -> String {
    let refused = match bind {
        LeftoverBind::OnlyWithReuseAddr => {
            return "the port can be bound with SO_REUSEADDR, which most servers set".to_owned();
        }
        LeftoverBind::Refused(refused) => list(refused),
    };
    let until = if count == 1 { "it ends" } else { "they end" };
    let even = if PLATFORM.has_safe_reuseaddr() {
        ", not even with SO_REUSEADDR"
    } else {
        ""
    };
    format!("until {until} {refused} cannot be bound{even}")
}

fn privileged(port: u16, from: Option<u16>) -> String {
    match from.filter(|from| port < *from) {
        Some(from) => format!(
            "you are not permitted to bind ports below {from} (net.ipv4.ip_unprivileged_port_start): root or CAP_NET_BIND_SERVICE may"
        ),
        None => "the system does not permit you to bind it".to_owned(),
    }
}

/// `0.0.0.0 covers every IPv4 address, also 127.0.0.1:3000`
fn wildcard(socket: &Socket, covered: &[SocketAddr]) -> String {
    let all = socket.local_address();
    let every = match (socket.is_dual_stack(), socket.local.is_ipv4()) {
        (true, _) => "IPv4 and IPv6",
        (false, true) => "IPv4",
        (false, false) => "IPv6",
    };
    let covered = covered.iter().map(|at| place_at(socket.protocol, *at));
    let covered = list(&covered.collect::<Vec<_>>());
    format!("{all} covers every {every} address, also {covered}")
}

fn family(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "IPv4",
        Family::Ipv6 => "IPv6",
    }
}

/// `127.0.0.1:5173 is java 812 of ops, ::1:5173 is vite 9120 of dev; localhost reaches ::1 first`
fn two_localhosts(v4: &Socket, v6: &Socket, localhost: &[IpAddr]) -> String {
    let order = match localhost {
        [] => String::new(),
        [only] => format!("; localhost is {only} only"),
        [first, ..] => format!("; localhost reaches {first} first"),
    };
    let (port, v4, v6) = (v4.port(), owner(v4), owner(v6));
    format!("127.0.0.1:{port} is {v4}, ::1:{port} is {v6}{order}")
}

fn not_running(process: &Process, state: ProcessState) -> String {
    match (state, process.parent) {
        (ProcessState::Suspended, _) => {
            let pid = process.pid();
            format!("{process} is suspended and does not answer (kill -CONT {pid} resumes it)")
        }
        (ProcessState::Traced, _) => {
            format!("{process} is stopped by a debugger and does not answer")
        }
        (ProcessState::Uninterruptible, _) => {
            format!("{process} is in an uninterruptible wait, so no signal reaches it now")
        }
        (ProcessState::Zombie, Some(parent)) => {
            format!("{process} has exited, but its parent {parent} has not reaped it")
        }
        (ProcessState::Zombie, None) => format!("{process} has exited and was not reaped"),
    }
}

/// `docker shop-db-1 publishes :8080, so connections go into the container (docker stop shop-db-1)`
fn published(container: &Container, spec: PortSpec) -> String {
    let port = port(spec.protocol, spec.port);
    let stop = container.stop_command();
    let stop = stop.map_or_else(String::new, |command| format!(" ({command})"));
    format!("{container} publishes {port}, so connections go into the container{stop}")
}
