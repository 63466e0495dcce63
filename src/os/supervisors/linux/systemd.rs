//! Asks systemd through `systemctl show`, whose output is an interface (systemctl(1)); without it nothing is known.

use super::{TIMEOUT, subprocess};
use crate::model::endpoint::Protocol;
use crate::model::process::Pid;
use crate::model::supervisor::{Manager, Unit};
use crate::model::text::SystemText;
use crate::os::processes;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where distributions put it. It may be asked as root, before anybody has agreed to anything, so that what PATH finds in
/// somebody's directory is not it.
const PROGRAMS: [&str; 2] = ["/usr/bin/systemctl", "/bin/systemctl"];

/// Where users have the directories in which their managers listen (pam_systemd(8)).
const RUNTIME: &str = "/run/user";

/// What asks the managers.
pub struct Systemctl {
    /// The first that there is.
    programs: Vec<PathBuf>,
    /// Where the users have their directories.
    runtime: PathBuf,
    /// How long it has for an answer.
    within: Duration,
}

impl Systemctl {
    /// That of this machine.
    pub fn installed() -> Self {
        Self::at(
            PROGRAMS.map(PathBuf::from).to_vec(),
            RUNTIME.into(),
            TIMEOUT,
        )
    }

    pub fn at(programs: Vec<PathBuf>, runtime: PathBuf, within: Duration) -> Self {
        Self {
            programs,
            runtime,
            within,
        }
    }

    /// Adds what the manager of a service says of it.
    pub fn complete(&self, unit: &mut Unit) {
        if !unit.has_valid_name() {
            return;
        }
        let name = unit.name.raw().into_owned();
        let wanted = "Id,LoadState,MainPID,Restart,TriggeredBy";
        let Some(output) = self.show(unit.manager, wanted, &name) else {
            return;
        };
        // An alias is shown by the name of what it stands for.
        let is_it = |properties: &UnitProperties| {
            properties.value("Id") == Some(&name) && properties.value("LoadState") == Some("loaded")
        };
        let Some(properties) = parse_units(&output).find(is_it) else {
            return;
        };
        unit.main = properties.value("MainPID").and_then(pid);
        unit.restart = properties.value("Restart").map(str::to_owned);
        let triggers = properties.names("TriggeredBy");
        unit.triggered_by = triggers
            .filter(|name| name.raw().ends_with(".socket"))
            .collect();
    }

    /// The sockets that this manager keeps open on a port.
    pub fn sockets_listening_on(
        &self,
        port: u16,
        protocol: Protocol,
        manager: Manager,
    ) -> Vec<Unit> {
        let Some(output) = self.show(manager, "Id,ActiveState,Listen,Triggers", "*.socket") else {
            return Vec::new();
        };
        let is_on = |properties: &UnitProperties| {
            properties.value("ActiveState") == Some("active")
                && properties
                    .values("Listen")
                    .any(|place| listens_on(place, port, protocol))
        };
        let unit = |properties: UnitProperties| {
            let mut unit = Unit::new(properties.value("Id")?.into(), manager);
            unit.triggers = properties.names("Triggers").collect();
            Some(unit)
        };
        parse_units(&output)
            .filter(is_on)
            .filter_map(unit)
            .collect()
    }

    fn show(&self, manager: Manager, properties: &str, names: &str) -> Option<String> {
        let program = self.programs.iter().find(|program| program.is_file())?;
        let properties = format!("--property={properties}");
        let show = ["show", "--no-pager", &properties, "--", names];
        match manager {
            Manager::System => subprocess::output(program, &show, &[], self.within),
            Manager::User => {
                let arguments = [&["--user"], &show[..]].concat();
                // systemctl finds the manager's socket and the bus of the user in there.
                let variables = [("XDG_RUNTIME_DIR", own_directory(&self.runtime)?)];
                subprocess::output(program, &arguments, &variables, self.within)
            }
            Manager::OtherUser(_) => None,
        }
    }
}

/// The directory of the user that this runs as and works for: under sudo that user's manager is not to be reached.
///
/// Its name is made from the uid: a variable that root has kept from another user, as su(1) leaves it, would lead to that
/// one's manager. Whoever could put something else in its place is not asked either.
fn own_directory(runtime: &Path) -> Option<PathBuf> {
    let own = rustix::process::geteuid().as_raw();
    let directory = runtime.join(own.to_string());
    let found = fs::symlink_metadata(&directory).ok()?;
    let is_own = found.is_dir() && found.uid() == own && processes::invoking_uid() == Some(own);
    is_own.then_some(directory)
}

/// The properties of one unit.
struct UnitProperties<'o>(&'o str);

/// What `show` prints of several units has an empty line between them.
fn parse_units(output: &str) -> impl Iterator<Item = UnitProperties<'_>> {
    output.split("\n\n").map(UnitProperties)
}

impl<'o> UnitProperties<'o> {
    /// The values of a property, of which one that is a list of structures has a line for each.
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

/// 0 where a service has no main process.
fn pid(text: &str) -> Option<Pid> {
    text.parse().ok().filter(|pid| *pid != 0).map(Pid)
}

/// `[::]:22 (Stream)`, `127.0.0.1:53 (Datagram)`, `[fe80::1]:80%eth0 (Stream)`; others are paths, `@names` and `vsock:2:1234`.
fn listens_on(place: &str, port: u16, protocol: Protocol) -> bool {
    let kind = match protocol {
        Protocol::Tcp => " (Stream)",
        Protocol::Udp => " (Datagram)",
    };
    let Some((address, number)) = place
        .strip_suffix(kind)
        .and_then(|place| place.rsplit_once(':'))
    else {
        return false;
    };
    let number = number.split('%').next().unwrap_or_default();
    let is_internet = address.starts_with(|first: char| first == '[' || first.is_ascii_digit());
    is_internet && number.parse() == Ok(port)
}

#[cfg(test)]
mod tests;
