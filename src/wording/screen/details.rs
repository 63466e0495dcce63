//! Lines of the details of a socket: its traffic, its owners, and what is known of its port.

use crate::model::Moment;
use crate::model::port::{EphemeralRange, PortClass};
use crate::model::process::{Container, Process, ProcessState, RunState, SocketCandidates, Unit};
use crate::model::socket::{
    ByteRates, ProcessUsage, Protocol, Since, Socket, SocketQueue, TcpCounters,
};
use crate::model::text::escaped;
use crate::wording::{
    alternatives, bytes, candidate_names, duration, joined, latency, one_of_many, percent,
    process_and_thread, unreadable,
};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

pub const UNKNOWN_V6ONLY: &str = "unknown whether it also accepts IPv4";

pub fn shared_port(port: u16) -> String {
    format!("another process holds {port} on another local address")
}

/// `registered (IANA) · ephemeral on this machine (32768–60999)`
pub fn port_range(port: u16, ephemeral: EphemeralRange) -> String {
    let class = PortClass::of(port).name();
    if ephemeral.contains(port) {
        format!("{class} (IANA) · ephemeral on this machine ({ephemeral})")
    } else {
        format!("{class} (IANA)")
    }
}

/// `opened 62 s ago`
pub fn seen(since: Since, now: Moment) -> String {
    let ago = |at| duration(now.instant.saturating_duration_since(at));
    match since {
        Since::Opened(at) => format!("opened {} ago", ago(at)),
        Since::Initial(at) => format!("open before portmon started ({} ago)", ago(at)),
    }
}

/// The addresses of a socket on one address or interface: `10.0.0.1:80`, `10.77.0.1:80 through v0`.
pub fn reachable_at(socket: &Socket) -> String {
    let Some(interface) = socket.interface.as_ref() else {
        return socket.local_end();
    };
    if !socket.local.ip().is_unspecified() {
        return socket.local_end();
    }
    let takes = |ip: &&IpAddr| socket.covers(**ip) && !is_link_local(**ip);
    let addresses = interface.addresses.iter().filter(takes);
    let addresses: Vec<SocketAddr> = addresses
        .map(|ip| SocketAddr::new(*ip, socket.port()))
        .collect();
    match addresses.as_slice() {
        [] => format!("through {interface} only"),
        addresses => format!("{} through {interface} only", joined(addresses, "  ")),
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

pub fn reachable(addresses: &[SocketAddr]) -> String {
    if addresses.is_empty() {
        "this machine only (it has no non-loopback address)".to_owned()
    } else {
        joined(addresses, "  ")
    }
}

/// `1 from chrome 942, 2 from 10.0.0.7`
pub fn clients(counts: &BTreeMap<String, usize>) -> String {
    if counts.is_empty() {
        return "none".to_owned();
    }
    let clients = counts
        .iter()
        .map(|(name, count)| format!("{count} from {name}"));
    joined(&clients.collect::<Vec<_>>(), ", ")
}

/// `node 4242 · user dev · on pts/4`, `python3 4083 (worker0) · user dev`
pub fn process_with_user(process: &Process) -> String {
    let user = process.user.as_ref().map(|user| format!(" · user {user}"));
    let terminal = process
        .terminal
        .as_ref()
        .map(|terminal| format!(" · on {terminal}"));
    format!(
        "{}{}{}",
        process_and_thread(process),
        user.unwrap_or_default(),
        terminal.unwrap_or_default()
    )
}

/// `frozen with its control group · first process of its PID namespace, as a container's init is`
pub fn run_state(of: &RunState) -> String {
    let state = of.state.map(|state| match state {
        ProcessState::Suspended => {
            format!("suspended (to resume it: kill -CONT {})", of.process.pid)
        }
        ProcessState::Traced => "stopped by a debugger".to_owned(),
        ProcessState::Frozen => "frozen with its control group".to_owned(),
        ProcessState::Uninterruptible => "in uninterruptible sleep (state D)".to_owned(),
        ProcessState::Zombie => "exited and not reaped".to_owned(),
    });
    let tracer = of.tracer.map(|by| format!("traced by process {by}"));
    let init = of.is_namespace_init.then(|| {
        let drops = (!of.drops.is_empty())
            .then(|| format!(", has no handler for {}", alternatives(&of.drops)));
        let drops = drops.unwrap_or_default();
        format!("first process of its PID namespace, as a container's init is{drops}")
    });
    let parts: Vec<String> = [state, tracer, init].into_iter().flatten().collect();
    joined(&parts, " · ")
}

/// `2026-01-31T09:00:00Z · up 62 s`, without `up` for a process that has ended.
pub fn started(at: SystemTime, now: Option<Moment>) -> String {
    let time = jiff::Timestamp::try_from(at).map(|at| format!("{at:.0}"));
    let up = now.map(|now| format!(" · up {}", duration(now.since(at))));
    time.unwrap_or_default() + &up.unwrap_or_default()
}

/// A label and who may own the socket: `probably`, `webserver 4242 · its descriptors are not readable`
pub fn candidates(candidates: &SocketCandidates) -> (&'static str, String) {
    if !candidates.are_few() {
        return ("possibly", one_of_many(candidates));
    }
    let names = candidate_names(candidates);
    let unreadable = unreadable(&candidates.processes, candidates.others);
    ("probably", format!("{names} · {unreadable}"))
}

pub fn pending_owner(is_closed: bool) -> &'static str {
    if is_closed {
        "closed before it was looked up"
    } else {
        "still being looked up"
    }
}

/// `shop.service (user) · main process 4242 · Restart=always · started by shop.socket`
pub fn unit_details(unit: &Unit) -> String {
    let main = unit.main.map(|pid| format!("main process {pid}"));
    let restart = unit.restart.as_ref();
    let restart = restart.map(|when| format!("Restart={}", escaped(when)));
    let names = [
        ("started by", &unit.triggered_by),
        ("starts", &unit.triggers),
    ];
    let names = names.into_iter().filter(|(_, names)| !names.is_empty());
    let names = names.map(|(verb, names)| format!("{verb} {}", joined(names, ", ")));
    let parts = [Some(unit.to_string()), main, restart]
        .into_iter()
        .flatten();
    joined(&parts.chain(names).collect::<Vec<_>>(), " · ")
}

/// `docker shop-db-1 · 0.0.0.0:15432->5432/tcp, [::]:15432->5432/tcp`
pub fn container_details(container: &Container) -> String {
    match container.published.as_slice() {
        [] => container.to_string(),
        ports => format!("{container} · {}", joined(ports, ", ")),
    }
}

/// `↑ 1.2 MB/s  ↓ 340 B/s · sent 12 MB, received 3.4 MB`, or `idle for 12 s · …`
pub fn traffic(flow: TcpCounters, rates: Option<ByteRates>) -> String {
    let totals = format!(
        "sent {}, received {}",
        bytes(flow.sent),
        bytes(flow.received)
    );
    let idle = flow.idle_sent.min(flow.idle_received);
    let is_idle = idle >= Duration::from_secs(1);
    match rates {
        Some(ByteRates { sent, received }) if sent > 0 || received > 0 || !is_idle => {
            let (sent, received) = (bytes(sent), bytes(received));
            format!("↑ {sent}/s  ↓ {received}/s · {totals}")
        }
        _ if is_idle => format!("idle for {} · {totals}", duration(idle)),
        _ => totals,
    }
}

/// `round trip 1.3 ms · 2 retransmits`; a round trip of zero is not measured yet.
pub fn path(flow: TcpCounters) -> String {
    let retransmits = match flow.retransmits {
        0 => "no retransmits".to_owned(),
        1 => "1 retransmit".to_owned(),
        number => format!("{number} retransmits"),
    };
    if flow.rtt.is_zero() {
        retransmits
    } else {
        format!("round trip {} · {retransmits}", latency(flow.rtt))
    }
}

/// `backlog 6 / 5 · full: new clients time out`, or the bytes in the buffers of a socket with data.
pub fn queue(socket: &Socket, queue: SocketQueue) -> Option<String> {
    let SocketQueue { incoming, outgoing } = queue;
    if socket.is_listening() {
        // The kernel accepts one more than the backlog (sk_acceptq_is_full in include/net/sock.h), then drops
        // connections, which the clients retry until they give up.
        let is_full = incoming > outgoing;
        let full = if is_full {
            " · full: new clients time out"
        } else {
            ""
        };
        return Some(format!("backlog {incoming} / {outgoing}{full}"));
    }
    let unsent = match socket.protocol {
        Protocol::Udp => "unsent",
        Protocol::Tcp if socket.counts_traffic() => "unacknowledged",
        Protocol::Tcp => return None,
    };
    let (unread, waiting) = (bytes(incoming.into()), bytes(outgoing.into()));
    Some(format!("unread {unread} · {unsent} {waiting}"))
}

/// `2.3 % CPU · 45 MB memory`, in percent of one core.
pub fn usage(usage: ProcessUsage, share: Option<u64>) -> String {
    let share = share.map(|share| format!("{} CPU · ", percent(share)));
    format!(
        "{}{} memory",
        share.unwrap_or_default(),
        bytes(usage.memory)
    )
}

#[cfg(test)]
mod tests;
