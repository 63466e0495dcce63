//! What can be sent to a process.

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
    /// Ends nothing: lets a stopped process run on.
    Continue,
}

/// What this system has, in the order of the menu. Windows knows no signals: `TerminateProcess` is all there is.
pub const SIGNALS: &[Signal] = if cfg!(windows) {
    &[Signal::Terminate]
} else {
    &[
        Signal::Terminate,
        Signal::Interrupt,
        Signal::HangUp,
        Signal::Quit,
        Signal::Kill,
        Signal::Continue,
    ]
};

impl Signal {
    /// A sentence must not claim a signal where there is none.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminate | Self::Kill if cfg!(windows) => "TerminateProcess",
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
            Self::HangUp => "SIGHUP",
            Self::Quit => "SIGQUIT",
            Self::Kill => "SIGKILL",
            Self::Continue => "SIGCONT",
        }
    }

    /// Its bit in the masks of `/proc/PID/status`; 0 for what no process can block, ignore or handle. The numbers are
    /// those of signal(7), alike on every architecture for these but SIGCONT, which is never asked about.
    pub fn bit(self) -> u64 {
        match self {
            Self::Terminate => 1 << 14,
            Self::Interrupt => 1 << 1,
            Self::HangUp => 1,
            Self::Quit => 1 << 2,
            Self::Kill | Self::Continue => 0,
        }
    }

    /// Whether a stopped process that gets it is let run on afterwards: before that it acts on nothing but SIGKILL.
    pub fn resumes(self) -> bool {
        match self {
            Self::Terminate | Self::Interrupt | Self::HangUp => true,
            Self::Quit | Self::Kill | Self::Continue => false,
        }
    }

    /// Whether something stronger is left when it did not help.
    pub fn can_be_ignored(self) -> bool {
        self != Self::Kill && !cfg!(windows)
    }
}

impl Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Text that names no signal of this system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSignal(String);

impl Display for UnknownSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = SIGNALS.iter().map(|signal| short(*signal)).collect();
        write!(f, "{} is no signal here: {}", self.0, names.join(" "))
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
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn signal_names_parse_with_or_without_sig_in_any_case() {
        for text in ["TERM", "term", "SIGTERM", "sigterm"] {
            assert_eq!(text.parse(), Ok(Signal::Terminate), "{text}");
        }
        for signal in SIGNALS {
            assert_eq!(signal.name().parse(), Ok(*signal));
        }
    }

    #[test]
    fn an_unknown_signal_is_refused_with_the_list_of_signals() {
        let protected = "STOP".parse::<Signal>().map_err(|error| error.to_string());
        let expected = "STOP is no signal here: TERM INT HUP QUIT KILL CONT".to_owned();
        assert_eq!(protected, Err(expected));
    }
}
