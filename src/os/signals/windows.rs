//! Windows console events, received through tokio.

use super::ReceivedSignal;
use std::io;
use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close,
    ctrl_logoff, ctrl_shutdown,
};

// The exit codes of the signals that Unix sends on the same occasions.
const TERMINATE: ReceivedSignal = ReceivedSignal::Terminate { exit_code: 143 };
const HANGUP: ReceivedSignal = ReceivedSignal::Terminate { exit_code: 129 };
const INTERRUPT: ReceivedSignal = ReceivedSignal::Terminate { exit_code: 130 };

/// Stream of the console events.
pub struct SignalStream {
    shutdown: CtrlShutdown,
    logoff: CtrlLogoff,
    close: CtrlClose,
    interrupt: CtrlC,
    r#break: CtrlBreak,
}

impl SignalStream {
    /// Installs the handlers. Needs a running tokio runtime.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            shutdown: ctrl_shutdown()?,
            logoff: ctrl_logoff()?,
            close: ctrl_close()?,
            interrupt: ctrl_c()?,
            r#break: ctrl_break()?,
        })
    }

    /// Returns the next event. Cancel-safe: no event is lost when the future is dropped.
    pub async fn next(&mut self) -> ReceivedSignal {
        tokio::select! {
            biased;
            _ = self.shutdown.recv() => TERMINATE,
            _ = self.logoff.recv() => HANGUP,
            _ = self.close.recv() => HANGUP,
            _ = self.interrupt.recv() => INTERRUPT,
            _ = self.r#break.recv() => INTERRUPT,
        }
    }
}

/// Fails: Windows has no job control.
pub fn suspend() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Exits without returning to the event loop.
pub fn exit_at_once(code: u8) -> ! {
    std::process::exit(i32::from(code))
}
