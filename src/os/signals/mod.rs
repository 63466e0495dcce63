//! Signals that this program receives, as values, and what it does to itself: stop and exit.
//!
//! Nothing is decided here: the receiver restores the terminal first and ends afterwards.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{SignalStream, exit_at_once, suspend};
#[cfg(windows)]
pub use windows::{SignalStream, exit_at_once, suspend};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceivedSignal {
    /// Ends the program. The exit code is the one that a shell reports: 128 and the signal's number.
    End { exit_code: u8 },
    /// Stops the program until it is continued.
    Suspend,
    /// Received after a stop: the screen must be drawn anew.
    Continue,
}

impl SignalStream {
    /// Exit code of the next signal that ends the program.
    pub async fn exit_code(&mut self) -> u8 {
        loop {
            if let ReceivedSignal::End { exit_code } = self.next().await {
                return exit_code;
            }
        }
    }
}
