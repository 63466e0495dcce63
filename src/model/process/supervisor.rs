//! The supervisor of a process, which may restart it: a systemd unit, a container.
//!
//! Names the command that stops it; nothing here is permission to run one.

mod container;
mod unit;

pub use container::{Container, Engine, Published};
pub use unit::Unit;

use std::fmt::{self, Display};

/// What restarts a process, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supervisor {
    pub unit: Option<Unit>,
    pub container: Option<Container>,
    /// The engine that has started the process to forward a port, and answers that it runs no container that publishes it.
    pub left_over_from: Option<Engine>,
}

impl Supervisor {
    /// Returns the command that stops the supervisor, for a shell of the user portmon works for.
    ///
    /// A container that a unit runs is stopped through the unit, which would restart it.
    pub fn stop_command(&self) -> Option<String> {
        let unit = self.unit.as_ref().and_then(Unit::stop_command);
        unit.or_else(|| self.container.as_ref()?.stop_command())
    }
}

/// Owner of a service manager or container engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Manager {
    System,
    /// The user portmon works for.
    User,
    OtherUser(u32),
}

/// Written after a name; nothing for the system.
impl Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => Ok(()),
            Self::User => f.write_str(" (user)"),
            Self::OtherUser(uid) => write!(f, " (user {uid})"),
        }
    }
}

#[cfg(test)]
mod tests;
