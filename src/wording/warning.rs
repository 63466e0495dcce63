//! Why a freeing takes more than one key, frees less than expected, or is not permitted.

use super::process::user_of;
use super::{count, holder, place, protected};
use crate::free::{AlsoCloses, NotPermitted, TypingReason, Unseen, Warning};

pub fn typing_reason(reason: &TypingReason) -> String {
    match reason {
        TypingReason::ClosesPorts(number) => format!("closes {number} other ports"),
        TypingReason::OtherUser { first, more: 0 } => {
            format!("{first} belongs to {}", user_of(first))
        }
        TypingReason::OtherUser { first, more } => format!(
            "{first} of {} and {more} more belong to other users",
            user_of(first)
        ),
        TypingReason::Login(process) => format!("{process} is a login on a terminal"),
    }
}

pub fn warning(warning: &Warning) -> String {
    match warning {
        Warning::NotPermitted(denied) => not_permitted_text(denied),
        Warning::StaysHeld(socket) => format!("{} stays held by {}", place(socket), holder(socket)),
        Warning::Protected(owner) => {
            format!(
                "{} is not stopped: it {}",
                owner.process,
                protected(owner.why)
            )
        }
        Warning::Suspended(process) => {
            format!("{process} is suspended: SIGCONT is sent after SIGTERM, SIGINT or SIGHUP")
        }
    }
}

/// `Nothing would be sent for :8080: you may not signal sh 22 of root`
pub fn not_permitted_text(denied: &NotPermitted) -> String {
    let first = denied
        .processes
        .first()
        .map_or_else(String::new, |process| {
            if process.is_foreign(denied.uid) {
                format!("{process} of {}", user_of(process))
            } else {
                process.to_string()
            }
        });
    let whom = match denied.processes.len() {
        1 => first,
        number if number == denied.of => {
            format!("any of these {number} processes, such as {first}")
        }
        number => format!("{number} of these {} processes, such as {first}", denied.of),
    };
    format!(
        "Nothing would be sent for {}: you may not signal {whom}",
        denied.port
    )
}

/// `15 of these 16 belong to other users; what else they hold is unknown`
pub fn unseen_text(unseen: &Unseen) -> String {
    let whose = match unseen.processes.as_slice() {
        [one] if unseen.are_foreign => {
            return format!(
                "{one} belongs to {}; what else it holds is unknown",
                user_of(one)
            );
        }
        [one] => return format!("what else {one} holds is unknown"),
        many if many.len() == unseen.of => format!("all {}", many.len()),
        many => format!("{} of these {}", many.len(), unseen.of),
    };
    if unseen.are_foreign {
        format!("{whose} belong to other users; what else they hold is unknown")
    } else {
        format!("what else {whose} hold is unknown")
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
