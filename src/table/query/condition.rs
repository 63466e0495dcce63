//! Terms and conditions: what the words of a filter match.

use crate::model::port::PortClass;
use crate::model::socket::{InterfaceName, Protocol, Socket, State};
use crate::table::fields::{self, Column, row_text};
use crate::table::query::endpoint_spec::EndpointSpec;
use crate::table::query::numbers::Numbers;
use crate::table::row::{DisplayContext, Row};
use crate::table::value::Value;
use ipnet::IpNet;
use std::cell::OnceCell;

/// A word of a filter: matches if any of its conditions does, or if negated none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Term {
    pub is_negated: bool,
    pub any: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    Port {
        end: PortEnd,
        ports: Ports,
    },
    EndpointSpec(EndpointSpec),
    State(State),
    Protocol(Protocol),
    /// The networks of the local address, and the interface if one is named.
    Address {
        networks: Vec<IpNet>,
        interface: Option<InterfaceName>,
    },
    /// A field with numeric values, or digits such as the uid of a user without a name.
    Number {
        column: Column,
        numbers: Numbers,
    },
    FieldText {
        column: Column,
        needle: Needle,
    },
    Text(Needle),
}

/// The end of a socket that a port condition looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortEnd {
    Local,
    Remote,
    Either,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// Typed digits: a port, or the start of one if no row has that port.
    Typed(u64),
    Numbers(Numbers),
    /// A class; the dynamic ports include those that this machine hands out.
    Class(PortClass),
    /// The ephemeral range of this machine.
    Ephemeral,
}

impl Term {
    pub fn matches(&self, row: &RowText) -> bool {
        self.any.iter().any(|condition| condition.matches(row)) != self.is_negated
    }

    /// True if it names ports and nothing else: another such word is an alternative, since no socket has two local ports.
    pub fn is_of_ports(&self) -> bool {
        let is_of_ports = |condition: &Condition| match condition {
            Condition::Port { end, .. } => *end == PortEnd::Either,
            Condition::EndpointSpec(_) => true,
            Condition::State(_)
            | Condition::Protocol(_)
            | Condition::Address { .. }
            | Condition::Number { .. }
            | Condition::FieldText { .. }
            | Condition::Text(_) => false,
        };
        !self.is_negated && self.any.iter().all(is_of_ports)
    }

    /// Cost of matching. Cheap terms come first, so that the text of most rows is never built.
    pub fn cost(&self) -> u8 {
        self.any.iter().map(Condition::cost).max().unwrap_or(0)
    }
}

impl Condition {
    fn matches(&self, row: &RowText) -> bool {
        let socket = &row.row.endpoint.socket;
        match self {
            Self::Port { end, ports } => ports_at(socket, *end)
                .into_iter()
                .flatten()
                .any(|port| ports.contains(port, row.context)),
            Self::EndpointSpec(spec) => spec.is_of(socket),
            Self::State(state) => state_of(socket) == Some(*state),
            Self::Protocol(protocol) => socket.protocol == *protocol,
            Self::Address {
                networks,
                interface,
            } => {
                let ip = socket.local.ip();
                networks.iter().any(|network| network.contains(&ip))
                    && interface.is_none_or(|name| socket.is_on_interface(name))
            }
            Self::Number { column, numbers } => {
                let mut values = row.values(*column).into_iter().filter_map(number_of);
                values.any(|number| numbers.contains(number))
            }
            Self::FieldText { column, needle } => {
                let mut known = row.values(*column).into_iter().filter(Value::is_known);
                known.any(|value| needle.is_in(&value.to_string()))
            }
            Self::Text(needle) => row.shows(needle),
        }
    }

    /// Returns the exact port that it names, if any.
    pub fn exact_port(&self) -> Option<u16> {
        match self {
            Self::Port {
                ports: Ports::Numbers(Numbers::Exact(port)),
                ..
            } => u16::try_from(*port).ok(),
            Self::EndpointSpec(spec) => Some(spec.port),
            Self::Port { .. }
            | Self::State(_)
            | Self::Protocol(_)
            | Self::Address { .. }
            | Self::Number { .. }
            | Self::FieldText { .. }
            | Self::Text(_) => None,
        }
    }

    /// True if it compares what is known of every socket, even of one with a hidden owner.
    pub fn is_of_socket(&self) -> bool {
        match self {
            Self::Port { .. }
            | Self::EndpointSpec(_)
            | Self::State(_)
            | Self::Protocol(_)
            | Self::Address { .. } => true,
            Self::Number { .. } | Self::FieldText { .. } | Self::Text(_) => false,
        }
    }

    fn cost(&self) -> u8 {
        match self {
            Self::Port { .. }
            | Self::EndpointSpec(_)
            | Self::State(_)
            | Self::Protocol(_)
            | Self::Address { .. } => 0,
            Self::Number { .. } | Self::FieldText { .. } => 1,
            Self::Text(_) => 2,
        }
    }
}

/// Returns the ports of a socket at this end.
pub fn ports_at(socket: &Socket, end: PortEnd) -> [Option<u16>; 2] {
    let remote = || socket.remote.map(|remote| remote.port());
    match end {
        PortEnd::Local => [Some(socket.port()), None],
        PortEnd::Remote => [None, remote()],
        PortEnd::Either => [Some(socket.port()), remote()],
    }
}

impl Ports {
    pub fn contains(self, port: u16, context: &DisplayContext) -> bool {
        match self {
            Self::Typed(digits) => Numbers::Prefix(digits).contains(port.into()),
            Self::Numbers(numbers) => numbers.contains(port.into()),
            Self::Class(PortClass::Dynamic) => context.ephemeral.counts_as_dynamic(port),
            Self::Class(class) => PortClass::of(port) == class,
            Self::Ephemeral => context.ephemeral.contains(port),
        }
    }
}

/// Returns the state; an unconnected UDP socket is UNCONN where the source reports none.
fn state_of(socket: &Socket) -> Option<State> {
    let is_unconnected = socket.protocol == Protocol::Udp && socket.remote.is_none();
    socket
        .state
        .or_else(|| is_unconnected.then_some(State::Unconn))
}

fn number_of(value: Value) -> Option<u64> {
    match value {
        Value::Number(number) => Some(number),
        Value::Text(text) => text.parse().ok(),
        Value::Address { .. }
        | Value::Age(_)
        | Value::Queue(_)
        | Value::Unknown
        | Value::Pending => None,
    }
}

/// A text to search for: case-sensitive if it has an uppercase letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    text: String,
    is_cased: bool,
}

impl Needle {
    pub fn new(text: String) -> Self {
        let is_cased = text.chars().any(char::is_uppercase);
        let text = if is_cased { text } else { text.to_lowercase() };
        Self { text, is_cased }
    }

    fn is_in(&self, text: &str) -> bool {
        if self.is_cased {
            text.contains(&self.text)
        } else {
            text.to_lowercase().contains(&self.text)
        }
    }
}

/// A row while it is matched; its text is built at most once.
pub struct RowText<'a> {
    row: &'a Row,
    context: &'a DisplayContext<'a>,
    text: OnceCell<String>,
    lower: OnceCell<String>,
}

impl<'a> RowText<'a> {
    pub fn new(row: &'a Row, context: &'a DisplayContext<'a>) -> Self {
        Self {
            row,
            context,
            text: OnceCell::new(),
            lower: OnceCell::new(),
        }
    }

    fn text(&self) -> &str {
        self.text.get_or_init(|| row_text(self.row, self.context))
    }

    fn shows(&self, needle: &Needle) -> bool {
        let text = if needle.is_cased {
            self.text()
        } else {
            self.lower.get_or_init(|| self.text().to_lowercase())
        };
        text.contains(&needle.text)
    }

    fn values(&self, column: Column) -> Vec<Value> {
        let field = fields::field(column);
        match field.operands {
            Some(operands) => operands(self.row),
            None => vec![(field.value)(self.row, self.context)],
        }
    }
}
