//! How the dialog comes, comes again once what it waited for is known, and goes.
//!
//! It never comes by itself: only a key opens it, and what takes its place asks about the same row.

use crate::app::frame::Frame;
use crate::app::free_dialog::{Asking, FreeDialog, Phase};
use crate::app::input::is_still_open;
use crate::app::setup::Setup;
use crate::app::{App, Effect, Overlay};
use crate::model::Moment;
use crate::model::endpoint::{Endpoint, EndpointId};
use crate::model::freeing::{Circumstances, Explanation, Port, Proposal, Question, Targets, ask};
use crate::model::inspection::{Asker, Subject};
use crate::table::listing::Listing;
use crate::table::row::Row;

impl App {
    pub(in crate::app) fn ask_to_free(&mut self) -> Vec<Effect> {
        if self.setup.is_read_only {
            self.say("read-only: nothing is ended here");
            return Vec::new();
        }
        if Frame::is_too_small(self.size) {
            return Vec::new();
        }
        if let Some(freeing) = &self.background {
            let port = freeing.order().port();
            self.say(format!(
                "still freeing :{port}; what comes of it is said here"
            ));
            return Vec::new();
        }
        let Some(row) = self.current() else {
            self.say("no row to free");
            return Vec::new();
        };
        let (dialog, effects) = self.question(row);
        self.overlay = Overlay::Freeing(Box::new(dialog));
        self.listing.freeze();
        // Bound sockets are looked at only now and then, and some may hold the port too.
        self.sampling.look_now();
        effects
    }

    /// Asks a question again that waited until it is known who holds the port, or that nobody could answer yet; only if
    /// something else is to be said.
    pub(in crate::app) fn ask_again(&mut self) -> Vec<Effect> {
        let Overlay::Freeing(dialog) = &self.overlay else {
            return Vec::new();
        };
        let is_open = dialog.is_waiting() || !dialog.is_shown_live;
        let Some(row) = self.listing.row_of(dialog.row).filter(|_| is_open) else {
            return Vec::new();
        };
        let (again, effects) = self.question(row);
        if again.says_the_same(dialog) {
            return Vec::new();
        }
        self.overlay = Overlay::Freeing(Box::new(again));
        effects
    }

    fn question(&self, row: &Row) -> (FreeDialog, Vec<Effect>) {
        let meant = self.listing.filter().query.meant_local_port();
        let row_is_meant = meant == Some(row.endpoint.socket.port());
        FreeDialog::open(row, &self.listing, &self.setup, row_is_meant, self.moment())
    }

    /// Takes the dialog away. What is under way goes on, and its verdict comes as a notice.
    pub(in crate::app) fn close_dialog(&mut self) -> Vec<Effect> {
        let around = self.setup.surroundings(self.moment());
        self.listing.thaw(self.now, &around);
        self.sampling.look_now();
        let Overlay::Freeing(dialog) = std::mem::replace(&mut self.overlay, Overlay::None) else {
            return Vec::new();
        };
        match dialog.into_freeing() {
            Some(freeing) if is_still_open(&freeing) => {
                self.background = Some(freeing);
                Vec::new()
            }
            _ => vec![Effect::LetGo],
        }
    }
}

impl FreeDialog {
    /// Asks about the port of this row, and what must be found out for it.
    fn open(
        row: &Row,
        listing: &Listing,
        setup: &Setup,
        row_is_meant: bool,
        now: Moment,
    ) -> (Self, Vec<Effect>) {
        let circumstances = Circumstances {
            me: setup.me,
            is_root: setup.is_root,
            host: setup.host.clone(),
            lineage: setup.lineage.clone(),
            executable: setup.executable.clone(),
            row_is_meant,
            is_gone: row.is_gone(),
            now,
            state_since: Some(row.endpoint.state_since),
        };
        let table: Vec<&Endpoint> = listing.endpoints().chain(listing.waiting()).collect();
        let question = ask(&row.endpoint, &table, &circumstances);
        let (phase, subject) = match question {
            Question::Free(proposal) => asking(row.endpoint.id(), proposal),
            Question::Explain(explanation) => explaining(row.endpoint.id(), explanation),
        };
        let held = match &phase {
            Phase::Asking(asking) => Some(Effect::Hold(asking.proposal.process_ids())),
            Phase::Explaining(_) | Phase::Working(_) => None,
        };
        let effects = held
            .into_iter()
            .chain(subject.clone().map(Effect::Inspect))
            .collect();
        let dialog = Self {
            row: row.endpoint.id(),
            since: None,
            is_shown_live: false,
            focus: 0,
            phase,
            subject,
            inspection: None,
        };
        (dialog, effects)
    }

    fn is_waiting(&self) -> bool {
        match &self.phase {
            Phase::Explaining(explanation) => explanation.is_waiting,
            Phase::Asking(_) | Phase::Working(_) => false,
        }
    }

    /// Whether both are about the same sockets and holders, or explain the same. What was answered is not asked again.
    fn says_the_same(&self, before: &Self) -> bool {
        match (&self.phase, &before.phase) {
            (Phase::Asking(now), Phase::Asking(then)) => {
                let sockets = |asking: &Asking| -> Vec<EndpointId> {
                    let sockets = asking.proposal.sockets.iter();
                    sockets.map(|socket| socket.id).collect()
                };
                sockets(now) == sockets(then)
                    && now.proposal.process_ids() == then.proposal.process_ids()
            }
            (Phase::Explaining(now), Phase::Explaining(then)) => now == then,
            (_, Phase::Working(_)) => true,
            (Phase::Asking(_) | Phase::Explaining(_) | Phase::Working(_), _) => false,
        }
    }
}

fn asking(row: EndpointId, proposal: Proposal) -> (Phase, Option<Subject>) {
    let subject = Subject {
        asker: Asker::Dialog,
        endpoint: row,
        processes: proposal.process_ids(),
        port: Some(Port {
            protocol: proposal.protocol,
            number: proposal.port,
        }),
        unused_near: None,
    };
    let asking = Asking {
        proposal,
        targets: Targets::Topmost,
        typed: String::new(),
    };
    (Phase::Asking(asking), Some(subject))
}

fn explaining(row: EndpointId, explanation: Explanation) -> (Phase, Option<Subject>) {
    let subject = explanation.unused_near.map(|near| Subject {
        asker: Asker::Dialog,
        endpoint: row,
        processes: Vec::new(),
        port: None,
        unused_near: Some(near),
    });
    (Phase::Explaining(explanation), subject)
}

#[cfg(test)]
mod tests;
