//! Exits after a signal if the event loop cannot, because it is blocked writing to a terminal that accepts no output.
//!
//! Runs on its own thread and shares no state with the loop; both receive every signal. It must never write to the
//! terminal, where it would block as well.

use crate::os::signals::{self, SignalStream};
use crate::terminal;
use std::io;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Time for the loop to exit by itself.
const GRACE: Duration = Duration::from_secs(1);

/// Time for it to exit once its write is no longer blocked.
const LAST_GRACE: Duration = Duration::from_millis(500);

/// Returns a runtime for one thread.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Starts the thread. The receiver gets the signal's exit code, for code that blocks the loop.
pub fn start() -> io::Result<Receiver<u8>> {
    let (sender, exit_code) = sync_channel(1);
    let runtime = runtime()?;
    let mut signals = {
        let _context = runtime.enter();
        SignalStream::new()?
    };
    thread::Builder::new()
        .name("watchdog".to_owned())
        .spawn(move || {
            let code = runtime.block_on(signals.exit_code());
            // The receiver is gone if the loop has ended already.
            let _ = sender.send(code);
            thread::sleep(GRACE);
            terminal::discard_output();
            thread::sleep(LAST_GRACE);
            signals::exit_at_once(code);
        })?;
    Ok(exit_code)
}
