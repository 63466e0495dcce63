//! Answers what is only asked about one row at a time, on a thread of its own: it costs a walk over every process.
//!
//! Only the latest question counts: whoever moved on does not want the earlier answer.

use crate::model::inspection::{Inspection, Subject};
use crate::os::processes::Processes;
use crate::os::{binding, machine, sockets};
use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// The handle of the inspecting thread, which ends when this is dropped or the answers have no receiver.
pub struct Inspector {
    subjects: Sender<Subject>,
}

impl Inspector {
    pub fn start(results: tokio::sync::mpsc::Sender<Inspection>) -> io::Result<Self> {
        let (subjects, incoming) = channel::<Subject>();
        thread::Builder::new()
            .name("inspector".to_owned())
            .spawn(move || {
                let mut processes = Processes::new();
                while let Ok(subject) = incoming.recv() {
                    let latest = incoming.try_iter().last().unwrap_or(subject);
                    let answer = inspect(&latest, &mut processes);
                    if results.blocking_send(answer).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self { subjects })
    }

    /// Asks; never blocks. Once the thread ended, which the receiver of the answers sees, it does nothing.
    pub fn inspect(&self, subject: Subject) {
        let _ = self.subjects.send(subject);
    }
}

fn inspect(subject: &Subject, processes: &mut Processes) -> Inspection {
    let unused = subject.unused_near.and_then(|near| {
        let held = sockets::held_tcp_ports();
        binding::unused_after(near, |port| held.contains(&port))
    });
    Inspection {
        of: subject.endpoint,
        kin: processes.kin(&subject.processes),
        addresses: machine::addresses(),
        unused,
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
