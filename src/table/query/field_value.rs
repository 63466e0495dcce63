//! The value after a key: `3000-3999` of `port:`, `time-wait` of `state:`.

use crate::model::port::PortClass;
use crate::model::socket::State;
use crate::model::text::escaped;
use crate::table::fields::{Column, Field};
use crate::table::query::condition::{Addresses, Condition, Needle, PortEnd, Ports};
use crate::table::query::endpoint_spec::{address, no_protocol, protocol};
use crate::table::query::numbers::{PID, PORT, UID, numbers};
use crate::table::query::token::{Token, TokenError};
use ipnet::IpNet;

/// Reads the value of a filter word with a key into what it asks of the column.
pub type ValueReader = fn(Column, Token<'_>) -> Result<Condition, TokenError>;

/// Parses the condition on one field. `whole` is the token with its key, `value` the part after it.
pub fn field_condition(
    field: &Field,
    whole: Token<'_>,
    value: Token<'_>,
) -> Result<Condition, TokenError> {
    if value.text.is_empty() {
        return Err(whole.error(format!("{} needs a value", whole.text)));
    }
    let condition = field
        .key
        .map_or(field_text as ValueReader, |(_, condition)| condition);
    condition(field.column, value)
}

pub fn local_port(_: Column, value: Token<'_>) -> Result<Condition, TokenError> {
    let end = PortEnd::Local;
    ports(value).map(|ports| Condition::Port { end, ports })
}

pub fn remote_port(_: Column, value: Token<'_>) -> Result<Condition, TokenError> {
    let end = PortEnd::Remote;
    ports(value).map(|ports| Condition::Port { end, ports })
}

pub fn of_state(_: Column, value: Token<'_>) -> Result<Condition, TokenError> {
    state(value).map(Condition::State)
}

pub fn of_protocol(_: Column, value: Token<'_>) -> Result<Condition, TokenError> {
    protocol(value.text)
        .map(Condition::Protocol)
        .ok_or_else(|| value.error(no_protocol(value.text)))
}

pub fn local_address(_: Column, value: Token<'_>) -> Result<Condition, TokenError> {
    addresses(value).map(Condition::Address)
}

pub fn pid(column: Column, value: Token<'_>) -> Result<Condition, TokenError> {
    match numbers(value, PID)? {
        Some(numbers) => Ok(Condition::Number { column, numbers }),
        None => Err(value.error(format!("not a pid: {}", escaped(value.text)))),
    }
}

/// Reads a uid, else a name.
pub fn user(column: Column, value: Token<'_>) -> Result<Condition, TokenError> {
    match numbers(value, UID)? {
        Some(numbers) => Ok(Condition::Number { column, numbers }),
        None => field_text(column, value),
    }
}

pub fn field_text(column: Column, value: Token<'_>) -> Result<Condition, TokenError> {
    text(value).map(|needle| Condition::FieldText { column, needle })
}

pub fn text(token: Token<'_>) -> Result<Needle, TokenError> {
    let text = token.unquoted()?;
    if text.is_empty() {
        return Err(token.error("nothing between the quotes"));
    }
    Ok(Needle::new(text))
}

fn ports(token: Token<'_>) -> Result<Ports, TokenError> {
    if let Some(numbers) = numbers(token, PORT)? {
        return Ok(Ports::Numbers(numbers));
    }
    if token.text.eq_ignore_ascii_case("ephemeral") {
        return Ok(Ports::Ephemeral);
    }
    let classes = [
        PortClass::WellKnown,
        PortClass::Registered,
        PortClass::Dynamic,
    ];
    let class = classes
        .into_iter()
        .find(|class| token.text.eq_ignore_ascii_case(class.name()));
    class.map(Ports::Class).ok_or_else(|| {
        token.error(format!(
            "not a port: {} (try 3000, 3000-3999, 300*, dynamic, registered, well-known or ephemeral)",
            escaped(token.text)
        ))
    })
}

/// Other names of states, normalized as by [`plain`].
const OTHER_NAMES: [(&str, State); 3] = [
    ("listening", State::Listen),
    ("estab", State::Established),
    ("udp", State::Unconn),
];

fn state(token: Token<'_>) -> Result<State, TokenError> {
    let name = plain(token.text);
    State::ALL
        .into_iter()
        .find(|state| plain(state.name()) == name)
        .or_else(|| {
            let other = OTHER_NAMES.iter().find(|(other, _)| *other == name);
            other.map(|(_, state)| *state)
        })
        .ok_or_else(|| {
            token.error(format!(
                "not a state: {} (try listen, established, time-wait, close-wait, bound or udp)",
                escaped(token.text)
            ))
        })
}

/// Normalizes a name: `TIME_WAIT`, `time-wait` and `TimeWait` are the same.
fn plain(name: &str) -> String {
    name.replace(['_', '-'], "").to_ascii_lowercase()
}

fn addresses(token: Token<'_>) -> Result<Addresses, TokenError> {
    if token.text.eq_ignore_ascii_case("localhost") {
        return Ok(Addresses::Loopback);
    }
    if token.text == "*" {
        return Ok(Addresses::Wildcard);
    }
    let net = match address(token.text) {
        Some(ip) => Some(IpNet::from(ip)),
        None => token.text.parse().ok(),
    };
    net.map(Addresses::Net).ok_or_else(|| {
        token.error(format!(
            "not an address: {} (try 127.0.0.1, ::1, 10.0.0.0/8, localhost or *)",
            escaped(token.text)
        ))
    })
}
