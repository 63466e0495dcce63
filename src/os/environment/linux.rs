//! `/proc/sys/net/ipv4` of the network namespace this runs in (ip(7), `networking/ip-sysctl.rst` of the kernel).

use crate::check::PortSettings;
use crate::model::port::EphemeralRange;
use std::fs;
use std::ops::RangeInclusive;

/// The default range, for where `/proc` cannot be read.
const DEFAULT_RANGE: EphemeralRange = EphemeralRange {
    first: 32768,
    last: 60999,
};

/// First port that needs no privilege, for where `/proc` cannot be read.
const DEFAULT_UNPRIVILEGED_FROM: u16 = 1024;

/// Bit 10 of the capabilities (`linux/capability.h`).
const CAP_NET_BIND_SERVICE: u64 = 1 << 10;

/// Returns the ports that the kernel gives to sockets that ask for no port.
pub fn ephemeral_range() -> EphemeralRange {
    read("ip_local_port_range")
        .and_then(|text| parse_range(&text))
        .unwrap_or(DEFAULT_RANGE)
}

/// Returns the settings that decide who may bind a port.
pub fn port_settings() -> PortSettings {
    PortSettings {
        unprivileged_from: read("ip_unprivileged_port_start")
            .and_then(|text| text.trim().parse().ok()),
        shares_ports_with_windows: shares_ports_with_windows(),
        reserved: reserved_ports(),
    }
}

/// True if the port is privileged and this process has not the capability to bind it, which the kernel tells by EACCES
/// (bind(2)). Security modules and seccomp filters refuse binds with the same error, for another reason.
pub fn lacks_privilege_for(port: u16) -> bool {
    let from = port_settings().unprivileged_from;
    port < from.unwrap_or(DEFAULT_UNPRIVILEGED_FROM) && !may_bind_privileged_ports()
}

/// Reads the effective capabilities (`CapEff` of proc_pid_status(5)); false if they cannot be read.
fn may_bind_privileged_ports() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    effective.is_some_and(|mask| mask & CAP_NET_BIND_SERVICE != 0)
}

/// Returns whether WSL mirrors the network of Windows, whose loopback interface then is loopback0
/// (<https://learn.microsoft.com/windows/wsl/networking>).
fn shares_ports_with_windows() -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease");
    let interfaces = fs::read_to_string("/proc/net/dev");
    is_mirrored(
        &release.unwrap_or_default(),
        &interfaces.unwrap_or_default(),
    )
}

/// Takes the release of the kernel and the table of interfaces (proc_pid_net(5)).
fn is_mirrored(release: &str, interfaces: &str) -> bool {
    let is_wsl = release.to_ascii_lowercase().contains("microsoft");
    let is_loopback0 = |line: &str| line.trim_start().starts_with("loopback0:");
    is_wsl && interfaces.lines().any(is_loopback0)
}

/// Returns the ports that are never handed out as ephemeral ones.
pub fn reserved_ports() -> Vec<RangeInclusive<u16>> {
    read("ip_local_reserved_ports").map_or_else(Vec::new, |text| parse_ranges(&text))
}

fn read(name: &str) -> Option<String> {
    fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).ok()
}

fn parse_range(text: &str) -> Option<EphemeralRange> {
    let mut numbers = text.split_ascii_whitespace().map(str::parse);
    match (numbers.next()?, numbers.next()?) {
        (Ok(first), Ok(last)) => Some(EphemeralRange { first, last }),
        _ => None,
    }
}

/// Parses `8080,9148-9160`.
fn parse_ranges(text: &str) -> Vec<RangeInclusive<u16>> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    text.trim().split(',').filter_map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ephemeral_range_is_two_numbers() {
        assert_eq!(parse_range("32768\t60999\n"), Some(DEFAULT_RANGE));
        assert_eq!(parse_range("32768"), None);
        assert_eq!(parse_range(""), None);
    }

    #[test]
    fn wsl_mirrors_windows_where_it_has_its_loopback() {
        let wsl = "5.15.167.4-microsoft-standard-WSL2\n";
        let mirrored = "Inter-|   Receive\n    lo:    0\nloopback0:  12\n  eth0: 3\n";
        let nat = "    lo:    0\n  eth0: 3\n";
        let found = [
            (wsl, mirrored),
            (wsl, nat),
            ("6.8.0-31-generic\n", mirrored),
        ];
        let found = found.map(|(release, interfaces)| is_mirrored(release, interfaces));
        assert_eq!(found, [true, false, false]);
    }

    #[test]
    fn reserved_ports_are_single_ones_and_ranges() {
        assert_eq!(parse_ranges("8080,9148-9160\n"), [8080..=8080, 9148..=9160]);
        assert_eq!(parse_ranges("\n"), []);
    }
}
