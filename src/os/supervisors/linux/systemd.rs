//! Asks systemd with `systemctl show`, whose output is a stable interface (systemctl(1)).

use super::{TIMEOUT, subprocess};
use crate::model::port::Port;
use crate::model::process::{Manager, Pid, Unit};
use crate::model::socket::Protocol;
use crate::model::text::SystemText;
use crate::os::processes;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where distributions install it. It may run as root before any confirmation, so PATH is not searched.
const PROGRAMS: [&str; 2] = ["/usr/bin/systemctl", "/bin/systemctl"];

/// Parent of the users' runtime directories, in which their managers listen (pam_systemd(8)).
const RUNTIME: &str = "/run/user";

/// Runs `systemctl`.
pub struct Systemctl {
    /// Paths of the program; the first that exists is run.
    pub programs: Vec<PathBuf>,
    pub runtime: PathBuf,
    pub timeout: Duration,
}

impl Systemctl {
    /// The one of this machine.
    pub fn installed() -> Self {
        Self {
            programs: PROGRAMS.map(PathBuf::from).to_vec(),
            runtime: RUNTIME.into(),
            timeout: TIMEOUT,
        }
    }

    /// Adds main process, restart policy and sockets of a service.
    pub fn complete(&self, unit: &mut Unit) {
        if !unit.has_valid_name() {
            return;
        }
        let name = unit.name.raw().into_owned();
        let properties = "Id,LoadState,MainPID,Restart,TriggeredBy";
        let output = self.show(unit.manager, properties, &name);
        // An alias has the Id of its target.
        let is_loaded = |properties: &UnitProperties| {
            properties.value("Id") == Some(&name) && properties.value("LoadState") == Some("loaded")
        };
        let mut units = output.as_deref().into_iter().flat_map(parse_units);
        let Some(properties) = units.find(is_loaded) else {
            return;
        };
        // 0 means that the service has no main process.
        let main = properties.value("MainPID").and_then(|pid| pid.parse().ok());
        unit.main = main.filter(|pid| *pid != 0).map(Pid);
        unit.restart = properties.value("Restart").map(str::to_owned);
        let is_socket = |name: &SystemText| name.raw().ends_with(".socket");
        unit.triggered_by = properties.names("TriggeredBy").filter(is_socket).collect();
    }

    /// Returns the socket unit on a port, which this manager holds open until a client connects.
    pub fn socket_on(&self, port: Port, manager: Manager) -> Option<Unit> {
        let output = self.show(manager, "Id,ActiveState,Listen,Triggers", "*.socket")?;
        parse_units(&output).find_map(|properties| {
            let is_active = properties.value("ActiveState") == Some("active");
            let mut places = properties.values("Listen");
            let is_on = is_active && places.any(|place| listens_on(place, port));
            let mut unit = Unit::new(properties.value("Id").filter(|_| is_on)?.into(), manager);
            unit.triggers = properties.names("Triggers").collect();
            Some(unit)
        })
    }

    fn show(&self, manager: Manager, properties: &str, names: &str) -> Option<String> {
        let program = self.programs.iter().find(|program| program.is_file())?;
        let properties = format!("--property={properties}");
        let show = ["show", "--no-pager", &properties, "--", names];
        match manager {
            Manager::System => subprocess::output(program, &show, &[], self.timeout),
            Manager::User => {
                let arguments = [&["--user"], &show[..]].concat();
                // systemctl finds the user's manager and bus in there.
                let variables = [("XDG_RUNTIME_DIR", runtime_directory(&self.runtime)?)];
                subprocess::output(program, &arguments, &variables, self.timeout)
            }
            Manager::OtherUser(_) => None,
        }
    }
}

/// Returns the runtime directory of this user; `None` under sudo, where the invoking user's manager cannot be reached.
///
/// The path is made from the uid: XDG_RUNTIME_DIR may be another user's, as su(1) leaves it. A directory that another user
/// owns is refused.
fn runtime_directory(runtime: &Path) -> Option<PathBuf> {
    let own = rustix::process::geteuid().as_raw();
    let directory = runtime.join(own.to_string());
    let found = fs::symlink_metadata(&directory).ok()?;
    let is_own = found.is_dir() && found.uid() == own && processes::invoking_uid() == Some(own);
    is_own.then_some(directory)
}

/// The properties of one unit.
struct UnitProperties<'o>(&'o str);

/// Splits the output of `show`, which has an empty line between units.
fn parse_units(output: &str) -> impl Iterator<Item = UnitProperties<'_>> {
    output.split("\n\n").map(UnitProperties)
}

impl<'o> UnitProperties<'o> {
    /// Returns the values of a property; a list of structures has a line for each.
    fn values(&self, property: &str) -> impl Iterator<Item = &'o str> {
        self.0.lines().filter_map(move |line| {
            let (name, value) = line.split_once('=')?;
            (name == property && !value.is_empty()).then_some(value)
        })
    }

    fn value(&self, property: &str) -> Option<&'o str> {
        self.values(property).next()
    }

    fn names(&self, property: &str) -> impl Iterator<Item = SystemText> {
        let names = self.value(property).unwrap_or_default();
        names.split_ascii_whitespace().map(SystemText::from)
    }
}

/// True if a value of `Listen` is this port: `[::]:22 (Stream)`, `127.0.0.1:53 (Datagram)`, `[fe80::1]:80%eth0 (Stream)`.
/// Other values are paths, `@names` and `vsock:2:1234`.
fn listens_on(place: &str, port: Port) -> bool {
    let kind = match port.protocol {
        Protocol::Tcp => " (Stream)",
        Protocol::Udp => " (Datagram)",
    };
    let place = place.strip_suffix(kind);
    let Some((address, number)) = place.and_then(|place| place.rsplit_once(':')) else {
        return false;
    };
    let number = number.split('%').next().unwrap_or_default();
    let is_internet = address.starts_with(|first: char| first == '[' || first.is_ascii_digit());
    is_internet && number.parse() == Ok(port.number)
}

#[cfg(test)]
mod tests;
