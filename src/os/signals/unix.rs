//! The signals of Unix, by tokio.

use super::Signal;
use std::io;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// The signals that are handled; each has its place in this order when several wait.
pub struct Signals {
    terminate: Stream,
    hangup: Stream,
    interrupt: Stream,
    r#continue: Stream,
}

impl Signals {
    /// From here on these signals end nothing by themselves. Needs a running tokio runtime.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            r#continue: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    /// The next signal. Cancel-safe: dropped before it is ready, it has taken none.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.hangup.recv() => Signal::Hangup,
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.r#continue.recv() => Signal::Continue,
        }
    }
}

/// Stops this program as Ctrl-Z in the terminal would: with its whole process group, because the shell waits for all of
/// it. Returns when it was continued.
pub fn suspend() -> io::Result<()> {
    Ok(rustix::process::kill_current_process_group(
        rustix::process::Signal::TSTP,
    )?)
}
