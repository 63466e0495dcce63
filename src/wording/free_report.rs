//! Sentences of `portmon free`: what it asks, and what became of each port.

use super::number::grouped;
use super::process::protected;
use super::socket::{owners_hold, owners_with};
use super::{
    alternatives, bind_result, count, count_states, doubt, explanation_lines, explanation_title,
    list, next_commands, not_permitted_text, signal_error, suffix, time_left_roughly, unseen,
    unseen_text, verdict, warning,
};
use crate::free::{
    Conclusion, DryRun, Explanation, FreeReport, PortPlan, Refusal, RelativeObstacle, Unproved,
    Verdict, Warning,
};
use crate::model::port::{Availability, BindResult, Holding, PortRange, PortSpec};
use crate::model::process::{Pid, Process, Signal};
use crate::model::socket::State;
use crate::model::text::escaped;
use std::net::IpAddr;
use std::sync::Arc;

/// Returns what became of a port, on one line.
pub fn free_report(report: &FreeReport) -> String {
    let port = report.spec;
    match &report.conclusion {
        Conclusion::NotHeld { availability, left } => not_held(port, availability, left),
        Conclusion::StillHeld(socket) => {
            let (holds, address) = (owners_hold(socket), socket.local_address());
            let held = format!("{port} is STILL HELD: {holds} it on {address}");
            if port.matches(socket) {
                return held;
            }
            let all = port.on_all_addresses().to_argument();
            format!("{held}; to free every address: portmon free {all}")
        }
        Conclusion::HeldByConnection(socket) => {
            let to = socket.remote_end();
            let to = to.map_or_else(String::new, |to| {
                format!(" to {to}{}", suffix(port.protocol))
            });
            let use_it = owners_with(socket, ["uses it", "use it"]);
            format!(
                "{port} is STILL HELD: nothing listens on it, but {use_it} for a connection{to}; portmon does not close \
                 connections"
            )
        }
        Conclusion::TimeWait { states, left } => {
            let (states, left) = (count_states(states), left.map(time_left_roughly));
            let left = left.map_or_else(String::new, |left| format!(" for {left}"));
            format!("{port} is STILL HELD: no process holds it; the kernel keeps {states}{left}")
        }
        Conclusion::Explained {
            explanation,
            unused,
        } => explained(explanation, *unused),
        Conclusion::Unproved {
            explanation,
            candidates,
            unused,
        } => unproved_owner(port, explanation, candidates, *unused),
        Conclusion::Freed(Some(verdict)) => freed(report, verdict),
        Conclusion::Freed(None) => {
            format!("It is unknown whether {port} is free: watching was interrupted")
        }
        Conclusion::Interrupted { was_free } => interrupted(port, &report.signalled, *was_free),
        Conclusion::Outdated { error, now } => {
            let now = match now {
                Ok(now) => free_report(now),
                Err(problem) => format!("The current owner is unknown: cannot read {problem}."),
            };
            format!("Nothing sent: {}. {now}", signal_error(error))
        }
        Conclusion::Refused(why) => format!("Nothing sent for {port}: {}.", refusal(why)),
        Conclusion::DryRun(would) => dry_run(port, would),
    }
}

/// `Interrupted: SIGTERM was sent to node 4242; whether :3000 is free is not known. Try: portmon check 3000`
fn interrupted(port: PortSpec, signaled: &[(Arc<Process>, Signal)], was_free: bool) -> String {
    let groups = grouped(signaled, |(_, signal)| *signal).into_iter();
    let sent = groups.map(|(signal, sent)| {
        let processes: Vec<_> = sent.iter().map(|(process, _)| process).collect();
        format!("{signal} was sent to {}", list(&processes))
    });
    let sent: Vec<String> = sent.collect();
    let sent = if sent.is_empty() {
        "nothing was sent".to_owned()
    } else {
        sent.join(", ")
    };
    let unknown = if was_free {
        format!("{port} was free just now; whether it stays free is not known")
    } else {
        format!("whether {port} is free is not known")
    };
    format!(
        "Interrupted: {sent}; {unknown}. Try: portmon check {}",
        port.to_argument()
    )
}

fn not_held(port: PortSpec, availability: &Availability, left: &[Option<State>]) -> String {
    let left = match count_states(left) {
        left if left.is_empty() => left,
        left => format!(" ({left})"),
    };
    let free = format!("{port} is free: nothing holds it");
    match availability {
        Availability::Usable => free,
        Availability::OnlyWithReuseAddr => {
            format!("{free}, but it can be bound only with SO_REUSEADDR{left}")
        }
        Availability::NotPermitted => {
            let known = "so this is known only from the socket tables";
            format!("{free}. You are not permitted to bind it, {known}.")
        }
        Availability::NoSuchAddress => {
            format!("{port} cannot be bound: this machine has no such address{left}")
        }
        Availability::Held(Holding::Unseen(why)) => {
            format!("{port} is STILL HELD by {}{left}", unseen(*why))
        }
        Availability::Held(Holding::Socket | Holding::Connections) => {
            let why = bind_result(&BindResult::InUse);
            format!("{port} is STILL HELD: a bind fails ({why}){left}")
        }
        Availability::Unknown(why) => {
            format!("It is unknown whether {port} is free: {}{left}", doubt(why))
        }
    }
}

fn dry_run(port: PortSpec, would: &DryRun) -> String {
    let mut parts = match &would.targets {
        Err(denied) => vec![not_permitted_text(denied)],
        Ok(targets) => {
            let (signal, targets) = (would.signal, list(targets));
            let sent = format!("Dry run for {port}: would send {signal} to {targets}");
            let resumed = would.resumed.iter();
            let resumed = resumed.map(|one| warning(&Warning::Resumed(Arc::clone(one), signal)));
            let kept = would.stays_held.iter().map(warning);
            std::iter::once(sent).chain(resumed).chain(kept).collect()
        }
    };
    parts.extend(would.unseen.as_ref().map(unseen_text));
    parts.join("; ")
}

/// Puts the command to run instead last, so that nothing behind it is copied with it.
fn explained(explanation: &Explanation, unused: Option<u16>) -> String {
    let command = explanation.command();
    let command = command.map(|command| format!("Try: {}", escaped(&command)));
    let mut sentences = sentences(explanation, unused);
    sentences.extend(command);
    sentences.join(" ")
}

fn sentences(explanation: &Explanation, unused: Option<u16>) -> Vec<String> {
    let sentence = |line: String| {
        let is_complete = line.ends_with(['.', ':']);
        if is_complete { line } else { line + "." }
    };
    let title = explanation_title(explanation);
    let lines = explanation_lines(explanation, unused).into_iter();
    std::iter::once(title).chain(lines).map(sentence).collect()
}

/// Puts last the command that asks for the pid: `… --yes does not cover this, nor does --group …: at a terminal, type
/// 4242 to confirm. Try: portmon free 8080`
fn unproved_owner(
    port: PortSpec,
    explanation: &Explanation,
    candidates: &[Arc<Process>],
    unused: Option<u16>,
) -> String {
    let pids: Vec<Pid> = candidates.iter().map(|process| process.pid()).collect();
    let sentences = sentences(explanation, unused).join(" ");
    let (pids, target) = (alternatives(&pids), port.to_argument());
    format!(
        "{sentences} --yes does not cover this, nor does --all-holders, --group, or --parent: at a terminal, type {pids} to \
         confirm. Try: portmon free {target}"
    )
}

/// Adds the commands that do what keys do in the monitor.
fn freed(report: &FreeReport, of: &Verdict) -> String {
    let steps = next_commands(report.spec, &of.kind, &report.next_steps, report.choice);
    let words = verdict(of);
    // The end of a sentence would read as the end of the report.
    let words = if steps.is_empty() {
        &*words
    } else {
        words.trim_end_matches('.')
    };
    let parts: Vec<&str> = std::iter::once(words)
        .chain(steps.iter().map(String::as_str))
        .collect();
    parts.join("; ")
}

fn refusal(why: &Refusal) -> String {
    match why {
        Refusal::NoGroup(obstacle) => {
            relative_obstacle("its process group", "its process group contains", obstacle)
        }
        Refusal::NoParent(obstacle) => relative_obstacle("its parent", "its parent is", obstacle),
        Refusal::NotConfirmed => "not confirmed".to_owned(),
        Refusal::WrongCount { agreed, count: of } => {
            let ports = count(*of, "port");
            format!("--yes={agreed} does not match the number of ports: {ports} would be freed")
        }
        Refusal::NeedsCount(count) => format!("a range needs a port count: --yes={count}"),
        Refusal::NoTerminal { count } => {
            let count = count.map_or_else(String::new, |count| format!("={count}"));
            format!("no terminal to ask on; use --yes{count} to skip the question")
        }
    }
}

/// `its parent is bash 812, which leads the session of a terminal`
fn relative_obstacle(what: &str, verb: &str, obstacle: &RelativeObstacle) -> String {
    match obstacle {
        RelativeObstacle::Unknown => format!("{what} is unknown"),
        RelativeObstacle::FirstProcess => format!("{verb} process 1, which is never signaled"),
        RelativeObstacle::Protected(process, why) => {
            format!("{verb} {process}, which {}", protected(*why))
        }
        RelativeObstacle::Login(process) => {
            format!("{verb} {process}, which leads the session of a terminal")
        }
        RelativeObstacle::MainProcess(process) => {
            format!("{verb} {process}, the main process of its service")
        }
    }
}

/// `Send SIGTERM to node 4242 to free :3000? [y/N] `
pub fn free_question(plan: &PortPlan) -> String {
    let (port, signal, targets) = (plan.spec, plan.signal, list(&plan.processes()));
    format!("Send {signal} to {targets} to free {port}? [y/N] ")
}

/// Asks for more than a single key.
pub fn typed_question(port: PortSpec) -> String {
    format!("To free {port}, type {}: ", port.port)
}

/// Asks for the pid of a candidate, of which it is not proved that it holds the port.
pub fn pid_question(port: PortSpec, unproved: &Unproved, candidates: &[Arc<Process>]) -> String {
    let pids: Vec<Pid> = candidates.iter().map(|process| process.pid()).collect();
    let (unproved, pids) = (super::unproved(unproved, port), alternatives(&pids));
    let which = match candidates {
        [_] => "it",
        _ => "one of them",
    };
    format!("{unproved}.\nTo stop {which} all the same, type its pid, {pids}: ")
}

pub fn count_question(ports: usize) -> String {
    format!("To free {}, type {ports}: ", count(ports, "port"))
}

/// Returns what is shown until the verdicts are known.
pub fn watching(ports: &[PortSpec]) -> String {
    format!("watching {}", list(ports))
}

/// Describes a range of which no port is held.
pub fn empty_range(range: &PortRange) -> String {
    format!("{range} is free: nothing listens on or is bound to any of its ports")
}

/// Describes a target with an address that this machine does not have.
pub fn foreign_address(target: &PortRange, address: IpAddr) -> String {
    format!(
        "{target}: this machine has no address {address} (omit it to free the port on all addresses)"
    )
}

/// Describes a port that is named with two addresses.
pub fn two_addresses([one, other]: [PortSpec; 2]) -> String {
    format!(
        "{one} and {other} are the same port on different addresses: free one at a time, or {} for all addresses",
        one.on_all_addresses().to_argument()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::free::{FreeReport, Protected, SignalError};
    use crate::model::port::{Doubt, WhyUnseen};
    use crate::model::snapshot::Problem;
    use crate::model::socket::{Family, Protocol, TimeWaitLeft};
    use crate::model::testing::{process, socket};
    use std::sync::Arc;
    use std::time::Duration;

    fn spec(text: &str) -> PortSpec {
        text.parse().expect(text)
    }

    fn text(port: &str, conclusion: Conclusion) -> String {
        free_report(&FreeReport::new(spec(port), conclusion, Vec::new()))
    }

    #[test]
    fn an_unowned_port_is_described_by_its_bind_and_sockets() {
        use Availability::{Held, NoSuchAddress, NotPermitted, OnlyWithReuseAddr, Unknown, Usable};
        let java = process(812, "java").build();
        let wildcard = Box::new(socket("0.0.0.0:5432").owner(&java).build());
        let client = socket("127.0.0.1:51324").to("127.0.0.1:3000");
        let client = Box::new(client.owner(&java).build());
        let states = vec![Some(State::TimeWait)];
        let left = Some(TimeWaitLeft::AtMost(Duration::from_mins(1)));
        let not_held = |availability, left| Conclusion::NotHeld { availability, left };
        let availability = Unknown(Doubt::BindFailed("odd".to_owned()));
        let unseen = |why| not_held(Held(Holding::Unseen(why)), vec![]);
        let sentences = [
            text("3000", not_held(Usable, vec![])),
            text("80", not_held(NotPermitted, vec![])),
            text("127.0.0.9:80", not_held(NoSuchAddress, vec![])),
            text("8080", not_held(OnlyWithReuseAddr, states.clone())),
            text("8080", Conclusion::TimeWait { states, left }),
            text("51324", Conclusion::HeldByConnection(client)),
            text("127.0.0.1:5432", Conclusion::StillHeld(wildcard.clone())),
            text(
                "3000/udp",
                Conclusion::NotHeld {
                    availability,
                    left: vec![None],
                },
            ),
            text("3000", unseen(WhyUnseen::NotKnown)),
            text("3000", unseen(WhyUnseen::BoundNotShown)),
            text(
                "81",
                not_held(
                    Unknown(Doubt::NotPermitted(WhyUnseen::BoundNotShown)),
                    vec![],
                ),
            ),
            text("5432", Conclusion::StillHeld(wildcard)),
        ];
        insta::assert_snapshot!(sentences.join("\n"), @r"
        :3000 is free: nothing holds it
        :80 is free: nothing holds it. You are not permitted to bind it, so this is known only from the socket tables.
        127.0.0.9:80 cannot be bound: this machine has no such address
        :8080 is free: nothing holds it, but it can be bound only with SO_REUSEADDR (1 TIME_WAIT)
        :8080 is STILL HELD: no process holds it; the kernel keeps 1 TIME_WAIT for at most 60 s
        :51324 is STILL HELD: nothing listens on it, but java 812 uses it for a connection to 127.0.0.1:3000; portmon does not close connections
        127.0.0.1:5432 is STILL HELD: java 812 holds it on 0.0.0.0; to free every address: portmon free 5432
        It is unknown whether :3000/udp is free: a bind fails: odd (1 socket)
        :3000 is STILL HELD by something not in any socket table
        :3000 is STILL HELD by something that this socket source does not show (a bound socket)
        It is unknown whether :81 is free: you are not permitted to bind it, and this socket source does not show bound sockets
        :5432 is STILL HELD: java 812 holds it on 0.0.0.0
        ");
    }

    #[test]
    fn what_was_not_sent_is_shown_with_the_reason() {
        let (java, count) = (process(812, "java").build(), Some(3));
        let refusals = [
            Refusal::NoGroup(RelativeObstacle::Unknown),
            Refusal::NoGroup(RelativeObstacle::Protected(
                Arc::clone(&java),
                Protected::Ancestor,
            )),
            Refusal::NoParent(RelativeObstacle::FirstProcess),
            Refusal::NoParent(RelativeObstacle::Login(Arc::clone(&java))),
            Refusal::NoParent(RelativeObstacle::MainProcess(Arc::clone(&java))),
            Refusal::NotConfirmed,
            Refusal::WrongCount {
                agreed: 3,
                count: 1,
            },
            Refusal::NeedsCount(2),
            Refusal::NoTerminal { count: None },
            Refusal::NoTerminal { count },
        ];
        let refused = refusals.map(|why| text("3000", Conclusion::Refused(why)));
        let error = SignalError::AlreadyExited(Arc::clone(&java));
        let held = Conclusion::StillHeld(Box::new(socket("0.0.0.0:3000").owner(&java).build()));
        let held = FreeReport::new(spec("3000"), held, Vec::new());
        let unread = Problem {
            protocol: Protocol::Tcp,
            family: Family::Ipv6,
            reason: "out of memory".to_owned(),
        };
        let outdated = [Ok(Box::new(held)), Err(unread)].map(|now| {
            let error = error.clone();
            text("3000", Conclusion::Outdated { error, now })
        });
        let all = [
            &refused[..],
            &outdated,
            &[text("3000", Conclusion::Freed(None))],
        ]
        .concat();
        insta::assert_snapshot!(all.join("\n"), @r"
        Nothing sent for :3000: its process group is unknown.
        Nothing sent for :3000: its process group contains java 812, which is an ancestor of portmon, and stopping it could end portmon.
        Nothing sent for :3000: its parent is process 1, which is never signaled.
        Nothing sent for :3000: its parent is java 812, which leads the session of a terminal.
        Nothing sent for :3000: its parent is java 812, the main process of its service.
        Nothing sent for :3000: not confirmed.
        Nothing sent for :3000: --yes=3 does not match the number of ports: 1 port would be freed.
        Nothing sent for :3000: a range needs a port count: --yes=2.
        Nothing sent for :3000: no terminal to ask on; use --yes to skip the question.
        Nothing sent for :3000: no terminal to ask on; use --yes=3 to skip the question.
        Nothing sent: java 812 has already exited. :3000 is STILL HELD: java 812 holds it on 0.0.0.0
        Nothing sent: java 812 has already exited. The current owner is unknown: cannot read tcp6 sockets: out of memory.
        It is unknown whether :3000 is free: watching was interrupted
        ");
    }

    #[test]
    fn a_question_names_the_port_and_what_to_type() {
        let unproved = Unproved {
            candidates: vec![process(4242, "su").build()],
            others: 12,
        };
        let questions = [
            typed_question(spec("[::1]:80")),
            count_question(1),
            count_question(3),
            pid_question(spec("80"), &unproved, &unproved.candidates),
        ];
        let expected = [
            "To free [::1]:80, type 80: ",
            "To free 1 port, type 1: ",
            "To free 3 ports, type 3: ",
            "portmon cannot prove that su 4242 holds :80, and not one of 12 others that you may not signal: their descriptors are not readable.\nTo stop it all the same, type its pid, 4242: ",
        ];
        assert_eq!(questions, expected);
        let both = ["127.0.0.1:3000", "[::1]:3000"].map(spec);
        assert_eq!(
            two_addresses(both),
            "127.0.0.1:3000 and [::1]:3000 are the same port on different addresses: free one at a time, or 3000 for all addresses"
        );
    }
}
