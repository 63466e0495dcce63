//! FIELDS: the list of everything a row can show.
//!
//! A field is a column, a sort key, a line of the details and, if it has a key, a word of the filter language. To add
//! one, add a variant to [`Column`] and an entry here; the compiler then asks for its width in `ui::table::columns`, and tests
//! for its place in the details and the JSON.

use crate::model::port::{PortClass, service};
use crate::model::process::Process;
use crate::model::socket::{Age, Endpoint, Owners, address};
use crate::table::description;
use crate::table::query::field_value::{self, ValueReader};
use crate::table::row::{DisplayContext, Row};
use crate::table::value::Value;
use std::sync::Arc;

/// Defines [`Column`] with a list of its variants.
macro_rules! columns {
    ($($column:ident),* $(,)?) => {
        /// The name of a field, in the order of the columns of a wide table and of `<` and `>`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Column { $($column),* }

        impl Column {
            pub const ALL: &[Self] = &[$(Self::$column),*];
        }
    };
}

columns! {
    Port,
    Local,
    State,
    Pid,
    Process,
    User,
    Proto,
    Age,
    Peer,
    Service,
    Remote,
    What,
    RemotePort,
    Command,
    Range,
    Uptime,
    Directory,
    Executable,
    Queue,
}

pub struct Field {
    pub column: Column,
    /// The heading of the column.
    pub title: &'static str,
    /// The word before the colon in a filter, and what reads the value after it.
    pub key: Option<(&'static str, ValueReader)>,
    /// Its key in the sort menu.
    pub letter: char,
    /// The value of the cell, which the sort compares.
    pub value: fn(&Row, &DisplayContext) -> Value,
    /// The values that a filter word with this key is compared with, if they differ from the cell.
    pub operands: Option<fn(&Row) -> Vec<Value>>,
    /// True if filter words without a key search it.
    pub is_text: bool,
    /// Its pointer (RFC 6901) in an endpoint of `list --json`; `None` if it is derived from other values.
    pub json: Option<&'static str>,
}

pub fn field(column: Column) -> &'static Field {
    // A test holds the list in the order of `Column`.
    FIELDS.get(column as usize).unwrap_or(&FIELDS[0])
}

pub fn field_by_key(key: &str) -> Option<&'static Field> {
    FIELDS
        .iter()
        .find(|field| field.key.is_some_and(|(word, _)| word == key))
}

/// Returns the text of a row that filter words without a key search.
pub fn row_text(row: &Row, context: &DisplayContext) -> String {
    let texts: Vec<String> = FIELDS
        .iter()
        .filter(|field| field.is_text)
        .map(|field| (field.value)(row, context).to_string())
        .collect();
    texts.join("\n")
}

pub static FIELDS: [Field; Column::ALL.len()] = [
    Field {
        column: Column::Port,
        title: "PORT",
        key: Some(("port", field_value::local_port)),
        letter: 'p',
        value: |row, _| Value::Number(row.endpoint.socket.port().into()),
        operands: None,
        is_text: false,
        json: Some("/local/port"),
    },
    Field {
        column: Column::Local,
        title: "LOCAL",
        key: Some(("addr", field_value::local_address)),
        letter: 'l',
        value: |row, _| {
            let socket = &row.endpoint.socket;
            Value::Address {
                ip: socket.local.ip(),
                shown: socket.local_address(),
            }
        },
        operands: None,
        is_text: true,
        json: Some("/local/address"),
    },
    Field {
        column: Column::State,
        title: "STATE",
        key: Some(("state", field_value::of_state)),
        letter: 's',
        value: |row, _| Value::optional(row.endpoint.socket.state),
        operands: None,
        is_text: true,
        json: Some("/state"),
    },
    Field {
        column: Column::Pid,
        title: "PID",
        key: Some(("pid", field_value::pid)),
        letter: 'i',
        value: |row, _| {
            owner(row).map_or(Value::Unknown, |process| {
                Value::Number(process.pid().0.into())
            })
        },
        operands: Some(|row| of_owners(row, |process| Value::Number(process.pid().0.into()))),
        is_text: false,
        json: Some("/owners/0/pid"),
    },
    Field {
        column: Column::Process,
        title: "PROCESS",
        key: Some(("proc", field_value::field_text)),
        letter: 'n',
        value: process,
        operands: Some(|row| of_owners(row, |process| Value::text(&process.name))),
        is_text: true,
        json: Some("/owners/0/name"),
    },
    Field {
        column: Column::User,
        title: "USER",
        key: Some(("user", field_value::user)),
        letter: 'u',
        value: |row, _| user(row),
        operands: Some(|row| {
            let uid = row.endpoint.socket.uid.map(Value::text);
            [user(row)].into_iter().chain(uid).collect()
        }),
        is_text: true,
        json: Some("/user"),
    },
    Field {
        column: Column::Proto,
        title: "PROTO",
        key: Some(("proto", field_value::of_protocol)),
        letter: 't',
        value: |row, _| Value::text(row.endpoint.socket.protocol),
        operands: None,
        is_text: true,
        json: Some("/protocol"),
    },
    Field {
        column: Column::Age,
        title: "AGE",
        key: None,
        letter: 'a',
        value: age,
        operands: None,
        is_text: false,
        json: None,
    },
    Field {
        column: Column::Peer,
        title: "PEER",
        key: None,
        letter: 'e',
        value: |row, _| Value::optional(row.endpoint.relation.peer.as_deref()),
        operands: None,
        is_text: true,
        json: Some("/peer"),
    },
    Field {
        column: Column::Service,
        title: "SERVICE",
        key: None,
        letter: 'v',
        value: |row, _| {
            let socket = &row.endpoint.socket;
            Value::optional(service(socket.protocol, socket.port()))
        },
        operands: None,
        is_text: true,
        json: Some("/service"),
    },
    Field {
        column: Column::Remote,
        title: "REMOTE",
        key: None,
        letter: 'r',
        value: |row, _| match row.endpoint.socket.remote {
            Some(remote) => Value::Address {
                ip: remote.ip(),
                shown: remote.to_string(),
            },
            None => Value::Unknown,
        },
        operands: None,
        is_text: true,
        json: Some("/remote/address"),
    },
    Field {
        column: Column::What,
        title: "WHAT",
        key: None,
        letter: 'w',
        value: |row, context| {
            Value::optional(
                description::describe(&row.endpoint, context).map(|what| what.text(context)),
            )
        },
        operands: None,
        is_text: true,
        json: None,
    },
    Field {
        column: Column::RemotePort,
        title: "RPORT",
        key: Some(("rport", field_value::remote_port)),
        letter: 'o',
        value: |row, _| match row.endpoint.socket.remote {
            Some(remote) => Value::Number(remote.port().into()),
            None => Value::Unknown,
        },
        operands: None,
        is_text: false,
        json: Some("/remote/port"),
    },
    Field {
        column: Column::Command,
        title: "COMMAND",
        key: None,
        letter: 'c',
        value: |row, _| Value::optional(owner(row).map(|process| process.command_line())),
        operands: None,
        is_text: true,
        json: Some("/owners/0/command"),
    },
    Field {
        column: Column::Range,
        title: "RANGE",
        key: None,
        letter: 'g',
        value: |row, _| Value::text(PortClass::of(row.endpoint.socket.port())),
        operands: None,
        is_text: false,
        json: Some("/range"),
    },
    Field {
        column: Column::Uptime,
        title: "UPTIME",
        key: None,
        letter: 'm',
        value: |row, context| match owner(row).and_then(|process| process.started_at) {
            Some(started) => Value::Age(Age::exact(context.now.since(started))),
            None => Value::Unknown,
        },
        operands: None,
        is_text: false,
        json: Some("/owners/0/started_at"),
    },
    Field {
        column: Column::Directory,
        title: "DIRECTORY",
        key: None,
        letter: 'd',
        value: |row, _| Value::optional(owner(row).and_then(|process| process.directory.as_ref())),
        operands: None,
        is_text: true,
        json: Some("/owners/0/directory"),
    },
    Field {
        column: Column::Executable,
        title: "EXE",
        key: None,
        letter: 'x',
        value: |row, _| Value::optional(owner(row).and_then(|process| process.executable.as_ref())),
        operands: None,
        is_text: false,
        json: Some("/owners/0/executable"),
    },
    Field {
        column: Column::Queue,
        title: "QUEUE",
        key: None,
        letter: 'b',
        value: |row, _| row.queue().map_or(Value::Unknown, Value::Queue),
        operands: None,
        is_text: false,
        json: None,
    },
];

fn owner(row: &Row) -> Option<&Arc<Process>> {
    row.endpoint.socket.owners.first()
}

fn of_owners(row: &Row, value: fn(&Process) -> Value) -> Vec<Value> {
    row.endpoint
        .socket
        .owners
        .known()
        .iter()
        .map(|process| value(process))
        .collect()
}

fn user(row: &Row) -> Value {
    let socket = &row.endpoint.socket;
    match (&socket.user, socket.uid) {
        (Some(user), _) => Value::text(user),
        (None, Some(uid)) => Value::text(uid),
        (None, None) => Value::optional(owner(row).and_then(|process| process.user.as_ref())),
    }
}

/// `gunicorn ×5`, or the user of a hidden owner: `- (root)`.
fn process(row: &Row, context: &DisplayContext) -> Value {
    let owners = row.endpoint.socket.owners.known();
    match (owners.first(), owners.len()) {
        (Some(first), 1) => Value::text(&first.name),
        (Some(first), count) => Value::Text(format!("{} {}", first.name, context.times(count))),
        (None, _) if row.is_owner_hidden() => match user(row) {
            Value::Unknown => Value::text("- (hidden)"),
            user => Value::Text(format!("- ({user})")),
        },
        (None, _) if row.endpoint.socket.owners == Owners::Pending => Value::Pending,
        (None, _) => Value::Unknown,
    }
}

fn age(row: &Row, context: &DisplayContext) -> Value {
    let Endpoint { socket, since, .. } = &row.endpoint;
    Value::Age(Age::of_socket(*since, socket.owners.known(), context.now))
}

/// Returns the local address and port of a row, as programs take them: `127.0.0.1:3000`, `[::1]:5173`, `*:8080`.
pub fn address_text(row: &Row) -> String {
    let socket = &row.endpoint.socket;
    if socket.is_dual_stack() {
        return format!("*:{}", socket.port());
    }
    if socket.local.is_ipv6() {
        format!("[{}]:{}", address(socket.local), socket.port())
    } else {
        socket.local.to_string()
    }
}

#[cfg(test)]
mod tests;
