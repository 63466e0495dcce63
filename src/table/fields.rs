//! FIELDS: the list of everything a row can show.
//!
//! A field is a column, a sort key, a line of the details and, if it has a key, a word of the filter language. To add
//! one, add a variant to [`Column`] and an entry here; the compiler then asks for its width in `ui::table::columns` and, in
//! the tests, for its place in the JSON; a test asks for its place in the details.

use crate::model::port::{PortClass, service};
use crate::model::process::Process;
use crate::model::socket::{Age, Endpoint, KernelServices, NotFound, Owners};
use crate::table::description;
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
    /// Its key in the sort menu.
    pub letter: char,
    /// The value of the cell, which the sort compares.
    pub value: CellValue,
    /// The word before the colon in a filter, and what may follow.
    pub key: Option<(&'static str, ValueSyntax)>,
    /// The values that a filter word with this key is compared with, if they differ from the cell.
    pub operands: Option<fn(&Row) -> Vec<Value>>,
    /// True if filter words without a key search it.
    pub is_text: bool,
}

type CellValue = fn(&Row, &DisplayContext) -> Value;

/// What may follow the key of a filter word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueSyntax {
    LocalPort,
    RemotePort,
    LocalAddress,
    State,
    Protocol,
    Pid,
    /// A uid or a name.
    User,
    Text,
}

impl Field {
    const fn new(column: Column, title: &'static str, letter: char, value: CellValue) -> Self {
        Self {
            column,
            title,
            letter,
            value,
            key: None,
            operands: None,
            is_text: false,
        }
    }

    /// A field that filter words without a key search.
    const fn text(column: Column, title: &'static str, letter: char, value: CellValue) -> Self {
        Self {
            is_text: true,
            ..Self::new(column, title, letter, value)
        }
    }
}

pub fn field(column: Column) -> &'static Field {
    // A test holds the list in the order of `Column`.
    FIELDS.get(column as usize).unwrap_or(&FIELDS[0])
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
        key: Some(("port", ValueSyntax::LocalPort)),
        ..Field::new(Column::Port, "PORT", 'p', |row, _| {
            Value::Number(row.endpoint.socket.port().into())
        })
    },
    Field {
        key: Some(("addr", ValueSyntax::LocalAddress)),
        ..Field::text(Column::Local, "LOCAL", 'l', |row, _| {
            let socket = &row.endpoint.socket;
            Value::Address {
                ip: socket.local.ip(),
                shown: socket.local_address(),
            }
        })
    },
    Field {
        key: Some(("state", ValueSyntax::State)),
        ..Field::text(Column::State, "STATE", 's', |row, _| {
            Value::optional(row.endpoint.socket.state)
        })
    },
    Field {
        key: Some(("pid", ValueSyntax::Pid)),
        operands: Some(|row| of_owners(row, pid)),
        ..Field::new(Column::Pid, "PID", 'i', |row, _| {
            owner(row).map_or(Value::Unknown, pid)
        })
    },
    Field {
        key: Some(("proc", ValueSyntax::Text)),
        operands: Some(|row| {
            let names = of_owners(row, |process| Value::text(&process.name));
            let threads = of_owners(row, |process| Value::optional(process.comm.as_ref()));
            names.into_iter().chain(threads).collect()
        }),
        ..Field::text(Column::Process, "PROCESS", 'n', process)
    },
    Field {
        key: Some(("user", ValueSyntax::User)),
        operands: Some(|row| {
            let uid = row.endpoint.socket.uid.map(Value::text);
            [user(row)].into_iter().chain(uid).collect()
        }),
        ..Field::text(Column::User, "USER", 'u', |row, _| user(row))
    },
    Field {
        key: Some(("proto", ValueSyntax::Protocol)),
        ..Field::text(Column::Proto, "PROTO", 't', |row, _| {
            Value::text(row.endpoint.socket.protocol)
        })
    },
    Field::new(Column::Age, "AGE", 'a', age),
    Field::text(Column::Peer, "PEER", 'e', |row, _| {
        Value::optional(row.endpoint.relation.peer.as_deref())
    }),
    Field::text(Column::Service, "SERVICE", 'v', |row, _| {
        let socket = &row.endpoint.socket;
        Value::optional(service(socket.protocol, socket.port()))
    }),
    Field::text(Column::Remote, "REMOTE", 'r', |row, _| {
        let socket = &row.endpoint.socket;
        let remote = socket.remote.zip(socket.remote_end());
        remote.map_or(Value::Unknown, |(remote, shown)| Value::Address {
            ip: remote.ip(),
            shown,
        })
    }),
    Field::text(Column::What, "WHAT", 'w', |row, context| {
        let description = description::describe(&row.endpoint, context);
        Value::optional(description.map(|what| what.text(context)))
    }),
    Field {
        key: Some(("rport", ValueSyntax::RemotePort)),
        ..Field::new(Column::RemotePort, "RPORT", 'o', |row, _| {
            let remote = row.endpoint.socket.remote;
            remote.map_or(Value::Unknown, |remote| Value::Number(remote.port().into()))
        })
    },
    Field::text(Column::Command, "COMMAND", 'c', |row, _| {
        Value::optional(owner(row).map(Process::command_line))
    }),
    Field::new(Column::Range, "RANGE", 'g', |row, _| {
        Value::text(PortClass::of(row.endpoint.socket.port()).name())
    }),
    Field::new(Column::Uptime, "UPTIME", 'm', |row, context| {
        let started = owner(row).and_then(|process| process.started_at);
        let uptime = started.map(|started| Age::exact(context.now.since(started)));
        uptime.map_or(Value::Unknown, Value::Age)
    }),
    Field::text(Column::Directory, "DIRECTORY", 'd', |row, _| {
        Value::optional(owner(row).and_then(|process| process.directory.as_ref()))
    }),
    Field::new(Column::Executable, "EXE", 'x', |row, _| {
        Value::optional(owner(row).and_then(|process| process.executable.as_ref()))
    }),
    Field::new(Column::Queue, "QUEUE", 'b', |row, _| {
        let queue = row.endpoint.socket.queue();
        queue.map_or(Value::Unknown, Value::Queue)
    }),
];

fn owner(row: &Row) -> Option<&Process> {
    row.endpoint.socket.owners.first().map(Arc::as_ref)
}

fn of_owners(row: &Row, value: fn(&Process) -> Value) -> Vec<Value> {
    let owners = row.endpoint.socket.owners.known();
    owners.iter().map(|process| value(process)).collect()
}

fn pid(process: &Process) -> Value {
    Value::Number(process.pid().0.into())
}

fn user(row: &Row) -> Value {
    let socket = &row.endpoint.socket;
    match (&socket.user, socket.uid) {
        (Some(user), _) => Value::text(user),
        (None, Some(uid)) => Value::text(uid),
        (None, None) => Value::optional(owner(row).and_then(|process| process.user.as_ref())),
    }
}

fn kernel_services(row: &Row) -> Option<KernelServices> {
    let not_found = row.endpoint.socket.owners.not_found();
    not_found.and_then(NotFound::probably_kernel)
}

/// `gunicorn ×5`, the user of a hidden owner: `- (root)`, or what the kernel probably runs: `- (WireGuard)`.
fn process(row: &Row, context: &DisplayContext) -> Value {
    let owners = row.endpoint.socket.owners.known();
    match (owners.first(), owners.len()) {
        (Some(first), 1) => program(first),
        (Some(first), count) => Value::Text(format!("{} {}", program(first), context.times(count))),
        (None, _) if let Some(services) = kernel_services(row) => {
            Value::Text(format!("- ({})", services.names().join(", ")))
        }
        (None, _) if row.is_owner_hidden() => match user(row) {
            Value::Unknown => Value::text("- (hidden)"),
            user => Value::Text(format!("- ({user})")),
        },
        (None, _) if row.endpoint.socket.owners == Owners::Pending => Value::Pending,
        (None, _) => Value::Unknown,
    }
}

fn program(process: &Process) -> Value {
    Value::optional((!process.name.is_empty()).then_some(&process.name))
}

fn age(row: &Row, context: &DisplayContext) -> Value {
    let Endpoint { socket, since, .. } = &row.endpoint;
    Value::Age(Age::of_socket(*since, socket.owners.known(), context.now))
}

#[cfg(test)]
mod tests;
