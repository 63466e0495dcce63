//! Signals that this program receives, and those it sends to itself: suspend and exit.
//!
//! It decides nothing: the receiver restores the terminal first and ends afterwards.

#[cfg_attr(unix, path = "unix/mod.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod system;

pub use system::{SignalStream, exit_at_once, suspend};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceivedSignal {
    /// Ends the program. The exit code is the one a shell reports: 128 + signal number.
    Terminate { exit_code: u8 },
    /// Suspends the program until it is continued (SIGTSTP).
    Suspend,
    /// Continues the program after a suspension: the screen must be redrawn (SIGCONT).
    Continue,
}

impl SignalStream {
    /// Returns the exit code of the next signal that ends the program.
    pub async fn exit_code(&mut self) -> u8 {
        loop {
            if let ReceivedSignal::Terminate { exit_code } = self.next().await {
                return exit_code;
            }
        }
    }
}
