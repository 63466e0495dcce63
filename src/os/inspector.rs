//! Answers what is only asked about one row at a time, on a thread of its own: it costs a walk over every process.
//!
//! Only the latest question of each asker counts: whoever moved on does not want the earlier answer.

use crate::model::inspection::{Asker, Inspection, Kin, Subject};
use crate::model::memory::Fate;
use crate::model::process::{Pid, ProcessId};
use crate::model::provenance::Provenance;
use crate::os::identity;
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
        kin: kin(&subject, processes),
        fates: fates(&subject.processes, processes),
        provenance: unseen(&subject),
        subject,
        addresses: machine::addresses(),
        unused,
    }
}

/// The memory asks again and again, and not for this walk over every process.
fn kin(subject: &Subject, processes: &mut Processes) -> Vec<Kin> {
    match subject.asker {
        Asker::Details | Asker::Dialog | Asker::Aftermath => {
            processes.kin(&subject.processes, |process| subject.port_of(process))
        }
        Asker::Memory => Vec::new(),
    }
}

fn fates(of: &[ProcessId], processes: &mut Processes) -> Vec<(ProcessId, Fate)> {
    let described = processes.describe(&of.iter().map(|id| id.pid).collect());
    let is_there = |id: &ProcessId| described.get(&id.pid).is_some_and(|one| one.id == *id);
    of.iter().map(|id| (*id, fate(*id, is_there(id)))).collect()
}

/// What became of a process. One that waits to be reaped (Z and X in proc_pid_stat(5)) has ended; on Windows one that
/// ended can still be opened while somebody holds a handle of it, but is described no more.
fn fate(id: ProcessId, is_described: bool) -> Fate {
    match identity::stat(id.pid).filter(|stat| stat.start == id.start) {
        Some(stat) if matches!(stat.state, Some('Z' | 'X')) => Fate::Ended,
        Some(_) if is_described => Fate::RunsOn,
        None if is_another(id) || is_nobody(id.pid) => Fate::Ended,
        Some(_) | None => Fate::Unknown,
    }
}

/// Whether the pid has gone to another process.
fn is_another(id: ProcessId) -> bool {
    identity::start_time(id.pid).is_some_and(|start| start != id.start)
}

/// Whether nothing has this pid, for sure: what may not be looked at may still be there.
#[cfg(unix)]
fn is_nobody(pid: Pid) -> bool {
    let pid = i32::try_from(pid.0).ok();
    let pid = pid.and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}

/// What could be opened once and cannot be any more is gone.
#[cfg(windows)]
fn is_nobody(_pid: Pid) -> bool {
    true
}

/// Of a port that nobody is seen to hold.
fn unseen(subject: &Subject) -> Provenance {
    let port = subject.port.filter(|_| subject.processes.is_empty());
    port.map_or_else(Provenance::default, |port| Inquiry::begin().of_port(port))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
