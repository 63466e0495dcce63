//! Menus: a list of things with a letter each.

use crate::model::endpoint::SocketRole;
use crate::model::shell::restart_command;
use crate::model::text::escaped;
use crate::table::fields::{Column, FIELDS, address_text};
use crate::table::row::Row;
use crate::wording;

/// A menu over the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Menu {
    Sort(Vec<MenuItem<Column>>),
    Copy(Vec<MenuItem<ClipboardText>>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuItem<T> {
    pub letter: char,
    pub name: String,
    pub choice: T,
}

/// What is put on the clipboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClipboardText {
    pub text: String,
    /// How it is shown: safe for a terminal, and without the secrets in it.
    pub shown: String,
}

impl ClipboardText {
    pub fn masked(text: String, shown: &str) -> Self {
        let shown = escaped(shown);
        Self { text, shown }
    }
}

impl From<String> for ClipboardText {
    fn from(text: String) -> Self {
        let shown = escaped(&text);
        Self { text, shown }
    }
}

impl Menu {
    pub fn sort() -> Self {
        let item = |field: &crate::table::fields::Field| MenuItem {
            letter: field.letter,
            name: field.title.to_owned(),
            choice: field.column,
        };
        Self::Sort(FIELDS.iter().map(item).collect())
    }

    /// What of a row can be copied: the command that starts its process again only as far as that is known.
    pub fn copy(row: &Row) -> Self {
        let socket = &row.endpoint.socket;
        let host = if socket.local.ip().is_unspecified() {
            "localhost".to_owned()
        } else {
            bracketed(row)
        };
        let mut items = vec![
            item('a', "address", address_text(row)),
            item('u', "URL", format!("http://{host}:{}/", socket.port())),
        ];
        // Of a client's port nothing is freed by ending whoever has it.
        if row.endpoint.relation.role != SocketRole::Client {
            let target = wording::target(socket.protocol, socket.port());
            items.push(item(
                'c',
                "command to free it",
                format!("portmon free {target}"),
            ));
        }
        if let Some(process) = socket.owners.first() {
            items.push(item('p', "pid", process.pid().to_string()));
            items.extend(restart_command(process).ok().map(|restart| MenuItem {
                letter: 's',
                name: "to start it again".to_owned(),
                choice: ClipboardText::masked(restart.command, &restart.shown),
            }));
        }
        Self::Copy(items)
    }
}

fn item(letter: char, name: &str, choice: String) -> MenuItem<ClipboardText> {
    MenuItem {
        letter,
        name: name.to_owned(),
        choice: choice.into(),
    }
}

fn bracketed(row: &Row) -> String {
    let ip = row.endpoint.socket.local.ip();
    if ip.is_ipv6() {
        format!("[{ip}]")
    } else {
        ip.to_string()
    }
}
