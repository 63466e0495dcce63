//! Reads the [`Environment`]: host, user, own processes, ephemeral ports.

use crate::model::environment::{Environment, PidsProblem};
use crate::model::ports::EphemeralRange;
use crate::model::text::escaped;
use crate::os::processes::{self, pid_namespace};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use sysinfo::{NetworkData, Networks, System};

/// Reads the environment of this process.
pub fn read() -> Environment {
    Environment {
        host: System::host_name().map_or_else(|_| String::new(), |name| escaped(&name)),
        ephemeral: ephemeral_range(),
        me: processes::invoking_uid(),
        self_pids: pid_namespace::own_pid().map_or_else(Vec::new, processes::self_pids),
        pids_problem: pids_problem(),
        executable: executable(),
        home: home(),
        is_ssh: std::env::var_os("SSH_CONNECTION").is_some_and(|value| !value.is_empty()),
        is_root: is_root(),
    }
}

/// Returns what is wrong with the pids in `/proc`, if anything.
pub fn pids_problem() -> Option<PidsProblem> {
    pid_namespace::problem()
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Windows has no such user; what may not be seen there may not be seen by this one.
#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// The addresses of this machine that are not loopback, as they are now.
pub fn addresses() -> Vec<IpAddr> {
    let Ok(networks) = Networks::new_with_refreshed_list() else {
        return Vec::new();
    };
    let addresses: BTreeSet<IpAddr> = networks
        .values()
        .flat_map(NetworkData::ip_networks)
        .map(|network| network.addr)
        .filter(|address| !address.is_loopback() && !address.is_unspecified())
        .collect();
    addresses.into_iter().collect()
}

#[cfg(target_os = "linux")]
/// What this machine gives to sockets that ask for no port.
pub fn ephemeral_range() -> EphemeralRange {
    std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|text| parse_range(&text))
        .unwrap_or(LINUX_DEFAULT)
}

/// The default of ip(7), for where `/proc` does not tell.
#[cfg(target_os = "linux")]
const LINUX_DEFAULT: EphemeralRange = EphemeralRange {
    first: 32768,
    last: 60999,
};

#[cfg(target_os = "linux")]
fn parse_range(text: &str) -> Option<EphemeralRange> {
    let mut numbers = text.split_ascii_whitespace().map(str::parse);
    match (numbers.next()?, numbers.next()?) {
        (Ok(first), Ok(last)) => Some(EphemeralRange { first, last }),
        _ => None,
    }
}

/// The ports that this machine never hands out by itself, because a program will ask for them by number.
#[cfg(target_os = "linux")]
pub fn reserved_ports() -> Vec<RangeInclusive<u16>> {
    std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_reserved_ports")
        .map_or_else(|_| Vec::new(), |text| parse_ranges(&text))
}

/// No other system has such a list, as far as is known here.
#[cfg(not(target_os = "linux"))]
pub fn reserved_ports() -> Vec<RangeInclusive<u16>> {
    Vec::new()
}

/// `8080,9148-9160`, as `ip_local_reserved_ports` is written (`networking/ip-sysctl.rst` of the kernel).
#[cfg(target_os = "linux")]
fn parse_ranges(text: &str) -> Vec<RangeInclusive<u16>> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    text.trim().split(',').filter_map(range).collect()
}

/// The default of macOS (`net.inet.ip.portrange.hifirst`) and of Windows since Vista.
#[cfg(not(target_os = "linux"))]
pub fn ephemeral_range() -> EphemeralRange {
    EphemeralRange::IANA
}

/// Absolute path of portmon, for running it again: without the mark that Linux adds once the file was replaced.
fn executable() -> Option<String> {
    let path = std::env::current_exe().ok()?.display().to_string();
    Some(path.strip_suffix(" (deleted)").unwrap_or(&path).to_owned())
}

fn home() -> Option<String> {
    let variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    std::env::var(variable).ok().filter(|home| !home.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::process::Pid;

    #[cfg(target_os = "linux")]
    #[test]
    fn an_ephemeral_range_is_two_numbers() {
        let linux = EphemeralRange {
            first: 32768,
            last: 60999,
        };
        assert_eq!(parse_range("32768\t60999\n"), Some(linux));
        assert_eq!(parse_range("32768"), None);
        assert_eq!(parse_range(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn reserved_ports_are_single_ones_and_ranges() {
        assert_eq!(parse_ranges("8080,9148-9160\n"), [8080..=8080, 9148..=9160]);
        assert_eq!(parse_ranges("\n"), []);
    }

    #[test]
    fn the_lineage_begins_with_this_process() {
        let self_pids = read().self_pids;
        assert_eq!(self_pids.first(), Some(&Pid(std::process::id())));
        assert!(self_pids.len() > 1, "{self_pids:?}");
    }

    #[test]
    fn no_address_of_the_machine_is_loopback() {
        assert!(!addresses().iter().any(IpAddr::is_loopback));
    }
}
