//! What stands behind a process and may start it anew: a unit of systemd, a container.
//!
//! It tells facts and names the command that ends them for good. It must never be taken for permission to run one.

mod container;
mod unit;

pub use container::{Container, Engine, Published};
pub use unit::Unit;

use std::fmt::{self, Display};

/// What is known to stand behind one process; nothing where it is its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supervisor {
    pub unit: Option<Unit>,
    pub container: Option<Container>,
}

impl Supervisor {
    /// The command that stops what would start the process anew, to be run in a shell of the user portmon works for.
    ///
    /// Of a container that a unit runs it is the unit's: it would start the container anew.
    pub fn stop_command(&self) -> Option<String> {
        let unit = self.unit.as_ref().and_then(Unit::stop_command);
        unit.or_else(|| self.container.as_ref()?.stop_command())
    }
}

/// Whose a service manager or an engine of containers is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Manager {
    System,
    /// That of the user portmon works for.
    User,
    OtherUser(u32),
}

impl Manager {
    /// That of the user with this uid.
    pub fn of_user(uid: u32, invoking: Option<u32>) -> Self {
        if invoking == Some(uid) {
            Self::User
        } else {
            Self::OtherUser(uid)
        }
    }
}

/// What follows a name: nothing for the system's.
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
