//! Menus: the column to sort by, and what to copy of a row.

use crate::app::keymap::CopyItem;
use crate::model::process::shell::{RestartCommand, restart_command};
use crate::model::socket::{Socket, SocketRole};
use crate::model::text::escaped;
use crate::table::row::Row;
use crate::wording;
use std::net::SocketAddr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Menu {
    /// Columns, each with its letter.
    Sort,
    Copy(Vec<(CopyItem, ClipboardText)>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClipboardText {
    pub text: String,
    /// The same, escaped for the terminal and with secrets masked.
    pub shown: String,
}

impl From<RestartCommand> for ClipboardText {
    fn from(restart: RestartCommand) -> Self {
        Self {
            text: restart.command,
            shown: escaped(&restart.shown),
        }
    }
}

impl From<String> for ClipboardText {
    fn from(text: String) -> Self {
        let shown = escaped(&text);
        Self { text, shown }
    }
}

/// The URL at which a browser here reaches a socket: `localhost` for one on all addresses, unless it hears only those of an
/// interface.
fn url(socket: &Socket) -> String {
    let (ip, port) = (socket.local.ip(), socket.port());
    let at = |ip| format!("http://{}/", SocketAddr::new(ip, port));
    let interface = socket.interface.as_ref().filter(|one| !one.is_loopback);
    let addresses = interface.map_or(&[][..], |one| &one.addresses);
    match addresses.iter().find(|ip| socket.covers(**ip)) {
        _ if !ip.is_unspecified() => at(ip),
        Some(own) => at(*own),
        None => format!("http://localhost:{port}/"),
    }
}

impl Menu {
    /// Returns the menu with the known items of a row. A client has no command to free its port: stopping the client would
    /// not free it.
    pub fn copy(row: &Row) -> Self {
        let socket = &row.endpoint.socket;
        let port = socket.port();
        let mut items: Vec<(CopyItem, ClipboardText)> = vec![
            (CopyItem::Address, socket.local_end().into()),
            (CopyItem::Url, url(socket).into()),
        ];
        if row.endpoint.relation.role != SocketRole::Client {
            let command = format!("portmon free {}", wording::target(socket.protocol, port));
            items.push((CopyItem::FreeCommand, command.into()));
        }
        if let Some(process) = socket.owners.first() {
            items.push((CopyItem::Pid, process.pid().to_string().into()));
            if let Ok(restart) = restart_command(process) {
                items.push((CopyItem::RestartCommand, restart.into()));
            }
        }
        Self::Copy(items)
    }
}
