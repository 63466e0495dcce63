//! The operating system this program was built for, where a decision or a sentence depends on it.
//!
//! Code that calls the system differs by file in `os/`; everything else asks [`PLATFORM`].

use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    Linux,
    /// macOS, and any other Unix.
    MacOs,
    Windows,
}

pub const PLATFORM: Platform = if cfg!(target_os = "linux") {
    Platform::Linux
} else if cfg!(windows) {
    Platform::Windows
} else {
    Platform::MacOs
};

impl Platform {
    /// True if processes can be signaled. On Windows they can only be terminated.
    pub const fn has_signals(self) -> bool {
        !matches!(self, Self::Windows)
    }

    /// True if a TCP bind with SO_REUSEADDR only ignores TIME_WAIT. On Windows it would take the port from its owner, so it
    /// is never tried there.
    pub const fn has_safe_reuseaddr(self) -> bool {
        !matches!(self, Self::Windows)
    }

    /// True if EACCES from a bind below 1024 only means that the port is privileged. Windows refuses excluded ports
    /// in the same way, and those are not free.
    pub const fn denies_only_privileged_ports(self) -> bool {
        !matches!(self, Self::Windows)
    }

    /// True if a connect to a port without a listener is refused at once. Windows retries for longer than a connect probe
    /// waits.
    pub const fn refuses_connects_at_once(self) -> bool {
        !matches!(self, Self::Windows)
    }

    /// How long the kernel keeps a socket in TIME_WAIT, where that is fixed (`TCP_TIMEWAIT_LEN` in Linux's `net/tcp.h`).
    pub const fn time_wait(self) -> Option<Duration> {
        match self {
            Self::Linux => Some(Duration::from_mins(1)),
            Self::MacOs | Self::Windows => None,
        }
    }

    /// The pids of the system's own processes. On Unix 0 would be a whole process group and 1 is init; on Windows 4 is
    /// System.
    pub const fn is_system_pid(self, pid: u32) -> bool {
        pid <= 1 || matches!(self, Self::Windows) && pid == 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pid_4_is_the_system_only_on_windows() {
        let is_system = [0, 1, 2, 4].map(|pid| {
            let platforms = [Platform::Linux, Platform::MacOs, Platform::Windows];
            platforms.map(|platform| platform.is_system_pid(pid))
        });
        let expected = [[true; 3], [true; 3], [false; 3], [false, false, true]];
        assert_eq!(is_system, expected);
    }
}
