//! Signals that end `portmon free` while it asks or watches ports: what it has sent, or that it has not, must still be said.

use crate::os::signals::{self, ReceivedSignal, SignalStream};
use crate::wording;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use tokio::runtime::Builder;

/// What the main thread is told, in the order in which it happens.
enum Message {
    /// The question was answered.
    Answered,
    /// A signal came that ends the program with this exit code.
    Interrupted(u8),
}

/// The signals of one run.
pub struct Interrupts {
    messages: Receiver<Message>,
    answered: SyncSender<Message>,
}

impl Interrupts {
    /// Asks on a thread of its own, because reading the answer cannot be stopped. A signal that comes before the answer ends
    /// the program, which has sent nothing then.
    pub fn ask(&self, question: impl FnOnce() + Send) -> io::Result<()> {
        let answered = self.answered.clone();
        thread::scope(|scope| {
            let asker = thread::Builder::new().name("question".to_owned());
            asker.spawn_scoped(scope, move || {
                question();
                // The receiver lives as long as this scope.
                let _ = answered.send(Message::Answered);
            })?;
            if let Ok(Message::Interrupted(exit_code)) = self.messages.recv() {
                // The cursor is behind the question.
                let _ = writeln!(io::stderr(), "\n{}", wording::NOTHING_SENT);
                signals::exit_at_once(exit_code);
            }
            Ok(())
        })
    }

    /// Returns the exit code of a signal that ends the program, if one has come.
    pub fn exit_code(&self) -> Option<u8> {
        match self.messages.try_recv() {
            Ok(Message::Interrupted(exit_code)) => Some(exit_code),
            Ok(Message::Answered) | Err(_) => None,
        }
    }
}

/// Receives signals on a thread of their own. The main thread is told of the first that ends the program, and `wake` is
/// called then; one that finds it still untold, or the program at its end, ends it at once.
pub fn start(wake: impl Fn() + Send + 'static) -> io::Result<Interrupts> {
    // Room for an answer and a signal.
    let (sender, messages) = sync_channel(2);
    let answered = sender.clone();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _context = runtime.enter();
        SignalStream::new()?
    };
    let run = move || {
        let mut is_told = false;
        loop {
            match runtime.block_on(signals.next()) {
                ReceivedSignal::Terminate { exit_code } => {
                    let message = Message::Interrupted(exit_code);
                    if is_told || sender.try_send(message).is_err() {
                        signals::exit_at_once(exit_code);
                    }
                    is_told = true;
                    wake();
                }
                // If it cannot be suspended, it goes on.
                ReceivedSignal::Suspend => drop(signals::suspend()),
                ReceivedSignal::Continue => {}
            }
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(run)?;
    Ok(Interrupts { messages, answered })
}
