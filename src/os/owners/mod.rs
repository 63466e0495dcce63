//! Which processes hold which sockets.
//!
//! On Linux no source of sockets says so: holders are searched for, kept and checked. Elsewhere the source itself does.

use crate::model::process::{Pid, ProcessId};

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
pub use linux::OwnerResolver;
#[cfg(not(target_os = "linux"))]
pub use other::OwnerResolver;

/// A socket whose holders are not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookupRequest {
    pub inode: u32,
    pub uid: u32,
    /// It holds a port for itself: its holders are checked more often.
    pub holds_port: bool,
    /// A process that likely has it: the owner of the listener on its local port.
    pub likely_owner: Option<Pid>,
}

/// A change in who holds a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnerChange {
    pub inode: u32,
    pub process: ProcessId,
    /// False: it no longer does.
    pub is_owner: bool,
}
