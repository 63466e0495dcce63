//! Signals that end `portmon free` while it watches ports: what it has sent must still be said.

use crate::os::signals::{self, ReceivedSignal, SignalStream};
use std::io;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use tokio::runtime::Builder;

/// Receives signals on a thread of their own. The receiver gets the exit code of the first that ends the program, and
/// `wake` is called then; the next one, or one after the receiver is gone, ends it at once.
pub fn start(wake: impl Fn() + Send + 'static) -> io::Result<Receiver<u8>> {
    let (sender, exit_code) = sync_channel(1);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _context = runtime.enter();
        SignalStream::new()?
    };
    let run = move || {
        loop {
            match runtime.block_on(signals.next()) {
                ReceivedSignal::Terminate { exit_code } => match sender.try_send(exit_code) {
                    Ok(()) => wake(),
                    Err(_) => signals::exit_at_once(exit_code),
                },
                // If it cannot be suspended, it goes on.
                ReceivedSignal::Suspend => drop(signals::suspend()),
                ReceivedSignal::Continue => {}
            }
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(run)?;
    Ok(exit_code)
}
