//! Owners of sockets: the processes that have them open.
//!
//! On Linux no socket source reports them, so they are found through `/proc`, cached and verified. Elsewhere the source
//! reports the pid.

use crate::model::process::{Pid, ProcessId};
use crate::model::socket::OwnerHint;

#[cfg_attr(target_os = "linux", path = "linux/mod.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod system;

pub use system::{OwnerResolver, SearchReport};

/// A socket whose owners are to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookupRequest {
    pub owner_hint: OwnerHint,
    pub uid: u32,
    /// It holds a port, so its owners are verified more often.
    pub holds_port: bool,
    /// A process that likely owns it: the owner of the listener on its local port.
    pub likely_owner: Option<Pid>,
}

/// The sockets on the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InView {
    pub hints: Vec<OwnerHint>,
    /// Those of their owners that may have run since the last update.
    pub active: Vec<Pid>,
}

/// A process that became an owner of a socket, or is none any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnerChange {
    pub owner_hint: OwnerHint,
    pub process: ProcessId,
    pub is_owner: bool,
}
