//! Network interfaces: their names and addresses, and the addresses that arguments mean.

use crate::model::port::{AddressError, AddressSpec, Localhost};
use crate::os::bind_probe::resolve_localhost;
use std::net::IpAddr;

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod system;

pub use system::interface;

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
