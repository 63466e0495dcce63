//! Ends the program after a signal when the loop does not: a terminal that takes no output blocks it in a write.
//!
//! The watchdog has a thread of its own and shares no state with the loop: both receive every signal. It must never write
//! to the terminal, where it would wait as well.

use crate::os::signals::{self, SignalStream};
use crate::terminal;
use std::io;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

/// Time for the loop to end by itself.
const GRACE: Duration = Duration::from_secs(1);

/// Time for it to end once its write is no longer blocked.
const LAST_GRACE: Duration = Duration::from_millis(500);

/// Watches until the process ends. The exit code of the signal is sent for those who cannot await the loop's own event.
pub fn start() -> io::Result<Receiver<u8>> {
    let (sender, ending) = sync_channel(1);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut signals = {
        let _context = runtime.enter();
        SignalStream::new()?
    };
    thread::Builder::new()
        .name("watchdog".to_owned())
        .spawn(move || {
            let code = runtime.block_on(signals.exit_code());
            // The receiver is gone where the loop has ended already.
            let _ = sender.send(code);
            thread::sleep(GRACE);
            terminal::discard_output();
            thread::sleep(LAST_GRACE);
            signals::exit_at_once(code);
        })?;
    Ok(ending)
}
