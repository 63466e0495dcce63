//! What the commands of the table do.

use crate::app::keymap::Command;
use crate::app::menu::{Clip, Menu};
use crate::app::{App, Effect, Overlay};
use crate::model::endpoint::EndpointId;
use crate::table::fields::{Column, field};
use crate::table::listing::Sort;

/// The columns that `<` and `>` go through, as they stand on a wide screen.
const SORTABLE: [Column; 10] = [
    Column::Port,
    Column::Local,
    Column::Proto,
    Column::State,
    Column::Pid,
    Column::Process,
    Column::User,
    Column::Age,
    Column::What,
    Column::Remote,
];

impl Command {
    /// Moving about takes no notice away.
    pub fn is_movement(self) -> bool {
        matches!(
            self,
            Self::Up
                | Self::Down
                | Self::PageUp
                | Self::PageDown
                | Self::HalfUp
                | Self::HalfDown
                | Self::Start
                | Self::End
                | Self::NextChange
                | Self::ScrollUp
                | Self::ScrollDown
        )
    }
}

impl Command {
    /// Whether it is there only to end processes, and so not there where nothing may be ended.
    pub fn is_for_ending(self) -> bool {
        matches!(self, Self::Free | Self::Mark | Self::Unmark)
    }
}

impl App {
    pub(super) fn carry_out(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::Up => self.step(-1),
            Command::Down => self.step(1),
            Command::PageUp => self.step(-self.page()),
            Command::PageDown => self.step(self.page()),
            Command::HalfUp => self.step(-(self.page() + 1) / 2),
            Command::HalfDown => self.step((self.page() + 1) / 2),
            Command::Start => self.selection.go_to_start(&self.listing),
            Command::End => self.selection.go_to_end(&self.listing),
            Command::NextChange => self.go_to_next_change(),
            Command::OtherEnd => self.go_to_other_end(),
            Command::Mark => self.mark(),
            Command::Unmark => {
                if !self.selection.unmark_all() {
                    self.say("no row is marked");
                }
            }
            Command::Filter => self.change_filter(|app| app.filter_box.open("")),
            Command::Toggle(chip) => self.change_filter(|app| app.filter_box.chips.toggle(chip)),
            Command::Unclear => self.change_filter(|app| {
                if !app.filter_box.unclear() {
                    app.say("no filter was cleared");
                }
            }),
            Command::Back => self.back(),
            Command::SortMenu => self.overlay = Overlay::Menu(Menu::sort()),
            Command::Reverse => {
                let sort = self.listing.sort();
                self.sort_by(Sort {
                    is_reversed: !sort.is_reversed,
                    ..sort
                });
            }
            Command::SortLeft => self.sort_beside(-1),
            Command::SortRight => self.sort_beside(1),
            Command::Details => self.details.toggle(),
            Command::ScrollUp => self.details.scroll = self.details.scroll.saturating_sub(1),
            Command::ScrollDown => self.details.scroll = self.details.scroll.saturating_add(1),
            Command::CopyMenu => match self.current() {
                Some(row) => self.overlay = Overlay::Menu(Menu::copy(row)),
                None => self.say("no row to copy from"),
            },
            Command::Help => self.overlay = Overlay::Help(0),
            Command::Pause => self.pause(),
            Command::LookNow => self.sampling.look_now(),
            Command::Faster => {
                self.sampling.faster();
                self.say_interval();
            }
            Command::Slower => {
                self.sampling.slower();
                self.say_interval();
            }
            command => return self.act(command),
        }
        Vec::new()
    }

    /// The commands that want something done outside.
    fn act(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::Free => self.ask_to_free(),
            Command::CopyRestart => self.copy_restart(),
            Command::Why => self.ask_why(),
            Command::Repaint => vec![Effect::Repaint],
            Command::Suspend => vec![Effect::Suspend],
            Command::Quit | Command::Cancel => self.quit(),
            _ => Vec::new(),
        }
    }

    pub(super) fn page(&self) -> isize {
        isize::try_from(self.frame().rows).unwrap_or(1).max(1)
    }

    fn step(&mut self, rows: isize) {
        self.selection.step(&self.listing, rows);
    }

    fn change_filter(&mut self, change: impl FnOnce(&mut Self)) {
        change(self);
        self.refilter();
    }

    fn back(&mut self) {
        if self.details.is_open {
            self.details.toggle();
        } else {
            self.change_filter(|app| {
                app.filter_box.clear();
            });
        }
    }

    fn quit(&mut self) -> Vec<Effect> {
        if self.details.is_open && self.frame().rows == 0 {
            self.details.toggle();
            return Vec::new();
        }
        vec![Effect::Quit(0)]
    }

    fn go_to_next_change(&mut self) {
        if !self.selection.go_to_next_change(&self.listing) {
            self.say("nothing changed in the last 3 s");
        }
    }

    fn go_to_other_end(&mut self) {
        let Some(row) = self.current() else { return };
        let socket = &row.endpoint.socket;
        let Some(remote) = socket.remote else {
            self.say("this is no connection");
            return;
        };
        let (protocol, local) = (socket.protocol, socket.local);
        let is_mirror = |id: &EndpointId| {
            self.listing.row_of(*id).is_some_and(|row| {
                let other = &row.endpoint.socket;
                other.protocol == protocol && other.local == remote && other.remote == Some(local)
            })
        };
        let mirror = self
            .listing
            .endpoints()
            .map(crate::model::endpoint::Endpoint::id)
            .find(is_mirror);
        match mirror {
            Some(id) => self.reveal(id),
            None => self.say(format!("{remote} is not on this machine")),
        }
    }

    /// Puts the cursor on a row; one that the filter hides brings the whole table back.
    pub(super) fn reveal(&mut self, id: EndpointId) {
        if self.listing.row_of(id).is_none() {
            self.say("it has closed meanwhile");
            return;
        }
        if self.selection.go_to(&self.listing, id) {
            return;
        }
        while self.filter_box.clear() {}
        self.refilter();
        while self.listing.is_passing() {
            let around = self.setup.surroundings(self.moment());
            self.listing.advance(&around);
        }
        self.filter_box.wants_best = false;
        self.selection.go_to(&self.listing, id);
        self.say("the filter was cleared to show it; u brings it back");
    }

    pub(super) fn sort_by(&mut self, sort: Sort) {
        let around = self.setup.surroundings(self.moment());
        self.listing.set_sort(sort, &around);
        let arrow = if sort.is_reversed {
            "descending"
        } else {
            "ascending"
        };
        self.say(format!("sorted by {}, {arrow}", field(sort.column).title));
    }

    fn sort_beside(&mut self, by: isize) {
        let sort = self.listing.sort();
        let place = SORTABLE
            .iter()
            .position(|column| *column == sort.column)
            .unwrap_or(0);
        let next = place.saturating_add_signed(by).min(SORTABLE.len() - 1);
        if let Some(column) = SORTABLE.get(next) {
            self.sort_by(Sort {
                column: *column,
                is_reversed: false,
            });
        }
    }

    /// The cursor goes on, so that Space marks one row after the other.
    fn mark(&mut self) {
        if self.setup.is_read_only {
            self.say("read-only: marked rows are for ending, and nothing is ended here");
        } else if self.selection.toggle_mark(&self.listing) {
            self.step(1);
        } else {
            self.say("a closed row cannot be marked");
        }
    }

    fn pause(&mut self) {
        if let Some(changes) = self.sampling.toggle_pause(self.now) {
            self.apply(changes);
        }
    }

    fn say_interval(&mut self) {
        let interval = shown_interval(self.sampling.interval);
        self.say(format!("looking every {interval}"));
    }

    pub(super) fn copy(&mut self, clip: impl Into<Clip>) -> Vec<Effect> {
        let Clip { text, shown } = clip.into();
        self.say(format!("copied through the terminal (OSC 52): {shown}"));
        vec![Effect::Copy(text)]
    }
}

/// `1s`, `250ms`
pub fn shown_interval(interval: std::time::Duration) -> String {
    if interval.subsec_millis() == 0 {
        format!("{}s", interval.as_secs())
    } else if interval.as_secs() == 0 {
        format!("{}ms", interval.as_millis())
    } else {
        format!("{:.1}s", interval.as_secs_f64())
    }
}
