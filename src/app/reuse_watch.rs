//! What becomes of a port after it was freed: it is watched for a while longer, with the ordinary looks, and that
//! something took it again is said.
//!
//! It judges by what looks show, never by what was signalled, and says nothing while a dialog is open: what happens to a
//! port that the person looks at is told there.

use crate::app::notice::Notice;
use crate::app::{App, Effect, Overlay};
use crate::free::{Batch, Port, RequestId, Verdict};
use crate::model::endpoint::{Endpoint, EndpointId, Owners, Since, Socket};
use crate::model::inspection::{InspectRequest, Inspection, Requester};
use crate::model::snapshot::Problem;
use crate::tracker::{Change, Changes};
use std::time::{Duration, Instant};

/// How long a freed port is watched.
const WATCH_TIME: Duration = Duration::from_mins(10);

/// How long the holder of what took it may be looked for before it is said without one.
const OWNER_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub struct ReuseWatch {
    watched: Vec<WatchedPort>,
    /// What was said last and may still be completed.
    reported: Option<ReportedReuse>,
}

/// A port that was freed.
#[derive(Clone, Copy, Debug)]
pub struct FreedPort {
    pub request: RequestId,
    pub port: Port,
    /// Since when nothing holds it.
    pub since: Instant,
}

#[derive(Debug)]
struct WatchedPort {
    freed: FreedPort,
    until: Instant,
    /// When the first of those that took it came.
    taken: Instant,
    /// Whether the looks before that one could not read every table of the port, so that it may have come earlier.
    is_unread: bool,
    takers: Vec<Socket>,
    is_reported: bool,
}

#[derive(Debug)]
struct ReportedReuse {
    verdict: Verdict,
    subject: InspectRequest,
}

impl ReuseWatch {
    /// Watches a port that is free for good, once for each order; one that was freed before is watched anew.
    pub fn watch(&mut self, freed: FreedPort, now: Instant) {
        if self.contains(freed.request) {
            return;
        }
        self.watched
            .retain(|watched| watched.freed.port != freed.port);
        self.watched.push(WatchedPort {
            freed,
            until: now + WATCH_TIME,
            taken: now,
            is_unread: false,
            takers: Vec::new(),
            is_reported: false,
        });
    }

    pub fn contains(&self, request: RequestId) -> bool {
        self.watched
            .iter()
            .any(|watched| watched.freed.request == request)
    }

    /// Takes in what a look changed.
    pub fn apply_changes(&mut self, changes: &Changes) {
        let at = changes.taken.instant;
        for watched in &mut self.watched {
            for change in &changes.list {
                if let Some(gone) = change.gone() {
                    watched.remove_socket(gone, at);
                }
                // What passed is gone as well.
                let is_there = !matches!(change, Change::ShortLived(_));
                if let Some(endpoint) = change.endpoint().filter(|_| is_there) {
                    watched.observe(&endpoint.socket, at);
                }
            }
            watched.note_unread(&changes.problems);
        }
        // One that was taken in time is said even if a dialog makes it wait.
        self.watched
            .retain(|watched| at <= watched.until || watched.is_waiting());
    }

    /// Takes in a socket that stood already when the port came to be watched.
    pub fn observe(&mut self, socket: &Socket, at: Instant) {
        for watched in &mut self.watched {
            watched.observe(socket, at);
        }
    }

    /// The ports that were taken again and of which that was not said yet.
    pub fn due(&mut self, now: Instant) -> Vec<Verdict> {
        let watched = self.watched.iter_mut();
        watched.filter_map(|watched| watched.due(now)).collect()
    }
}

impl WatchedPort {
    fn observe(&mut self, socket: &Socket, at: Instant) {
        let Port { protocol, number } = self.freed.port;
        let is_here = socket.protocol == protocol && socket.port() == number;
        let known = self.takers.iter_mut().find(|taker| taker.id == socket.id);
        match known {
            Some(known) => *known = socket.clone(),
            None if is_here && socket.holds_port() && at <= self.until => {
                if self.takers.is_empty() {
                    self.taken = at;
                }
                self.takers.push(socket.clone());
            }
            None => {}
        }
    }

    /// What came and went is no holder; the port has been free since then.
    fn remove_socket(&mut self, gone: EndpointId, at: Instant) {
        let had_takers = !self.takers.is_empty();
        self.takers.retain(|taker| taker.id != gone);
        if had_takers && self.takers.is_empty() {
            self.freed.since = at;
        }
    }

    /// What came while a table could not be read, or before, is seen by the first look that reads it.
    fn note_unread(&mut self, problems: &[Problem]) {
        if self.takers.is_empty() {
            let mut problems = problems.iter();
            self.is_unread = problems.any(|problem| problem.protocol == self.freed.port.protocol);
        }
    }

    fn is_waiting(&self) -> bool {
        !self.is_reported && !self.takers.is_empty()
    }

    fn due(&mut self, now: Instant) -> Option<Verdict> {
        if !self.is_waiting() {
            return None;
        }
        let is_known = |taker: &&Socket| taker.owners != Owners::Pending;
        let is_late = now.saturating_duration_since(self.taken) >= OWNER_TIMEOUT;
        let known = self.takers.iter().find(is_known);
        let by = known.or(self.takers.first().filter(|_| is_late))?.clone();
        self.is_reported = true;
        Some(Verdict::TakenAgain {
            port: self.freed.port,
            free_for: (!self.is_unread)
                .then(|| self.taken.saturating_duration_since(self.freed.since)),
            by,
            parent: None,
            service: None,
        })
    }
}

impl App {
    /// Watches a port whose freeing has settled.
    pub(super) fn watch_freed_port(&mut self, freed: FreedPort) {
        if self.reuse_watch.contains(freed.request) {
            return;
        }
        self.reuse_watch.watch(freed, self.now);
        // A look of the table may have overtaken the one that the verdict rests on.
        let has_come = |endpoint: &&Endpoint| match endpoint.since {
            Since::Opened(at) => at >= freed.since,
            Since::Before(_) => false,
        };
        let endpoints = self.listing.endpoints().chain(self.listing.waiting());
        for endpoint in endpoints.filter(has_come) {
            self.reuse_watch.observe(&endpoint.socket, self.now);
        }
    }

    /// Says which freed ports were taken again, and asks who started the holder.
    pub(super) fn report_reuse(&mut self) -> Option<Effect> {
        // What is asked must not be talked into; a verdict that no longer holds must not stand alone.
        if let Overlay::Freeing(dialog) = &self.overlay
            && !dialog.batch().is_some_and(Batch::is_settled)
        {
            return None;
        }
        let due = self.reuse_watch.due(self.now);
        let words: Vec<String> = due.iter().map(ToString::to_string).collect();
        let verdict = due.into_iter().next_back()?;
        self.notice = Some(Notice::persistent(words.join(" · ")));
        let Verdict::TakenAgain { by, .. } = &verdict else {
            return None;
        };
        let subject = InspectRequest {
            requester: Requester::ReuseWatch,
            endpoint: by.id,
            processes: vec![by.owners.first()?.id],
            port: None,
            ports: Vec::new(),
            unused_near: None,
        };
        self.reuse_watch.reported = Some(ReportedReuse {
            verdict,
            subject: subject.clone(),
        });
        Some(Effect::Inspect(subject))
    }

    /// Completes what was said with who started the holder, if it still stands there.
    pub(super) fn complete_reuse_report(&mut self, inspection: &Inspection) {
        let is_answer = |reported: &mut ReportedReuse| reported.subject == inspection.request;
        let Some(ReportedReuse { verdict, .. }) = self.reuse_watch.reported.take_if(is_answer)
        else {
            return;
        };
        let kin = inspection.trees.first();
        // Systemd is the parent of every orphan too, whatever service that is in; of a main process it says so itself.
        let starter = kin.and_then(|kin| kin.ancestors.first());
        let starter = starter.filter(|one| one.name.raw() != "systemd").cloned();
        let service = kin.and_then(|kin| {
            let unit = kin.supervisor.unit.as_ref()?;
            (unit.main == Some(kin.process.pid) && unit.may_restart()).then_some(unit)
        });
        let before = verdict.to_string();
        let Verdict::TakenAgain {
            port,
            free_for,
            by,
            parent: None,
            service: None,
        } = verdict
        else {
            return;
        };
        let after = Verdict::TakenAgain {
            port,
            free_for,
            by,
            parent: starter,
            service: service.map(ToString::to_string),
        };
        if let Some(notice) = &mut self.notice {
            notice.text = notice.text.replace(&before, &after.to_string());
        }
    }
}

#[cfg(test)]
mod tests;
