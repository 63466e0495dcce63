//! Notices: what a key did, or why it did nothing.

use crate::free::{Batch, FreeMachine};
use crate::model::port::PortSpec;
use crate::model::socket::Owners;
use crate::wording::{alternatives, cause, interval, verdict};
use std::net::SocketAddr;
use std::time::Duration;

pub const CANCELED: &str = "canceled; nothing was sent";
pub const CLOSED: &str = "the socket has closed";
pub const NOT_A_CONNECTION: &str = "not a connection";
pub const NOTHING_CHANGED: &str = "no rows changed in the last 3 s";
pub const NOTHING_MARKED: &str = "no rows are marked";
pub const NOTHING_TO_CHECK: &str = "nothing to check: no row, and no port in the filter";
pub const NOTHING_TO_COPY: &str = "no row to copy from";
pub const NOTHING_TO_FREE: &str = "no row to free";
pub const NOTHING_TO_RESTART: &str = "no row to copy a command from";
pub const NOTHING_TO_RESTORE: &str = "no filter to restore";
pub const CANNOT_MARK_CLOSED: &str = "a closed row cannot be marked";
pub const READ_ONLY_MARK: &str = "read-only: rows cannot be marked";
pub const READ_ONLY_STOP: &str = "read-only: nothing can be stopped";

pub fn unbound_key(key: &str, help_key: &str) -> String {
    format!("\"{key}\" is not bound · {help_key} help")
}

/// `nothing holds :3000 any more`
pub fn no_longer_held(ports: &[PortSpec]) -> String {
    format!("nothing holds {} any more", alternatives(ports))
}

pub fn filter_cleared(restore_key: &str) -> String {
    format!("filter cleared to show it · {restore_key} restore last filter")
}

pub fn sorted(title: &str, is_reversed: bool) -> String {
    let direction = if is_reversed {
        "descending"
    } else {
        "ascending"
    };
    format!("sorted by {title}, {direction}")
}

pub fn polling(every: Duration) -> String {
    format!("polling every {}", interval(every))
}

pub fn copied(shown: &str) -> String {
    format!("sent to the clipboard (OSC 52): {shown}")
}

pub fn not_local(remote: SocketAddr) -> String {
    format!("{remote} is not on this machine")
}

pub fn source_ended(source: &str) -> String {
    format!("{source} stopped; restart portmon")
}

/// Why no other port can be freed yet.
pub fn still_freeing(batch: &Batch) -> String {
    let machines = batch.machines().iter();
    let ports: Vec<String> = machines.map(|machine| machine.port().to_string()).collect();
    let ports = ports.join(", ");
    if batch.has_verdicts() {
        format!("still watching {ports}; try again in 2 s")
    } else {
        format!("still freeing {ports}; the result will be shown here")
    }
}

pub fn verdicts<'a>(machines: impl IntoIterator<Item = &'a FreeMachine>) -> String {
    let verdicts = machines.into_iter().filter_map(FreeMachine::verdict);
    let verdicts: Vec<String> = verdicts.map(verdict).collect();
    verdicts.join(" · ")
}

pub fn no_past_owner(port: u16) -> String {
    format!("no previous owner of :{port} is known")
}

/// Why the command of the owner (or last owner) of a port cannot be copied.
pub fn nothing_copied(who: &str, port: u16, owners: &Owners) -> String {
    let why = match owners {
        Owners::Known(_) => "is not known",
        Owners::Pending => "is still being looked up",
        Owners::NotFound(not_found) => &format!("is {}", cause(not_found)),
        Owners::NoProcess => "is the kernel",
    };
    format!("the {who} of :{port} {why}, so nothing was copied")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::socket::NotFoundCause;

    #[test]
    fn sudo_is_offered_where_it_shows_the_owner() {
        let cases = [
            (NotFoundCause::OtherUser.into(), "is hidden (sudo shows it)"),
            (
                NotFoundCause::MissingPtrace.into(),
                "is hidden (this root lacks CAP_SYS_PTRACE)",
            ),
            (Owners::NoProcess, "is the kernel"),
        ];
        for (owners, why) in cases {
            assert_eq!(
                nothing_copied("last owner", 80, &owners),
                format!("the last owner of :80 {why}, so nothing was copied")
            );
        }
    }
}
