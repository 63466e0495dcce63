//! The state of the monitor: events go in, effects come out.
//!
//! The app reads no clock, file, socket or process and knows no colors; each event carries the time.

pub mod keymap;
pub mod notice;
pub mod overlay;
pub mod panes;
pub mod sampling;

mod commands;
mod event;
mod input;
mod pid_filter;
mod port_history;
mod reuse_watch;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use event::{Effect, Event, EventSource};
pub use overlay::Overlay;
pub use pid_filter::NamedPids;
pub use port_history::past_owners::PastOwner;

use crate::app::notice::{NOTICE_TIME, Notice};
use crate::app::panes::details::Details;
use crate::app::panes::filter_box::FilterBox;
use crate::app::panes::selection::Selection;
use crate::app::port_history::past_owners::PortHistory;
use crate::app::sampling::Sampling;
use crate::config::Settings;
use crate::free::{Batch, FreeMachine};
use crate::model::Moment;
use crate::model::environment::Environment;
use crate::model::process::{Inspection, Process, ProcessId, Requester};
use crate::table::listing::{Chip, Filter, Listing};
use crate::table::row::{DisplayContext, Row};
use crate::tracker::Changes;
use crate::wording;
use std::sync::Arc;
use std::time::Instant;

#[derive(Debug)]
pub struct App {
    pub environment: Environment,
    pub settings: Settings,
    pub listing: Listing,
    pub selection: Selection,
    pub filter_box: FilterBox,
    pub details: Details,
    pub overlay: Overlay,
    pub notice: Option<Notice>,
    /// A freeing that continues after its dialog was closed.
    background: Option<Box<Batch>>,
    pub sampling: Sampling,
    pub port_history: PortHistory,
    /// The past owner inspected last, and the time of the poll that caused it.
    inspected_past_owner: Option<(ProcessId, Option<Instant>)>,
    /// The process whose restart command is copied once it is described anew.
    to_restart: Option<Arc<Process>>,
    /// Freed ports that are watched for reuse.
    freed_ports: Vec<FreeMachine>,
    /// Columns and lines of the terminal.
    pub size: (u16, u16),
    /// Time of the last event.
    pub now: Instant,
    /// A moment on both clocks, which gives the wall clock time of `now`.
    clock: Moment,
    /// What the event in progress asks for.
    effects: Vec<Effect>,
}

impl App {
    pub fn new(
        environment: Environment,
        settings: Settings,
        size: (u16, u16),
        clock: Moment,
    ) -> Self {
        let mut app = Self {
            sampling: Sampling::new(settings.interval),
            filter_box: FilterBox::new(&settings.filter),
            listing: Listing::default(),
            selection: Selection::default(),
            details: Details::default(),
            overlay: Overlay::None,
            notice: None,
            background: None,
            port_history: PortHistory::default(),
            inspected_past_owner: None,
            to_restart: None,
            freed_ports: Vec::new(),
            size,
            now: clock.instant,
            clock,
            effects: Vec::new(),
            environment,
            settings,
        };
        app.filter_box.chips = app.settings.all.then_some(Chip::All).into_iter().collect();
        app.apply_filter();
        app
    }

    /// Applies an event and returns the effects to perform.
    pub fn update(&mut self, event: Event, now: Instant) -> Vec<Effect> {
        self.now = now;
        self.tick();
        match event {
            Event::Input(input) => self.on_input(&input),
            Event::Sampled(changes) => self.on_sample(changes),
            Event::Inspected(inspection) => self.apply_inspection(inspection),
            Event::Checked(report) => self.on_check_report(report),
            Event::Freeing(event) => self.on_freeing(event),
            Event::Stop(code) => self.effects.push(Effect::Quit(code)),
            Event::Suspend => self.effects.push(Effect::Suspend),
            Event::Continued => {
                // The terminal's focus may have changed while the program was stopped.
                self.sampling.set_terminal_focus(true);
                self.sampling.wants_poll = true;
                self.effects.push(Effect::Redraw);
            }
            Event::Due => {}
            Event::SourceEnded(source) => match source {
                EventSource::Sockets => self.sampling.is_lost = true,
                EventSource::Processes | EventSource::Freeing | EventSource::Checks => {
                    let text = wording::screen::notice::source_ended(source.name());
                    self.notice = Some(Notice::persistent(text));
                }
            },
        }
        self.apply_filter();
        self.update_selection();
        self.report_reuse();
        self.request_details();
        self.inspect_past_owner();
        self.request_poll();
        std::mem::take(&mut self.effects)
    }

    /// Notes that the state is on the screen; `shows_all_targets`: the dialog has room to name all its targets.
    pub fn on_drawn(&mut self, now: Instant, shows_all_targets: bool) {
        if let Some(dialog) = self.overlay.free_dialog_mut() {
            dialog.on_drawn(self.now, now, shows_all_targets);
        }
    }

    /// Returns when the screen next changes without an event, as when a mark expires or an age grows.
    pub fn next_change(&self) -> Option<Instant> {
        if self.listing.is_filtering() {
            return Some(self.now);
        }
        let dialog = self.overlay.free_dialog();
        let dialog = dialog.and_then(|dialog| dialog.next_change(self.now));
        let notice = self.notice.as_ref().and_then(|notice| notice.until);
        let is_paused = self.sampling.is_paused();
        let expiry = self.listing.next_expiry().filter(|_| !is_paused);
        let age = self.sampling.next_second(self.now).filter(|_| !is_paused);
        let stale = self.sampling.next_stale(self.now);
        let times = [expiry, notice, dialog, age, stale];
        times.into_iter().flatten().min()
    }

    pub fn display_context(&self) -> DisplayContext<'_> {
        self.settings
            .display_context(&self.environment, self.moment())
    }

    /// The moment on the screen: now, or the start of the pause.
    pub fn moment(&self) -> Moment {
        self.clock.at(self.sampling.paused_at.unwrap_or(self.now))
    }

    pub fn current_row(&self) -> Option<&Row> {
        self.selection.cursor.and_then(|id| self.listing.row_of(id))
    }

    /// Changes the listing with the context that its rows are shown in.
    fn update_listing(&mut self, update: impl FnOnce(&mut Listing, &DisplayContext<'_>)) {
        let moment = self.moment();
        let context = self.settings.display_context(&self.environment, moment);
        update(&mut self.listing, &context);
    }

    fn tick(&mut self) {
        let (now, is_paused) = (self.now, self.sampling.is_paused());
        self.update_listing(|listing, context| {
            if !is_paused {
                listing.expire(now, context);
            }
            listing.advance(context);
        });
        self.notice
            .take_if(|notice| notice.until.is_some_and(|until| until <= now));
    }

    fn apply(&mut self, changes: Changes) {
        self.update_listing(|listing, context| {
            listing.apply(changes.list, changes.taken.instant, context);
        });
    }

    /// Applies the filter line and the chips to the listing. What typed digits mean depends on the ports that exist.
    fn apply_filter(&mut self) {
        let query = self.filter_box.query(&self.listing);
        let filter = Filter {
            query: query.on_localhost(self.environment.localhost),
            chips: self.filter_box.chips,
            uid: self.environment.uid,
            ephemeral: self.environment.ephemeral,
        };
        if *self.listing.filter() != filter {
            self.listing.set_filter(filter);
            self.update_listing(Listing::advance);
        }
    }

    /// Applies the filter to every row at once. A key acts on the row that the filter leaves under the cursor, never on the
    /// one that was there before.
    fn finish_filtering(&mut self) {
        self.apply_filter();
        while self.listing.is_filtering() {
            self.update_listing(Listing::advance);
        }
        self.update_selection();
    }

    /// Keeps the cursor on its row, or moves it to the best match of a new filter, and scrolls it into view.
    fn update_selection(&mut self) {
        if self.listing.is_filtering() {
            return;
        }
        let height = usize::from(self.layout().rows);
        if std::mem::take(&mut self.filter_box.select_best_match) {
            self.selection.go_to_best_match(&self.listing);
        }
        self.selection.follow(&self.listing, height);
        self.selection.forget_closed(&self.listing);
    }

    fn apply_inspection(&mut self, inspection: Inspection) {
        match inspection.request.requester {
            Requester::Details => self.details.apply_inspection(inspection),
            Requester::Dialog => self.apply_dialog_inspection(inspection),
            Requester::History => {
                for (process, exit_status) in inspection.exit_statuses {
                    self.port_history.record_exit(process, exit_status);
                }
            }
            Requester::Restart => self.copy_restart_command(&inspection),
            Requester::ReuseWatch => self.complete_reuse_report(&inspection),
        }
    }

    fn request_details(&mut self) {
        let row = self.selection.cursor.and_then(|id| self.listing.row_of(id));
        let request = self.details.next_request(row, self.now);
        self.effects.extend(request.map(Effect::Inspect));
    }

    fn notify(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice {
            until: Some(self.now + NOTICE_TIME),
            ..Notice::persistent(text.into())
        });
    }
}
