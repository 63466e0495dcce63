//! Finds out whether a port can be used: tries real binds, looks at who stands there and how the system is set.
//!
//! Binds and connects touch the port, so nothing here happens unless a person asks, and each bind is closed before the
//! next is tried. It concludes nothing: what was found goes to [`Answer::of`].

mod connecting;
#[cfg(target_os = "linux")]
mod settings;

use crate::model::checking::{Answer, Evidence, Question, Settings};
use crate::model::endpoint::Endpoint;
use crate::model::freeing::{Attempt, BindOutcome};
use crate::model::ports::EphemeralRange;
use crate::model::process::{Condition, ProcessId};
use crate::model::source::Source;
use crate::model::time_wait::TIME_WAIT;
use crate::os::eye::Eye;
use crate::os::freeing::trial;
use crate::os::provenance;
use crate::os::sockets::{Demand, Extent};
use crate::os::{binding, identity, now};
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// What a check is made with.
#[derive(Clone, Copy, Debug)]
pub struct Means {
    /// Where sockets are read from; `None` for what is best here.
    pub source: Option<Source>,
    pub ephemeral: EphemeralRange,
    pub is_root: bool,
}

/// The handle of a thread that checks ports, which ends when this is dropped or the answers have no receiver.
pub struct Checker {
    questions: Sender<Question>,
}

impl Checker {
    pub fn start(
        means: Means,
        answers: tokio::sync::mpsc::Sender<Box<Answer>>,
    ) -> io::Result<Self> {
        let (questions, incoming) = channel::<Question>();
        thread::Builder::new()
            .name("checker".to_owned())
            .spawn(move || {
                while let Ok(first) = incoming.recv() {
                    // Whoever asked again does not want the earlier answer.
                    let question = incoming.try_iter().last().unwrap_or(first);
                    let answer = Box::new(answer(means, question));
                    if answers.blocking_send(answer).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self { questions })
    }

    /// Asks; never blocks. Once the thread ended, which the receiver of the answers sees, it does nothing.
    pub fn ask(&self, question: Question) {
        let _ = self.questions.send(question);
    }
}

/// Looks, tries, and connects if that is asked for.
pub fn answer(means: Means, question: Question) -> Answer {
    let mut answer = Answer::of(evidence(means, question));
    if !answer.is_explained() {
        // What came or went between the look and the binds is not there to be seen twice.
        let before = answer.evidence.binds;
        let mut evidence = evidence(means, question);
        evidence.binds += before;
        answer = Answer::of(evidence);
    }
    if question.connects {
        answer.evidence.connects = Some(connecting::connects(&question));
    }
    answer
}

fn evidence(means: Means, question: Question) -> Evidence {
    let demand = Demand {
        // More than this port: whether the other end listens tells a client from what a server left.
        extent: Extent::Touching(vec![question.port]),
        with_bound: true,
    };
    let mut eye = Eye::new(means.ephemeral, means.source, demand);
    let problems = eye.look_closely().problems;
    let mut endpoints = eye.endpoints();
    endpoints.retain(|endpoint| {
        let socket = &endpoint.socket;
        socket.protocol == question.protocol && socket.port() == question.port
    });
    // The order of the tables is the kernel's and says nothing.
    endpoints
        .sort_by_key(|endpoint| (endpoint.socket.local, endpoint.socket.remote, endpoint.id()));
    let attempts = attempts(&question);
    Evidence {
        at: now().instant,
        binds: attempts.iter().map(count).sum(),
        attempts,
        conditions: conditions(&endpoints),
        endpoints,
        settings: settings(),
        time_wait: TIME_WAIT,
        localhost: localhost(question.port),
        published: published(&question),
        connects: None,
        problems,
        is_root: means.is_root,
        question,
    }
}

/// A sentence for each container into which the port leads, whether or not a socket shows it.
fn published(question: &Question) -> Vec<String> {
    let (port, protocol) = (question.port, question.protocol);
    let containers = provenance::published_on(port, protocol);
    let sentences = containers.iter();
    sentences
        .map(|container| container.publishing(port, protocol))
        .collect()
}

fn attempts(question: &Question) -> Vec<Attempt> {
    let attempt =
        |ip: IpAddr| trial::attempt(question.protocol, SocketAddr::new(ip, question.port));
    match question.address {
        Some(ip) => vec![attempt(ip)],
        None => binding::LOCAL.into_iter().map(attempt).collect(),
    }
}

/// How many binds an attempt was, where there was something to bind.
fn count(attempt: &Attempt) -> usize {
    let outcomes = [attempt.with_reuse.as_ref(), Some(&attempt.without_reuse)];
    let outcomes = outcomes.into_iter().flatten();
    outcomes
        .filter(|outcome| **outcome != BindOutcome::NoSuchAddress)
        .count()
}

/// The addresses of the name, each once, in the order in which clients try them.
fn localhost(port: u16) -> Vec<IpAddr> {
    let mut ips = Vec::new();
    let addresses = ("localhost", port).to_socket_addrs();
    for ip in addresses.into_iter().flatten().map(|address| address.ip()) {
        if !ips.contains(&ip) {
            ips.push(ip);
        }
    }
    ips
}

/// How those run that stand there and do not simply run.
fn conditions(endpoints: &[Endpoint]) -> Vec<(ProcessId, Condition)> {
    let standing = endpoints
        .iter()
        .filter(|endpoint| endpoint.socket.is_standing());
    let mut ids: Vec<ProcessId> = standing
        .flat_map(|endpoint| endpoint.socket.owners.known())
        .map(|process| process.id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter()
        .filter_map(|id| Some((id, condition(id)?)))
        .collect()
}

fn condition(id: ProcessId) -> Option<Condition> {
    let stat = identity::stat(id.pid).filter(|stat| stat.start == id.start)?;
    Condition::of(stat.state?)
}

#[cfg(target_os = "linux")]
fn settings() -> Settings {
    settings::read()
}

/// No other system says it in a file.
#[cfg(not(target_os = "linux"))]
fn settings() -> Settings {
    Settings::default()
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
