//! No file has these settings on macOS and Windows.

use crate::check::PortSettings;
use crate::model::port::EphemeralRange;
use std::ops::RangeInclusive;

/// Returns the default of macOS (`net.inet.ip.portrange.hifirst`) and of Windows since Vista.
pub fn ephemeral_range() -> EphemeralRange {
    EphemeralRange::IANA
}

pub fn port_settings() -> PortSettings {
    PortSettings::default()
}

pub fn reserved_ports() -> Vec<RangeInclusive<u16>> {
    Vec::new()
}
