//! The value after a key: `3000-3999` of `port:`, `time-wait` of `state:`.

use crate::model::port::PortClass;
use crate::model::socket::{Protocol, State};
use crate::model::text::escaped;
use crate::table::fields::{Field, ValueSyntax};
use crate::table::query::condition::{Condition, Needle, PortEnd, Ports};
use crate::table::query::endpoint_spec::{address, not_a_protocol, scope};
use crate::table::query::numbers::{PID, PORT, UID, numbers};
use crate::table::query::token::{ParseError, Token};
use ipnet::IpNet;

/// Parses the value of a field.
pub fn field_condition(
    field: &Field,
    syntax: ValueSyntax,
    value: Token<'_>,
) -> Result<Condition, ParseError> {
    let column = field.column;
    let field_text = || text(value).map(|needle| Condition::FieldText { column, needle });
    let at = |end| ports(value).map(|ports| Condition::Port { end, ports });
    match syntax {
        ValueSyntax::LocalPort => at(PortEnd::Local),
        ValueSyntax::RemotePort => at(PortEnd::Remote),
        ValueSyntax::LocalAddress => Ok(Condition::Address {
            networks: networks(value)?,
            interface: scope(value.text),
        }),
        ValueSyntax::State => state(value).map(Condition::State),
        ValueSyntax::Protocol => match Protocol::named(value.text) {
            Some(protocol) => Ok(Condition::Protocol(protocol)),
            None => Err(not_a_protocol(value)),
        },
        ValueSyntax::Pid => match numbers(value, PID)? {
            Some(numbers) => Ok(Condition::Number { column, numbers }),
            None => Err(value.error(format!("not a pid: {} (try pid:4242)", escaped(value.text)))),
        },
        ValueSyntax::User => match numbers(value, UID)? {
            Some(numbers) => Ok(Condition::Number { column, numbers }),
            None => field_text(),
        },
        ValueSyntax::Text => field_text(),
    }
}

pub fn text(token: Token<'_>) -> Result<Needle, ParseError> {
    let text = token.unquoted()?;
    if text.is_empty() {
        return Err(token.error("nothing between the quotes"));
    }
    Ok(Needle::new(text))
}

fn ports(token: Token<'_>) -> Result<Ports, ParseError> {
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
    let examples = "3000, 3000-3999, 300*, dynamic, registered, well-known or ephemeral";
    class
        .map(Ports::Class)
        .ok_or_else(|| token.invalid("a port", examples))
}

/// Other names of states, normalized as by [`plain`].
const OTHER_NAMES: [(&str, State); 3] = [
    ("listening", State::Listen),
    ("estab", State::Established),
    ("udp", State::Unconn),
];

fn state(token: Token<'_>) -> Result<State, ParseError> {
    let name = plain(token.text);
    let names = State::ALL.map(|state| (plain(state.name()), state));
    let others = OTHER_NAMES.map(|(other, state)| (other.to_owned(), state));
    let examples = "listen, established, time-wait, close-wait, bound or udp";
    names
        .into_iter()
        .chain(others)
        .find(|(other, _)| *other == name)
        .map(|(_, state)| state)
        .ok_or_else(|| token.invalid("a state", examples))
}

/// Normalizes a name: `TIME_WAIT`, `time-wait` and `TimeWait` are the same.
fn plain(name: &str) -> String {
    name.replace(['_', '-'], "").to_ascii_lowercase()
}

fn networks(token: Token<'_>) -> Result<Vec<IpNet>, ParseError> {
    let texts: &[&str] = match token.text {
        "*" => &["0.0.0.0", "::"],
        name if name.eq_ignore_ascii_case("localhost") => &["127.0.0.0/8", "::1"],
        other => &[other],
    };
    let network = |text: &&str| match address(text) {
        Some(ip) => Some(IpNet::from(ip)),
        None => text.parse().ok(),
    };
    let networks: Option<Vec<IpNet>> = texts.iter().map(network).collect();
    let examples = "127.0.0.1, ::1, 10.0.0.0/8, localhost or *";
    networks.ok_or_else(|| token.invalid("an address", examples))
}
