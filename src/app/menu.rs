//! Menus: a list of things with a letter each.

use crate::table::fields::{Column, FIELDS, written_address};
use crate::table::row::Row;

/// A menu over the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Menu {
    Sort(Vec<Item<Column>>),
    Copy(Vec<Item<String>>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item<T> {
    pub letter: char,
    pub name: String,
    pub choice: T,
}

impl Menu {
    pub fn sort() -> Self {
        let item = |field: &crate::table::fields::Field| Item {
            letter: field.letter,
            name: field.title.to_owned(),
            choice: field.column,
        };
        Self::Sort(FIELDS.iter().map(item).collect())
    }

    /// What of a row can be copied. The command is the one that ends the process, for a row whose process is known.
    pub fn copy(row: &Row) -> Self {
        let socket = &row.endpoint.socket;
        let host = if socket.local.ip().is_unspecified() {
            "localhost".to_owned()
        } else {
            bracketed(row)
        };
        let mut items = vec![
            item('a', "address", written_address(row)),
            item('u', "URL", format!("http://{host}:{}/", socket.port())),
        ];
        if let Some(process) = socket.owners.first() {
            items.push(item('p', "pid", process.pid().to_string()));
            items.push(item(
                'c',
                "command to end it",
                format!("kill {}", process.pid()),
            ));
        }
        Self::Copy(items)
    }
}

fn item(letter: char, name: &str, choice: String) -> Item<String> {
    Item {
        letter,
        name: name.to_owned(),
        choice,
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
