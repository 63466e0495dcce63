//! Signals that can be sent to a process.

use crate::model::platform::PLATFORM;
use std::fmt::{self, Display};
use std::str::FromStr;

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
    /// `SIGTERM`; on Windows the call that is made instead of a signal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminate | Self::Kill if !PLATFORM.has_signals() => "TerminateProcess",
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
            Self::HangUp => "SIGHUP",
            Self::Quit => "SIGQUIT",
            Self::Kill => "SIGKILL",
            Self::Continue => "SIGCONT",
        }
    }

    /// Bit in the masks of `/proc/PID/status`; 0 for a signal that no process can block, ignore or catch. signal(7) has the
    /// numbers; they are the same on every architecture but for SIGCONT, whose bit is never needed.
    pub fn bit(self) -> u64 {
        match self {
            Self::Terminate => 1 << 14,
            Self::Interrupt => 1 << 1,
            Self::HangUp => 1,
            Self::Quit => 1 << 2,
            Self::Kill | Self::Continue => 0,
        }
    }

    /// True if SIGCONT follows when the process is suspended: until then it acts on nothing but SIGKILL.
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

/// Parse error: text that is not a signal of this system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSignal(String);

impl Display for UnknownSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = SIGNALS.iter().map(|signal| short(*signal)).collect();
        write!(f, "not a signal: {} (try {})", self.0, names.join(" "))
    }
}

impl std::error::Error for UnknownSignal {}

/// `TERM`, `SIGTERM` and `term` are the same.
impl FromStr for Signal {
    type Err = UnknownSignal;

    fn from_str(text: &str) -> Result<Self, UnknownSignal> {
        let wanted = text.to_ascii_uppercase();
        let wanted = wanted.strip_prefix("SIG").unwrap_or(&wanted);
        let mut known = SIGNALS.iter().copied();
        known
            .find(|signal| short(*signal) == wanted)
            .ok_or_else(|| UnknownSignal(crate::model::text::escaped(text)))
    }
}

/// `TERM`, as kill(1) takes it.
fn short(signal: Signal) -> &'static str {
    match signal {
        Signal::Terminate => "TERM",
        Signal::Interrupt => "INT",
        Signal::HangUp => "HUP",
        Signal::Quit => "QUIT",
        Signal::Kill => "KILL",
        Signal::Continue => "CONT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signal_names_parse_with_or_without_sig_in_any_case() {
        for text in ["TERM", "term", "SIGTERM", "sigterm"] {
            assert_eq!(text.parse(), Ok(Signal::Terminate), "{text}");
        }
        for signal in SIGNALS {
            assert_eq!(short(*signal).parse(), Ok(*signal));
        }
    }

    #[test]
    fn an_unknown_signal_is_refused_with_the_list_of_signals() {
        let refused = "STOP".parse::<Signal>().map_err(|error| error.to_string());
        let signals = if PLATFORM.has_signals() {
            "TERM INT HUP QUIT KILL CONT"
        } else {
            "TERM"
        };
        assert_eq!(refused, Err(format!("not a signal: STOP (try {signals})")));
    }
}
