//! What `/proc/sys` says of ports (ip(7)); it says so of the network namespace this runs in.

use crate::check::PortSettings;
use crate::os::environment;
use std::fs;

pub fn read() -> PortSettings {
    let setting = |name: &str| fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).ok();
    PortSettings {
        unprivileged_from: setting("ip_unprivileged_port_start")
            .and_then(|text| text.trim().parse().ok()),
        reserved: environment::reserved_ports(),
    }
}
