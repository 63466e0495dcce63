//! Answers what is only asked about one row at a time, on a thread of its own: it costs a walk over every process.
//!
//! Only the latest question of each asker counts: whoever moved on does not want the earlier answer.

use crate::model::inspection::{Inspection, Subject};
use crate::model::provenance::Provenance;
use crate::os::processes::Processes;
use crate::os::provenance::Inquiry;
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
                    for subject in latest(subject, incoming.try_iter()) {
                        let answer = inspect(subject, &mut processes);
                        if results.blocking_send(answer).is_err() {
                            return;
                        }
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

/// The last question of each asker.
fn latest(first: Subject, later: impl Iterator<Item = Subject>) -> Vec<Subject> {
    let mut latest = vec![first];
    for subject in later {
        latest.retain(|earlier| earlier.asker != subject.asker);
        latest.push(subject);
    }
    latest
}

fn inspect(subject: Subject, processes: &mut Processes) -> Inspection {
    let unused = subject.unused_near.and_then(|near| {
        let held = sockets::held_tcp_ports();
        binding::unused_after(near, |port| held.contains(&port))
    });
    Inspection {
        kin: processes.kin(&subject.processes, subject.port),
        provenance: unseen(&subject),
        subject,
        addresses: machine::addresses(),
        unused,
    }
}

/// Of a port that nobody is seen to hold.
fn unseen(subject: &Subject) -> Provenance {
    let port = subject.port.filter(|_| subject.processes.is_empty());
    port.map_or_else(Provenance::default, |port| Inquiry::begin().of_port(port))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
