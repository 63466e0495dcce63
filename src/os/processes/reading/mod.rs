//! Reads processes without a cache: from `/proc` on Linux, elsewhere with sysinfo.
//!
//! A reading must be of one process throughout; one where that is uncertain is left out.

use crate::model::process::Process;

#[cfg_attr(target_os = "linux", path = "linux/mod.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod system;
mod title;

pub use system::{ExecFingerprint, all_stats, exec_changed, read, usage};

/// One process as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Complete except for the name of the user.
    pub process: Process,
    pub fingerprint: ExecFingerprint,
    /// True if it is exiting and has lost its arguments and more; reported on Linux only.
    pub is_ending: bool,
}
