//! What the program is doing: everything that can happen to it arrives as an [`Event`], everything it wants done
//! leaves as an [`Effect`], and between them there are only values.
//!
//! The app never reads a clock, touches a file, a socket or a process, and knows no colours; it is told the time with
//! each event.

pub mod details;
pub mod filter_box;
pub mod frame;
pub mod free_dialog;
pub mod keymap;
pub mod menu;
pub mod notice;
pub mod sampling;
pub mod selection;
pub mod why;

mod aftermath;
mod commands;
mod event;
mod hindsight;
mod input;
mod setup;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use commands::shown_interval;
pub use event::{Effect, Event, Source};
pub use setup::Setup;

use crate::app::aftermath::Aftermath;
use crate::app::details::Details;
use crate::app::filter_box::FilterBox;
use crate::app::frame::Frame;
use crate::app::free_dialog::FreeDialog;
use crate::app::menu::Menu;
use crate::app::notice::Notice;
use crate::app::sampling::Sampling;
use crate::app::selection::Selection;
use crate::app::why::WhyDialog;
use crate::model::Moment;
use crate::model::freeing::Batch;
use crate::model::inspection::Inspection;
use crate::model::memory::Memory;
use crate::model::process::ProcessId;
use crate::model::tracker::Changes;
use crate::table::listing::{Filter, Listing};
use crate::table::query::Query;
use crate::table::row::{Row, Surroundings};
use std::time::Instant;

/// What lies over the table and takes the keys.
#[derive(Debug)]
pub enum Overlay {
    None,
    /// The help, scrolled down by so many lines.
    Help(u16),
    Menu(Menu),
    Freeing(Box<FreeDialog>),
    Why(WhyDialog),
}

/// The state of the program.
#[derive(Debug)]
pub struct App {
    pub setup: Setup,
    pub listing: Listing,
    pub selection: Selection,
    pub filter_box: FilterBox,
    pub details: Details,
    pub overlay: Overlay,
    pub notice: Option<Notice>,
    /// What was confirmed and goes on after its dialog was closed.
    background: Option<Box<Batch>>,
    /// What was last said of it.
    told: Option<String>,
    pub sampling: Sampling,
    memory: Memory,
    /// The past owner that was asked about last, and after which look.
    asked_past: Option<(ProcessId, Option<Instant>)>,
    aftermath: Aftermath,
    /// Columns and lines of the terminal.
    pub size: (u16, u16),
    /// When the last event came.
    pub now: Instant,
    /// A point on both clocks, from which the wall clock of `now` follows.
    clock: Moment,
}

impl App {
    pub fn new(setup: Setup, size: (u16, u16), clock: Moment) -> Self {
        let mut app = Self {
            sampling: Sampling::new(setup.interval),
            filter_box: FilterBox::new(&setup.filter),
            listing: Listing::default(),
            selection: Selection::default(),
            details: Details::default(),
            overlay: Overlay::None,
            notice: None,
            background: None,
            told: None,
            memory: Memory::default(),
            asked_past: None,
            aftermath: Aftermath::default(),
            size,
            now: clock.instant,
            clock,
            setup,
        };
        app.filter_box.chips.all = app.setup.all;
        app.refilter();
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
                self.take_in_inspection(inspection);
                Vec::new()
            }
            Event::Checked(answer) => {
                self.on_answer(answer);
                Vec::new()
            }
            Event::Freeing(happening) => self.on_freeing(happening),
            Event::Stop(code) => vec![Effect::Quit(code)],
            Event::Suspend => vec![Effect::Suspend],
            Event::Continued => {
                // While the program was stopped nobody told it where the keys go.
                self.sampling.attend(true);
                self.sampling.look_now();
                vec![Effect::Repaint]
            }
            Event::Due => Vec::new(),
            Event::Lost(source) => {
                self.lose(source);
                Vec::new()
            }
        };
        self.follow_rows();
        effects.extend(self.tell_aftermath());
        effects.extend(self.ask_for_details());
        effects.extend(self.ask_about_the_past());
        effects.extend(self.ask_the_sampler());
        effects
    }

    /// What the state says is on the screen now; `is_whole`: a dialog shows everyone whom it would end.
    pub fn drawn(&mut self, now: Instant, is_whole: bool) {
        if let Overlay::Freeing(dialog) = &mut self.overlay {
            dialog.drawn(self.now, now, is_whole);
        }
    }

    /// When something on the screen changes by itself: a mark fades, a notice goes, a dialog arms itself, an age grows.
    pub fn next_change(&self) -> Option<Instant> {
        if self.listing.is_passing() {
            return Some(self.now);
        }
        let dialog = match &self.overlay {
            Overlay::Freeing(dialog) => dialog.next_change(self.now),
            Overlay::None | Overlay::Help(_) | Overlay::Menu(_) | Overlay::Why(_) => None,
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

    pub fn frame(&self) -> Frame {
        Frame::of(self)
    }

    pub fn surroundings(&self) -> Surroundings<'_> {
        self.setup.surroundings(self.moment())
    }

    /// The moment that is shown: now, or when the pause began.
    pub fn moment(&self) -> Moment {
        self.clock.at(self.sampling.paused_at.unwrap_or(self.now))
    }

    /// The row under the cursor.
    pub fn current(&self) -> Option<&Row> {
        self.selection.cursor.and_then(|id| self.listing.row_of(id))
    }

    fn tick(&mut self) {
        let around = self.setup.surroundings(self.moment());
        if self.sampling.paused_at.is_none() {
            self.listing.expire(self.now, &around);
        }
        self.listing.advance(&around);
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
        let around = self.setup.surroundings(self.moment());
        let ports_changed = !changes.list.is_empty();
        self.listing
            .apply(changes.list, changes.taken.instant, &around);
        // What typed digits mean depends on the ports that exist.
        if ports_changed && self.filter_box.is_typing() {
            self.refilter();
        }
    }

    /// Shows what the filter box and the chips ask for now.
    fn refilter(&mut self) {
        let query = self.wanted_query();
        let filter = Filter {
            query,
            chips: self.filter_box.chips,
            me: self.setup.me,
            ephemeral: self.setup.ephemeral,
        };
        if *self.listing.filter() != filter {
            self.listing.set_filter(filter);
            let around = self.setup.surroundings(self.moment());
            self.listing.advance(&around);
        }
    }

    fn wanted_query(&self) -> Query {
        let counts = self.listing.counts();
        self.filter_box.query(&|port| counts.has_port(port))
    }

    /// Keeps the cursor on its row, or after a key of the filter on the best match, and the view around it.
    fn follow_rows(&mut self) {
        if self.listing.is_passing() {
            return;
        }
        let height = usize::from(self.frame().rows);
        if std::mem::take(&mut self.filter_box.wants_best) {
            self.selection.go_to_best(&self.listing);
        }
        self.selection.follow(&self.listing, height);
        self.selection.forget_closed(&self.listing);
    }

    fn take_in_inspection(&mut self, inspection: Inspection) {
        if let Overlay::Freeing(dialog) = &mut self.overlay {
            dialog.take_in(&inspection);
        }
        self.learn_fates(&inspection);
        self.complete_aftermath(&inspection);
        self.details.take_in(inspection);
    }

    fn ask_for_details(&mut self) -> Option<Effect> {
        let row = self.selection.cursor.and_then(|id| self.listing.row_of(id));
        self.details.subject(row).map(Effect::Inspect)
    }

    fn lose(&mut self, source: Source) {
        match source {
            Source::Sockets => self.sampling.is_lost = true,
            Source::Processes | Source::Freeing | Source::Checks => {
                let words = format!("{} ended; only a new start brings it back", source.name());
                self.notice = Some(Notice::lasting(words));
            }
        }
    }

    fn say(&mut self, words: impl Into<String>) {
        self.notice = Some(Notice::passing(words.into(), self.now));
    }
}
