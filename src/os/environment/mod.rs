//! Reads the [`Environment`]: host, user, own processes, ephemeral ports.

use crate::model::environment::Environment;
use crate::model::port::Localhost;
use crate::model::text::escaped;
use crate::os::interfaces;
use crate::os::processes::{self, pid_namespace};
use std::collections::BTreeSet;
use std::net::IpAddr;
use sysinfo::{NetworkData, Networks, System};

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod system;

pub use system::{ephemeral_range, lacks_privilege_for, port_settings, reserved_ports};

/// Reads the environment of this process.
pub fn read() -> Environment {
    let localhost = interfaces::Lookup::of_localhost();
    Environment {
        host: System::host_name().map_or_else(|_| String::new(), |name| escaped(&name)),
        ephemeral: ephemeral_range(),
        uid: processes::invoking_uid(),
        self_pids: pid_namespace::own_pid().map_or_else(Vec::new, processes::self_pids),
        pids_problem: pid_namespace::problem(),
        executable: executable(),
        home: home(),
        is_ssh: std::env::var_os("SSH_CONNECTION").is_some_and(|value| !value.is_empty()),
        // Last: it is under way while the rest is read.
        localhost: Localhost::new(&localhost.finish()),
    }
}

/// Returns the current addresses of this machine that are not loopback, sorted.
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

/// Absolute path of portmon, for running it again: without the mark that Linux adds once the file was replaced.
fn executable() -> Option<String> {
    let path = std::env::current_exe().ok()?.display().to_string();
    Some(path.strip_suffix(" (deleted)").unwrap_or(&path).to_owned())
}

fn home() -> Option<String> {
    let home = std::env::home_dir()?.into_os_string().into_string().ok()?;
    Some(home).filter(|home| !home.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::process::Pid;

    #[test]
    fn self_pids_begin_with_portmon() {
        let self_pids = read().self_pids;
        assert_eq!(self_pids.first(), Some(&Pid(std::process::id())));
        assert!(self_pids.len() > 1, "{self_pids:?}");
    }

    #[test]
    fn no_address_of_the_machine_is_loopback() {
        assert!(!addresses().iter().any(IpAddr::is_loopback));
    }
}
