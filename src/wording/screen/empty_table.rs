//! An empty table: why nothing is shown, and the keys that change that.

use crate::model::process::Process;
use crate::model::socket::Socket;
use crate::wording::list;
use crate::wording::number::alternatives;
use std::sync::Arc;

pub const READING: &str = "reading the socket tables…";

/// An empty table without a filter; `all_key` shows the connections to other machines.
pub fn no_sockets(remote: usize, all_key: &str) -> String {
    match remote {
        0 => "no listening or connected sockets on this machine".to_owned(),
        count => format!("no local sockets · {count} remote: {all_key}"),
    }
}

/// `nothing matches [d dynamic] + postgres (19 hidden: 17 by d) · Esc clears the text, d the chip`
pub fn no_match(filter: &str, hidden: usize, by_chip: &[(String, usize)], clear: &str) -> String {
    let by_chip: Vec<String> = by_chip
        .iter()
        .map(|(key, count)| format!("{count} by {key}"))
        .collect();
    let colon = if by_chip.is_empty() { "" } else { ": " };
    format!(
        "nothing matches {filter} ({hidden} hidden{colon}{}) · {clear}",
        by_chip.join(", ")
    )
}

pub fn nothing_on(port: u16, clear: &str) -> String {
    format!("nothing on {port} now · {clear}")
}

/// `nothing on 62893 now · last: python3 9130 (debugpy), closed 62 s ago · Y copies its restart command`
pub fn nothing_since(
    port: u16,
    past_owner: &str,
    restart_key: Option<&str>,
    clear: &str,
) -> String {
    let offer = restart_key.map(|key| format!(" · {key} copies its restart command"));
    let offer = offer.unwrap_or_default();
    format!("nothing on {port} now · last: {past_owner}{offer} · {clear}")
}

/// `no port 4242 · process 4242 (node) holds 3000 and 9229 · Enter: pid:4242`
pub fn numbers_are_pids(
    processes: &[Arc<Process>],
    ports: &[u16],
    key: &str,
    filter: &str,
) -> String {
    let pids: Vec<_> = processes.iter().map(|process| process.pid()).collect();
    let named = processes.iter().map(|process| named_pid(process));
    let named = list(&named.collect::<Vec<_>>());
    let (hold, have) = match processes.len() {
        1 => ("holds", "has"),
        _ => ("hold", "have"),
    };
    let holds = match ports {
        [] => format!("{have} connections"),
        ports => format!("{hold} {}", list(ports)),
    };
    format!(
        "no port {} · {named} {holds} · {key}: {filter}",
        alternatives(&pids)
    )
}

/// `process 4242 (node)`, `process 4242` without a name.
fn named_pid(process: &Process) -> String {
    let name = Some(&process.name).filter(|name| !name.is_empty());
    let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
    format!("process {}{name}", process.pid())
}

/// `3000 is in use (tcp 127.0.0.1:3000, node 4242) but hidden by [c connected] + 3000`
pub fn hidden_by_filter(socket: &Socket, more: usize, filter: &str, clear: &str) -> String {
    let owner = socket.owners.first().map(|owner| format!(", {owner}"));
    let owner = owner.unwrap_or_default();
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (port, protocol, local) = (socket.port(), socket.protocol, socket.local_end());
    format!("{port} is in use ({protocol} {local}{owner}{more}) but hidden by {filter} · {clear}")
}

/// `Esc clears the text, d the chip`, `l and d clear the chips`
pub fn how_to_clear(text_key: Option<&str>, chip_keys: &[String]) -> String {
    let keys = list(chip_keys);
    let (clear, chips) = match chip_keys {
        [_] => ("clears", "the chip"),
        _ => ("clear", "the chips"),
    };
    match text_key {
        None => format!("{keys} {clear} {chips}"),
        Some(key) if chip_keys.is_empty() => format!("{key} clears the text"),
        Some(key) => format!("{key} clears the text, {keys} {chips}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_that_clear_agree_with_the_number_of_chips() {
        let clear = |text_key, chips: &[&str]| {
            let chips: Vec<String> = chips.iter().map(ToString::to_string).collect();
            how_to_clear(text_key, &chips)
        };
        let cases = [
            clear(Some("Esc"), &[]),
            clear(Some("Esc"), &["d"]),
            clear(Some("Esc"), &["l", "d"]),
            clear(None, &["d"]),
            clear(None, &["l", "d"]),
        ];
        let expected = [
            "Esc clears the text",
            "Esc clears the text, d the chip",
            "Esc clears the text, l and d the chips",
            "d clears the chip",
            "l and d clear the chips",
        ];
        assert_eq!(cases, expected);
    }
}
