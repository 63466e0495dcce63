//! A unit of systemd.

use super::Manager;
use crate::model::process::{Pid, shell};
use crate::model::text::SystemText;
use std::fmt::{self, Display};

/// What stands in names of units besides letters and digits (`VALID_CHARS` of systemd's `unit-name.h`).
const SIGNS: &str = r":-_.\@";

/// A service, scope or socket of systemd (systemd.unit(5)); what its manager did not tell is `None` or empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// As systemd writes it, such as `shop.service`, with its escapes.
    pub name: SystemText,
    pub manager: Manager,
    /// The process whose end is the end of a service (`MainPID=`).
    pub main: Option<Pid>,
    /// When systemd starts a service anew: `Restart=` of systemd.service(5).
    pub restart: Option<String>,
    /// The sockets that start a service with the next connection.
    pub triggered_by: Vec<SystemText>,
    /// Of a socket the services that it starts.
    pub triggers: Vec<SystemText>,
    /// Whether portmon itself runs in it, so that to stop it would end portmon and the shell it was started in.
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

    /// Whether it may start again what ended. Not a scope, which only holds what others started, and not a service of which
    /// it is known that neither its manager nor a socket starts it.
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

    pub fn is_socket(&self) -> bool {
        self.name.raw().ends_with(".socket")
    }

    /// Whether systemd can have given the name. Anybody may name a control group of their own otherwise, and systemctl takes
    /// `*.service` for every service there is, `/` for a path and `-` for a flag.
    pub fn has_valid_name(&self) -> bool {
        word(&self.name).is_some()
    }

    /// The command that stops it and its sockets, which would start it again.
    ///
    /// None of a scope: what it holds may be a whole login. None of the unit that portmon runs in, nor of a name that
    /// systemctl would take for another.
    pub fn stop_command(&self) -> Option<String> {
        let can_stop = (self.is_service() || self.is_socket()) && !self.is_own;
        let systemctl = match self.manager {
            Manager::System => "systemctl".to_owned(),
            Manager::User => "systemctl --user".to_owned(),
            // systemctl(1): what stands before the @ is a user, also by number.
            Manager::OtherUser(uid) => format!("sudo systemctl --user --machine={uid}@"),
        };
        let names = self.names_to_stop().map(word);
        let names: Vec<String> = names.collect::<Option<_>>()?;
        can_stop.then(|| format!("{systemctl} stop {}", names.join(" ")))
    }

    /// Sockets first, so that none of them starts its service in between; without templates, which cannot be stopped.
    fn names_to_stop(&self) -> impl Iterator<Item = &SystemText> {
        let is_instance = |name: &&SystemText| !name.raw().contains("@.");
        let own = std::iter::once(&self.name);
        let others = self.triggers.iter().filter(is_instance);
        self.triggered_by.iter().chain(own).chain(others)
    }
}

/// The name as a shell passes it to systemctl, which then takes it for one unit.
fn word(name: &SystemText) -> Option<String> {
    shell::name(name, SIGNS)
}

/// `shop.service (user)`, with systemd's escapes undone.
impl Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", unescaped(&self.name), self.manager)
    }
}

/// The name with `\x2d` and its like as what they stand for (systemd-escape(1)), which is then as untrusted as the name.
fn unescaped(name: &SystemText) -> SystemText {
    let raw = name.raw();
    let mut bytes = Vec::with_capacity(raw.len());
    let mut parts = raw.split(r"\x");
    bytes.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        let byte = part.get(..2).map(|digits| u8::from_str_radix(digits, 16));
        match (byte, part.get(2..)) {
            (Some(Ok(byte)), Some(rest)) => {
                bytes.push(byte);
                bytes.extend(rest.bytes());
            }
            _ => bytes.extend(br"\x".iter().copied().chain(part.bytes())),
        }
    }
    SystemText::new(&bytes)
}
