//! What the program is doing: everything that can happen to it arrives as an [`Event`], everything it wants done
//! leaves as an [`Effect`], and between them there are only values.
//!
//! The app never reads a clock, touches a file, a socket or a process, and knows no colours; it is told the time with
//! each event.

pub mod check_dialog;
pub mod details;
pub mod filter_box;
pub mod free_dialog;
pub mod keymap;
pub mod menu;
pub mod notice;
pub mod sampling;
pub mod screen_layout;
pub mod selection;

mod commands;
mod event;
mod input;
mod port_history;
mod reuse_watch;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use event::{Effect, Event, EventSource};

use crate::app::check_dialog::CheckDialog;
use crate::app::details::Details;
use crate::app::filter_box::FilterBox;
use crate::app::free_dialog::FreeDialog;
use crate::app::menu::Menu;
use crate::app::notice::Notice;
use crate::app::reuse_watch::ReuseWatch;
use crate::app::sampling::Sampling;
use crate::app::screen_layout::ScreenLayout;
use crate::app::selection::Selection;
use crate::config::Settings;
use crate::free::Batch;
use crate::model::Moment;
use crate::model::environment::Environment;
use crate::model::history::PortHistory;
use crate::model::inspection::Inspection;
use crate::model::process::ProcessId;
use crate::table::listing::{Filter, Listing};
use crate::table::query::Query;
use crate::table::row::{DisplayContext, Row};
use crate::tracker::Changes;
use std::time::Instant;

/// What lies over the table and takes the keys.
#[derive(Debug)]
pub enum Overlay {
    None,
    /// The help, scrolled down by so many lines.
    Help(u16),
    Menu(Menu),
    Freeing(Box<FreeDialog>),
    Check(CheckDialog),
}

/// The state of the program.
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
    /// What was confirmed and goes on after its dialog was closed.
    background: Option<Box<Batch>>,
    /// What was last said of it.
    reported_background: Option<String>,
    pub sampling: Sampling,
    memory: PortHistory,
    /// The past owner that was asked about last, and after which look.
    inspected_past_owner: Option<(ProcessId, Option<Instant>)>,
    reuse_watch: ReuseWatch,
    /// Columns and lines of the terminal.
    pub size: (u16, u16),
    /// When the last event came.
    pub now: Instant,
    /// A point on both clocks, from which the wall clock of `now` follows.
    clock: Moment,
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
            reported_background: None,
            memory: PortHistory::default(),
            inspected_past_owner: None,
            reuse_watch: ReuseWatch::default(),
            size,
            now: clock.instant,
            clock,
            environment,
            settings,
        };
        app.filter_box.chips.all = app.settings.all;
        app.apply_filter();
        app
    }

    /// Takes in what happened and says what is to be done about it.
    pub fn update(&mut self, event: Event, now: Instant) -> Vec<Effect> {
        self.now = now;
        self.tick();
        let mut effects = match event {
            Event::Input(input) => self.on_input(&input),
            Event::Sampled(changes) => self.on_sample(changes),
            Event::Inspected(inspection) => {
                self.apply_inspection(inspection);
                Vec::new()
            }
            Event::Checked(answer) => {
                self.on_check_report(answer);
                Vec::new()
            }
            Event::Freeing(happening) => self.on_freeing(happening),
            Event::Stop(code) => vec![Effect::Quit(code)],
            Event::Suspend => vec![Effect::Suspend],
            Event::Continued => {
                // While the program was stopped nobody told it where the keys go.
                self.sampling.set_terminal_focus(true);
                self.sampling.poll_now();
                vec![Effect::Redraw]
            }
            Event::Due => Vec::new(),
            Event::SourceEnded(source) => {
                self.on_source_ended(source);
                Vec::new()
            }
        };
        self.update_selection();
        effects.extend(self.report_reuse());
        effects.extend(self.request_details());
        effects.extend(self.inspect_past_owner());
        effects.extend(self.request_poll());
        effects
    }

    /// What the state says is on the screen now; `shows_all_targets`: a dialog shows everyone whom it would end.
    pub fn on_drawn(&mut self, now: Instant, shows_all_targets: bool) {
        if let Overlay::Freeing(dialog) = &mut self.overlay {
            dialog.on_drawn(self.now, now, shows_all_targets);
        }
    }

    /// When something on the screen changes by itself: a mark fades, a notice goes, a dialog arms itself, an age grows.
    pub fn next_change(&self) -> Option<Instant> {
        if self.listing.is_filtering() {
            return Some(self.now);
        }
        let dialog = match &self.overlay {
            Overlay::Freeing(dialog) => dialog.next_change(self.now),
            Overlay::None | Overlay::Help(_) | Overlay::Menu(_) | Overlay::Check(_) => None,
        };
        let notice = self.notice.as_ref().and_then(|notice| notice.until);
        let is_still = self.sampling.paused_at.is_some();
        let expiry = self.listing.next_expiry().filter(|_| !is_still);
        let age = self.sampling.next_second(self.now).filter(|_| !is_still);
        let late = self.sampling.next_stale(self.now);
        [expiry, notice, dialog, age, late]
            .into_iter()
            .flatten()
            .min()
    }

    pub fn layout(&self) -> ScreenLayout {
        ScreenLayout::of(self)
    }

    pub fn display_context(&self) -> DisplayContext<'_> {
        self.settings
            .display_context(&self.environment, self.moment())
    }

    /// The moment that is shown: now, or when the pause began.
    pub fn moment(&self) -> Moment {
        self.clock.at(self.sampling.paused_at.unwrap_or(self.now))
    }

    /// The row under the cursor.
    pub fn current_row(&self) -> Option<&Row> {
        self.selection.cursor.and_then(|id| self.listing.row_of(id))
    }

    fn tick(&mut self) {
        let context = self
            .settings
            .display_context(&self.environment, self.moment());
        if self.sampling.paused_at.is_none() {
            self.listing.expire(self.now, &context);
        }
        self.listing.advance(&context);
        if self
            .notice
            .as_ref()
            .and_then(|notice| notice.until)
            .is_some_and(|until| until <= self.now)
        {
            self.notice = None;
        }
    }

    fn apply(&mut self, changes: Changes) {
        let context = self
            .settings
            .display_context(&self.environment, self.moment());
        let ports_changed = !changes.list.is_empty();
        self.listing
            .apply(changes.list, changes.taken.instant, &context);
        // What typed digits mean depends on the ports that exist.
        if ports_changed && self.filter_box.is_typing() {
            self.apply_filter();
        }
    }

    /// Shows what the filter box and the chips ask for now.
    fn apply_filter(&mut self) {
        let query = self.current_query();
        let filter = Filter {
            query,
            chips: self.filter_box.chips,
            me: self.environment.me,
            ephemeral: self.environment.ephemeral,
        };
        if *self.listing.filter() != filter {
            self.listing.set_filter(filter);
            let context = self
                .settings
                .display_context(&self.environment, self.moment());
            self.listing.advance(&context);
        }
    }

    fn current_query(&self) -> Query {
        let counts = self.listing.counts();
        self.filter_box.query(&|port| counts.has_port(port))
    }

    /// Keeps the cursor on its row, or after a key of the filter on the best match, and the view around it.
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
        if let Overlay::Freeing(dialog) = &mut self.overlay {
            dialog.apply_inspection(&inspection);
        }
        self.record_exit_statuses(&inspection);
        self.complete_reuse_report(&inspection);
        self.details.apply_inspection(inspection);
    }

    fn request_details(&mut self) -> Option<Effect> {
        let row = self.selection.cursor.and_then(|id| self.listing.row_of(id));
        self.details.subject(row).map(Effect::Inspect)
    }

    fn on_source_ended(&mut self, source: EventSource) {
        match source {
            EventSource::Sockets => self.sampling.is_lost = true,
            EventSource::Processes | EventSource::Freeing | EventSource::Checks => {
                let words = format!("{} stopped; restart portmon to use it again", source.name());
                self.notice = Some(Notice::persistent(words));
            }
        }
    }

    fn notify(&mut self, words: impl Into<String>) {
        self.notice = Some(Notice::temporary(words.into(), self.now));
    }
}
