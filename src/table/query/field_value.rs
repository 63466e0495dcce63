//! The part of a filter's word after a key: `3000-3999` of `port:`, `time-wait` of `state:`.

use crate::model::endpoint::State;
use crate::model::ports::PortClass;
use crate::model::text::escaped;
use crate::table::fields::{Column, Field};
use crate::table::query::condition::{Addresses, Condition, End, Needle, Ports};
use crate::table::query::numbers::{PID, PORT, UID, numbers};
use crate::table::query::piece::{Fault, Piece};
use crate::table::query::place::{address, no_protocol, protocol};
use ipnet::IpNet;

/// What is asked of one field. `whole` is the piece with the key, `value` the part after it.
pub fn of_field(field: &Field, whole: Piece<'_>, value: Piece<'_>) -> Result<Condition, Fault> {
    if value.text.is_empty() {
        return Err(whole.fault(format!("{} needs a value", whole.text)));
    }
    let column = field.column;
    match column {
        Column::Port => ports(value).map(|ports| Condition::Port {
            end: End::Local,
            ports,
        }),
        Column::RemotePort => ports(value).map(|ports| Condition::Port {
            end: End::Remote,
            ports,
        }),
        Column::State => state(value).map(Condition::State),
        Column::Proto => protocol(value.text)
            .map(Condition::Protocol)
            .ok_or_else(|| value.fault(no_protocol(value.text))),
        Column::Local => addresses(value).map(Condition::Address),
        Column::Pid => match numbers(value, PID)? {
            Some(numbers) => Ok(Condition::Number { column, numbers }),
            None => Err(value.fault(format!("{} is no pid", escaped(value.text)))),
        },
        Column::User => match numbers(value, UID)? {
            Some(numbers) => Ok(Condition::Number { column, numbers }),
            None => text(value).map(|needle| Condition::FieldText { column, needle }),
        },
        Column::Process
        | Column::Age
        | Column::What
        | Column::Remote
        | Column::Peer
        | Column::Service
        | Column::Command
        | Column::Range
        | Column::Uptime
        | Column::Directory
        | Column::Executable
        | Column::Queue => text(value).map(|needle| Condition::FieldText { column, needle }),
    }
}

pub fn text(piece: Piece<'_>) -> Result<Needle, Fault> {
    let text = piece.unquoted()?;
    if text.is_empty() {
        return Err(piece.fault("there is nothing between the quotes"));
    }
    Ok(Needle::new(text))
}

const CLASSES: [PortClass; 3] = [
    PortClass::WellKnown,
    PortClass::Registered,
    PortClass::Dynamic,
];

fn ports(piece: Piece<'_>) -> Result<Ports, Fault> {
    if let Some(numbers) = numbers(piece, PORT)? {
        return Ok(Ports::Numbers(numbers));
    }
    if piece.text.eq_ignore_ascii_case("ephemeral") {
        return Ok(Ports::Ephemeral);
    }
    let class = CLASSES
        .into_iter()
        .find(|class| piece.text.eq_ignore_ascii_case(class.name()));
    class.map(Ports::Class).ok_or_else(|| {
        piece.fault(format!(
            "{} is no port: 3000, 3000-3999, 300*, dynamic, registered, well-known or ephemeral",
            escaped(piece.text)
        ))
    })
}

/// Other words for states, written plainly: see [`plain`].
const OTHER_NAMES: [(&str, State); 3] = [
    ("listening", State::Listen),
    ("estab", State::Established),
    ("udp", State::Unconn),
];

fn state(piece: Piece<'_>) -> Result<State, Fault> {
    let name = plain(piece.text);
    State::ALL
        .into_iter()
        .find(|state| plain(state.name()) == name)
        .or_else(|| {
            let other = OTHER_NAMES.iter().find(|(other, _)| *other == name);
            other.map(|(_, state)| *state)
        })
        .ok_or_else(|| {
            piece.fault(format!(
                "{} is no state: listen, established, time-wait, close-wait, bound, udp …",
                escaped(piece.text)
            ))
        })
}

/// `TIME_WAIT`, `time-wait` and `TimeWait` are one name.
fn plain(name: &str) -> String {
    name.replace(['_', '-'], "").to_ascii_lowercase()
}

fn addresses(piece: Piece<'_>) -> Result<Addresses, Fault> {
    if piece.text.eq_ignore_ascii_case("localhost") {
        return Ok(Addresses::Loopback);
    }
    if piece.text == "*" {
        return Ok(Addresses::Wildcard);
    }
    let net = match address(piece.text) {
        Some(ip) => Some(IpNet::from(ip)),
        None => piece.text.parse().ok(),
    };
    net.map(Addresses::Net).ok_or_else(|| {
        piece.fault(format!(
            "{} is no address: 127.0.0.1, ::1, 10.0.0.0/8, localhost or *",
            escaped(piece.text)
        ))
    })
}
