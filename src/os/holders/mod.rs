//! Which processes hold which sockets.
//!
//! On Linux no source of sockets says so: holders are searched for, kept and checked. Elsewhere the source itself does.

use crate::model::process::{Pid, ProcessId};

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
pub use elsewhere::Holders;
#[cfg(target_os = "linux")]
pub use linux::Holders;

/// A socket whose holders are not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sought {
    pub inode: u32,
    pub uid: u32,
    /// It holds a port for itself: its holders are checked more often.
    pub is_standing: bool,
    /// A process that likely has it: the owner of the listener on its local port.
    pub neighbour: Option<Pid>,
}

/// A change in who holds a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    pub inode: u32,
    pub process: ProcessId,
    /// False: it no longer does.
    pub holds: bool,
}
