//! Why a freeing takes more than one key, frees less than expected, or is not permitted.

use super::process::{survival, user_of};
use super::{alternatives, count, owners, place, protected, unproved};
use crate::free::{
    AlsoCloses, Confirmation, NotPermitted, SurvivalReason, TypingReason, Unseen, Warning,
};
use crate::model::process::{Engine, LoginKind, Process};
use std::time::Duration;

pub fn typing_reason(reason: &TypingReason) -> String {
    match reason {
        TypingReason::ClosesPorts(number) => format!("closes {number} other ports"),
        TypingReason::OtherUser { first, more: 0 } => belongs(first),
        TypingReason::OtherUser { first, more } => format!(
            "{first} of {} and {more} more belong to other users",
            user_of(first)
        ),
        TypingReason::Login(process, kind) => login(process, *kind),
    }
}

/// `mosh-server 812 carries the login of dev, which ends with it`
fn login(process: &Process, kind: LoginKind) -> String {
    match kind {
        LoginKind::Terminal => format!("{process} is a login on a terminal"),
        LoginKind::Session => {
            let user = user_of(process);
            format!("{process} carries a login of {user}, which ends with it")
        }
        LoginKind::Multiplexer => format!("{process} keeps terminal sessions, which end with it"),
        LoginKind::Desktop => format!("{process} runs a desktop session, which ends with it"),
    }
}

/// `java 812 belongs to ops`
fn belongs(process: &Process) -> String {
    format!("{process} belongs to {}", user_of(process))
}

/// `Type 3000, then Enter, to confirm: 30_`; `None` where a key is enough.
pub fn type_to_confirm(confirmation: &Confirmation, typed: &str) -> Option<String> {
    let what = match confirmation {
        Confirmation::Key => return None,
        Confirmation::TypePort { port, .. } => port.to_string(),
        Confirmation::TypePid { pids, .. } => format!("the pid {}", alternatives(pids)),
    };
    Some(format!("Type {what}, then Enter, to confirm: {typed}_"))
}

pub fn warning(warning: &Warning) -> String {
    match warning {
        Warning::NotPermitted(denied) => not_permitted_text(denied),
        Warning::StaysHeld(socket) => format!("{} stays held by {}", place(socket), owners(socket)),
        Warning::LeftOver(process, engine, port) => left_over(process, *engine, &port.to_string()),
        Warning::Protected(process, why) => {
            format!("{process} is not stopped: it {}", protected(*why))
        }
        Warning::Unproved(port, candidates) => unproved(candidates, port),
        Warning::Resumed(process, signal) => {
            format!("{process} is suspended: SIGCONT is sent after {signal}")
        }
        Warning::Survives(process, signal, SurvivalReason::Traced(by)) => {
            format!("{process} is traced by process {by}, which may withhold {signal}")
        }
        Warning::Survives(process, signal, reason) => {
            format!("{process} {}", survival(*reason, *signal, Duration::ZERO))
        }
    }
}

/// `docker-proxy 812 is left over: docker answers that no running container publishes :8080`
pub(super) fn left_over(process: &Process, engine: Engine, port: &str) -> String {
    format!("{process} is left over: {engine} answers that no running container publishes {port}")
}

/// `Nothing would be sent for :8080: you are not permitted to signal sh 22 of root`
pub fn not_permitted_text(denied: &NotPermitted) -> String {
    let NotPermitted {
        port,
        processes,
        of,
        uid,
    } = denied;
    let first = processes.first().map(|process| {
        let is_foreign = process.is_foreign(*uid);
        let user = is_foreign.then(|| format!(" of {}", user_of(process)));
        format!("{process}{}", user.unwrap_or_default())
    });
    let first = first.unwrap_or_default();
    let whom = match processes.len() {
        1 => first,
        number if number == *of => format!("any of these {number} processes, including {first}"),
        number => format!("{number} of these {of} processes, including {first}"),
    };
    format!("Nothing would be sent for {port}: you are not permitted to signal {whom}")
}

/// `15 of these 16 belong to other users; what else they hold is unknown`
pub fn unseen_text(unseen: &Unseen) -> String {
    let Unseen {
        processes,
        of,
        are_foreign,
    } = unseen;
    let they_hold = "what else they hold is unknown";
    match (processes.as_slice(), are_foreign) {
        ([one], true) => format!("{}; what else it holds is unknown", belongs(one)),
        ([one], false) => format!("what else {one} holds is unknown"),
        (all, false) if all.len() == *of => they_hold.to_owned(),
        ([_, _], true) if *of == 2 => format!("both belong to other users; {they_hold}"),
        (all, true) if all.len() == *of => format!("all {of} belong to other users; {they_hold}"),
        (some, true) => format!(
            "{} of these {of} belong to other users; {they_hold}",
            some.len()
        ),
        (some, false) => format!("what else {} of these {of} hold is unknown", some.len()),
    }
}

/// Returns why it is unknown what else closes: `the owners of 3 other sockets are still being looked up`
pub fn unknown_text(closes: &AlsoCloses) -> Option<String> {
    let pending = || {
        let sockets = count(closes.pending, "other socket");
        (closes.pending > 0).then(|| format!("the owners of {sockets} are still being looked up"))
    };
    closes.unseen.as_ref().map(unseen_text).or_else(pending)
}
