//! A unit of systemd.

use super::Manager;
use crate::model::process::{Pid, shell};
use crate::model::text::SystemText;
use std::fmt::{self, Display};

/// Signs in unit names, besides letters and digits (`VALID_CHARS` of systemd's `unit-name.h`).
const SIGNS: &str = r":-_.\@";

/// A service, scope or socket of systemd (systemd.unit(5)); what its manager did not report is `None` or empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// As systemd writes it, such as `shop.service`, with its escapes.
    pub name: SystemText,
    pub manager: Manager,
    /// Main process of a service (`MainPID=`).
    pub main: Option<Pid>,
    /// `Restart=` of a service (systemd.service(5)).
    pub restart: Option<String>,
    /// Sockets that start a service with the next connection.
    pub triggered_by: Vec<SystemText>,
    /// Services that a socket starts.
    pub triggers: Vec<SystemText>,
    /// True if portmon itself runs in it: stopping the unit would end portmon and its shell.
    pub is_own: bool,
}

impl Unit {
    pub fn new(name: SystemText, manager: Manager) -> Self {
        Self {
            name,
            manager,
            main: None,
            restart: None,
            triggered_by: Vec::new(),
            triggers: Vec::new(),
            is_own: false,
        }
    }

    /// True if the unit may restart its process. False for a scope, whose processes others start, and for a service
    /// with `Restart=no` that no socket starts.
    pub fn may_restart(&self) -> bool {
        if self.is_service() {
            !self.triggered_by.is_empty() || self.restart.as_deref() != Some("no")
        } else {
            self.is_socket()
        }
    }

    pub fn is_service(&self) -> bool {
        self.name.raw().ends_with(".service")
    }

    fn is_socket(&self) -> bool {
        self.name.raw().ends_with(".socket")
    }

    /// True if the name is valid for systemd. Anybody can create a control group with an invalid one, and systemctl
    /// would read `*.service` as all services, `/` as a path and `-` as a flag.
    pub fn has_valid_name(&self) -> bool {
        shell::name(&self.name, SIGNS).is_some()
    }

    /// Returns the command that stops the unit and its sockets, which would restart it.
    ///
    /// `None` for a scope, which may be a whole login, for the unit that portmon runs in, and for an invalid name.
    pub fn stop_command(&self) -> Option<String> {
        let can_stop = (self.is_service() || self.is_socket()) && !self.is_own;
        let systemctl = match self.manager {
            Manager::System => "systemctl".to_owned(),
            Manager::User => "systemctl --user".to_owned(),
            // systemctl(1): before the @ is a user, also by number.
            Manager::OtherUser(uid) => format!("sudo systemctl --user --machine={uid}@"),
        };
        // Sockets first, so that none starts its service in between. Templates cannot be stopped.
        let is_instance = |name: &&SystemText| !name.raw().contains("@.");
        let triggers = self.triggers.iter().filter(is_instance);
        let names = self.triggered_by.iter().chain([&self.name]).chain(triggers);
        let names: Option<Vec<String>> = names.map(|name| shell::name(name, SIGNS)).collect();
        let names = names.filter(|_| can_stop)?;
        Some(format!("{systemctl} stop {}", names.join(" ")))
    }
}

/// `shop.service (user)`, with systemd's escapes undone.
impl Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", unescaped(&self.name), self.manager)
    }
}

/// Decodes `\x2d` and other escapes (systemd-escape(1)).
fn unescaped(name: &SystemText) -> SystemText {
    let raw = name.raw();
    let mut parts = raw.split(r"\x");
    let mut bytes: Vec<u8> = parts.next().unwrap_or_default().into();
    for part in parts {
        let digits = part.get(..2);
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            bytes.extend(part.bytes().skip(2));
        } else {
            bytes.extend([r"\x", part].concat().bytes());
        }
    }
    SystemText::new(&bytes)
}
