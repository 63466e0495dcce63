//! Network interfaces: their names and addresses, and the addresses that arguments mean.

use crate::model::port::{AddressError, AddressSpec, Localhost};
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod system;

pub use system::{bind_to, describe};

/// Longest time that a look-up of `localhost` may take: without its line in hosts(5), name servers are asked.
const LOOKUP_TIMEOUT: Duration = Duration::from_millis(100);

/// A look-up of `localhost` under way, on a thread of its own.
pub struct Lookup {
    receiver: Receiver<Vec<IpAddr>>,
    until: Instant,
}

impl Lookup {
    pub fn of_localhost() -> Self {
        Self::of(query_localhost)
    }

    fn of(query: impl FnOnce() -> Vec<IpAddr> + Send + 'static) -> Self {
        let (found, receiver) = channel();
        let until = Instant::now() + LOOKUP_TIMEOUT;
        // Without a thread there is no answer.
        let _ = thread::Builder::new().spawn(move || {
            let _ = found.send(query());
        });
        Self { receiver, until }
    }

    /// Returns the addresses, each once, in the order in which clients try them; without an answer in time those of RFC
    /// 6761.
    pub fn finish(self) -> Vec<IpAddr> {
        let left = self.until.saturating_duration_since(Instant::now());
        let found = self.receiver.recv_timeout(left);
        found.unwrap_or_else(|_| Localhost::default().ips().collect())
    }
}

/// Looks up `localhost` and waits for the answer, for a short time.
pub fn resolve_localhost() -> Vec<IpAddr> {
    Lookup::of_localhost().finish()
}

/// Asks the system what `localhost` is, however long that takes.
fn query_localhost() -> Vec<IpAddr> {
    let mut ips = Vec::new();
    for address in ("localhost", 0).to_socket_addrs().into_iter().flatten() {
        if !ips.contains(&address.ip()) {
            ips.push(address.ip());
        }
    }
    ips
}

/// Looks up `localhost` and the index of an interface.
pub fn resolve(address: AddressSpec) -> Result<AddressSpec, AddressError> {
    match address {
        AddressSpec::Localhost(_) => {
            let localhost = Localhost::new(&resolve_localhost());
            Ok(AddressSpec::Localhost(localhost))
        }
        AddressSpec::Ip(IpAddr::V6(v6)) if v6.is_unicast_link_local() => {
            Err(AddressError::NeedsInterface(v6))
        }
        AddressSpec::OnInterface { ip, interface, .. } => {
            let index = system::index(interface.as_str());
            let index = index.ok_or(AddressError::UnknownInterface(interface))?;
            Ok(AddressSpec::OnInterface {
                ip,
                interface,
                index,
            })
        }
        AddressSpec::Any | AddressSpec::Ip(_) => Ok(address),
    }
}

#[cfg(test)]
mod tests;
