//! JSON of `list` and `watch`, an interface for scripts. Version 1: keys are added, never changed.

use crate::model::port::{EphemeralRange, PortClass, service};
use crate::model::process::Process;
use crate::model::socket::{Endpoint, Family, Interface, Owners};
use crate::model::text::SystemText;
use crate::report::watch::SocketEvent;
use crate::wording::SHORT_LIVED_MISSED;
use serde::Serialize;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::SystemTime;

#[derive(Serialize)]
pub struct JsonReport {
    pub version: u8,
    /// RFC 3339 in UTC, with milliseconds.
    pub taken_at: String,
    /// Number of endpoints in scope whose owner is hidden, whether they match or not.
    pub hidden_owners: usize,
    /// Number of endpoints that the scope leaves out.
    pub out_of_scope: usize,
    pub problems: Vec<String>,
    pub endpoints: Vec<JsonEndpoint>,
}

/// A line of `watch --json`.
#[derive(Serialize)]
pub struct JsonEvent {
    /// `opened`, `changed`, `replaced` or `closed`.
    event: &'static str,
    /// RFC 3339 in UTC, with milliseconds.
    at: String,
    endpoint: JsonEndpoint,
}

impl JsonEvent {
    pub fn new(event: &SocketEvent, ephemeral: EphemeralRange) -> Self {
        Self {
            event: event.kind.name(),
            at: format!("{:.3}", timestamp(event.at)),
            endpoint: JsonEndpoint::new(&event.row.endpoint, ephemeral),
        }
    }
}

/// A line of `watch --json` that says that short-lived sockets may be missing before it.
#[derive(Serialize)]
pub struct JsonMissed {
    /// `missed`
    event: &'static str,
    /// RFC 3339 in UTC, with milliseconds.
    at: String,
    message: &'static str,
}

impl JsonMissed {
    pub fn new(at: SystemTime) -> Self {
        Self {
            event: "missed",
            at: format!("{:.3}", timestamp(at)),
            message: SHORT_LIVED_MISSED,
        }
    }
}

#[derive(Serialize)]
pub struct JsonEndpoint {
    protocol: &'static str,
    family: &'static str,
    local: JsonAddress,
    remote: Option<JsonAddress>,
    /// As `ss` names it, in lower case.
    state: Option<String>,
    range: &'static str,
    ephemeral: bool,
    reach: &'static str,
    /// The interface that it is bound to (SO_BINDTODEVICE, or the scope of a link-local address).
    interface: Option<String>,
    uid: Option<u32>,
    user: Option<String>,
    owner_known: Option<&'static str>,
    owners: Vec<JsonOwner>,
    peer: Option<JsonPeer>,
    service: Option<&'static str>,
    label: Option<String>,
}

#[derive(Serialize)]
struct JsonAddress {
    address: IpAddr,
    port: u16,
}

#[derive(Serialize)]
pub(super) struct JsonOwner {
    pid: u32,
    /// The name of the program.
    name: String,
    /// The name of the main thread; null on systems without one.
    comm: Option<String>,
    command: Vec<String>,
    executable: Option<String>,
    directory: Option<String>,
    started_at: Option<String>,
}

#[derive(Serialize)]
struct JsonPeer {
    pid: u32,
    name: String,
}

impl JsonEndpoint {
    pub fn new(endpoint: &Endpoint, ephemeral: EphemeralRange) -> Self {
        let socket = &endpoint.socket;
        Self {
            protocol: socket.protocol.name(),
            family: match socket.family() {
                Family::Ipv4 => "ipv4",
                Family::Ipv6 => "ipv6",
            },
            local: address(socket.local),
            remote: socket.remote.map(address),
            state: socket.state.map(|state| state.name().to_ascii_lowercase()),
            range: PortClass::of(socket.port()).name(),
            ephemeral: ephemeral.contains(socket.port()),
            reach: socket.reach().name(),
            interface: socket.interface.as_ref().map(|one| interface(one)),
            uid: socket.uid,
            user: socket.user.as_ref().map(text),
            owner_known: match socket.owners {
                Owners::Known(_) => Some("yes"),
                Owners::NotFound(_) => Some("hidden"),
                Owners::NoProcess => Some("none"),
                Owners::Pending => None,
            },
            owners: socket
                .owners
                .known()
                .iter()
                .map(|process| owner(process))
                .collect(),
            peer: endpoint.relation.peer.as_ref().map(|peer| JsonPeer {
                pid: peer.pid().0,
                name: text(&peer.name),
            }),
            service: service(socket.protocol, socket.port()),
            label: None,
        }
    }
}

pub(super) fn owner(process: &Process) -> JsonOwner {
    JsonOwner {
        pid: process.pid().0,
        name: text(&process.name),
        comm: process.comm.as_ref().map(text),
        command: process.arguments().iter().map(text).collect(),
        executable: process.executable.as_ref().map(text),
        directory: process.directory.as_ref().map(text),
        started_at: process.started_at.map(|at| format!("{:.0}", timestamp(at))),
    }
}

fn address(address: SocketAddr) -> JsonAddress {
    JsonAddress {
        address: address.ip(),
        port: address.port(),
    }
}

/// Returns the raw name, or the index of an interface that is gone.
fn interface(interface: &Interface) -> String {
    let name = interface.name.as_ref().map(text);
    name.unwrap_or_else(|| interface.index.to_string())
}

/// Returns the raw text: JSON escapes control characters itself.
pub(super) fn text(text: &SystemText) -> String {
    text.raw().into_owned()
}

/// Prints one object over several lines.
pub(super) fn print_json(value: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

/// Converts a time, which jiff formats as in RFC 3339; the epoch if it is out of range.
pub fn timestamp(at: SystemTime) -> jiff::Timestamp {
    jiff::Timestamp::try_from(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::socket::State;
    use crate::model::testing::{process, socket};
    use serde_json::{Value, json};

    fn json_of(endpoint: &Endpoint) -> Value {
        let linux = EphemeralRange {
            first: 32768,
            last: 60999,
        };
        serde_json::to_value(JsonEndpoint::new(endpoint, linux)).expect("JSON")
    }

    #[test]
    fn an_endpoint_has_the_documented_keys_and_values() {
        let server = process(4242, "python3")
            .command("python3 -m http.server")
            .directory("/home/dev/app")
            .build();
        let mut endpoint = socket("127.0.0.1:62893")
            .to("127.0.0.1:51324")
            .owner(&server)
            .endpoint();
        endpoint.relation.peer = Some(process(812, "postgres").build());
        let expected = json!({
            "protocol": "tcp", "family": "ipv4",
            "local": { "address": "127.0.0.1", "port": 62893 },
            "remote": { "address": "127.0.0.1", "port": 51324 },
            "state": "established", "range": "dynamic", "ephemeral": false, "reach": "loopback",
            "interface": null,
            "uid": 1000, "user": "dev", "owner_known": "yes",
            "owners": [{
                "pid": 4242, "name": "python3", "comm": "python3", "command": ["python3", "-m", "http.server"],
                "executable": "/usr/bin/python3", "directory": "/home/dev/app",
                "started_at": "2026-01-31T09:00:00Z"
            }],
            "peer": { "pid": 812, "name": "postgres" }, "service": null, "label": null
        });
        assert_eq!(json_of(&endpoint), expected);
    }

    #[test]
    fn a_state_has_the_name_that_the_documents_promise() {
        let names = State::ALL.map(|state| {
            let endpoint = socket("127.0.0.1:1").state(state).endpoint();
            json_of(&endpoint)["state"]
                .as_str()
                .expect("a name")
                .to_owned()
        });
        let expected = "listen established syn_sent syn_recv fin_wait1 fin_wait2 time_wait close_wait last_ack closing \
                        closed bound unconn";
        assert_eq!(names.join(" "), expected);
    }

    #[test]
    fn unknown_values_are_null() {
        let unknown = socket("0.0.0.0:53").udp().without_state().without_owner();
        let value = json_of(&unknown.endpoint());
        let unknown =
            ["remote", "state", "uid", "user", "peer", "label"].map(|key| value[key].clone());
        assert!(unknown.iter().all(Value::is_null), "{value}");
        assert_eq!(
            (&value["owner_known"], &value["service"]),
            (&json!("none"), &json!("domain"))
        );
    }
}
