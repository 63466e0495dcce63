//! Candidates of the sockets whose owner was not found: see [`SocketCandidates`](crate::model::process::SocketCandidates).
//!
//! Finding them reads every process, so it happens only for a question, never in a poll.

#[cfg_attr(target_os = "linux", path = "linux/mod.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod system;

pub use system::{find, verify};
