//! Signals that can be sent to a process.

use crate::model::platform::PLATFORM;
use std::fmt::{self, Display};

/// A signal, or on Windows the one thing that ends a process there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    Terminate,
    Interrupt,
    HangUp,
    Quit,
    Kill,
    /// Ends nothing: a suspended process runs again.
    Continue,
}

/// Signals of this system, in the order of the menu. Windows has none: `TerminateProcess` is all there is.
pub const SIGNALS: &[Signal] = if PLATFORM.has_signals() {
    &[
        Signal::Terminate,
        Signal::Interrupt,
        Signal::HangUp,
        Signal::Quit,
        Signal::Kill,
        Signal::Continue,
    ]
} else {
    &[Signal::Terminate]
};

impl Signal {
    /// Returns `SIGTERM`; on Windows the call that is made instead of a signal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminate | Self::Kill if !PLATFORM.has_signals() => "TerminateProcess",
            _ => self.signal_name(),
        }
    }

    fn signal_name(self) -> &'static str {
        match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
            Self::HangUp => "SIGHUP",
            Self::Quit => "SIGQUIT",
            Self::Kill => "SIGKILL",
            Self::Continue => "SIGCONT",
        }
    }

    /// Returns `TERM`, as kill(1) takes it.
    pub fn short_name(self) -> &'static str {
        self.signal_name().trim_start_matches("SIG")
    }

    /// Returns the signal of this system with this name: `TERM`, `SIGTERM` and `term` are the same.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        let name = name.strip_prefix("SIG").unwrap_or(&name);
        let mut signals = SIGNALS.iter().copied();
        signals.find(|signal| signal.short_name() == name)
    }

    /// Bit in the masks of `/proc/PID/status` (numbers as in signal(7), equal on every architecture); 0 for SIGKILL, which
    /// no process can block, ignore or catch, and for SIGCONT, where it is not needed.
    pub fn bit(self) -> u64 {
        match self {
            Self::Terminate => 1 << 14,
            Self::Interrupt => 1 << 1,
            Self::HangUp => 1,
            Self::Quit => 1 << 2,
            Self::Kill | Self::Continue => 0,
        }
    }

    /// True if portmon sends SIGCONT after this signal to a suspended process, which otherwise would not act on it.
    pub fn resumes(self) -> bool {
        match self {
            Self::Terminate | Self::Interrupt | Self::HangUp => true,
            Self::Quit | Self::Kill | Self::Continue => false,
        }
    }

    /// True if a process may survive it, so that a stronger signal is left.
    pub fn can_be_ignored(self) -> bool {
        self != Self::Kill && PLATFORM.has_signals()
    }
}

impl Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signal_names_parse_with_or_without_sig_in_any_case() {
        for text in ["TERM", "term", "SIGTERM", "sigterm"] {
            assert_eq!(Signal::named(text), Some(Signal::Terminate), "{text}");
        }
        for signal in SIGNALS {
            assert_eq!(Signal::named(signal.short_name()), Some(*signal));
        }
        assert_eq!(Signal::named("STOP"), None);
    }
}
