//! The signals that this program gets, as values, and the one it sends itself: to be suspended.
//!
//! Nothing is decided here: whoever receives a signal restores the terminal first and ends afterwards.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{Signals, suspend};
#[cfg(windows)]
pub use windows::{Signals, suspend};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Terminate,
    Hangup,
    Interrupt,
    /// After having been suspended: the screen must be drawn anew.
    Continue,
}

impl Signal {
    /// What a shell reports of a program that ended by this signal: 128 and its number. Nothing ends by being continued.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Terminate => 143,
            Self::Hangup => 129,
            Self::Interrupt => 130,
            Self::Continue => 0,
        }
    }
}
