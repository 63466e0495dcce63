//! No file has these settings on macOS and Windows.

use crate::check::PortSettings;
use crate::model::platform::PLATFORM;
use crate::model::port::EphemeralRange;
use crate::os::processes;
use std::ops::RangeInclusive;

/// First port that needs no privilege (`IPPORT_RESERVED` of netinet/in.h).
const FIRST_UNPRIVILEGED: u16 = 1024;

/// Returns the default of macOS (`net.inet.ip.portrange.hifirst`) and of Windows since Vista.
pub fn ephemeral_range() -> EphemeralRange {
    EphemeralRange::IANA
}

pub fn port_settings() -> PortSettings {
    PortSettings::default()
}

/// True if macOS refuses the port to this user. Windows refuses excluded ports to everybody, and those are not free.
pub fn lacks_privilege_for(port: u16) -> bool {
    PLATFORM.denies_only_privileged_ports() && port < FIRST_UNPRIVILEGED && !processes::is_root()
}

pub fn reserved_ports() -> Vec<RangeInclusive<u16>> {
    Vec::new()
}
