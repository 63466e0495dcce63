//! What the commands of the table do.

use crate::app::keymap::KeyCommand;
use crate::app::menu::{ClipboardText, Menu};
use crate::app::{App, Effect, Overlay};
use crate::model::endpoint::EndpointId;
use crate::table::fields::{Column, field};
use crate::table::listing::Sort;
use crate::wording;

/// The columns that `<` and `>` go through, as they stand on a wide screen.
const SORT_COLUMNS: [Column; 10] = [
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

impl KeyCommand {
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

impl KeyCommand {
    /// Whether it is there only to end processes, and so not there where nothing may be ended.
    pub fn is_destructive(self) -> bool {
        matches!(self, Self::Free | Self::Mark | Self::UnmarkAll)
    }
}

impl App {
    pub(super) fn run_command(&mut self, command: KeyCommand) -> Vec<Effect> {
        match command {
            KeyCommand::Up => self.step(-1),
            KeyCommand::Down => self.step(1),
            KeyCommand::PageUp => self.step(-self.page()),
            KeyCommand::PageDown => self.step(self.page()),
            KeyCommand::HalfUp => self.step(-(self.page() + 1) / 2),
            KeyCommand::HalfDown => self.step((self.page() + 1) / 2),
            KeyCommand::Start => self.selection.go_to_start(&self.listing),
            KeyCommand::End => self.selection.go_to_end(&self.listing),
            KeyCommand::NextChange => self.go_to_next_change(),
            KeyCommand::GoToPeer => self.go_to_peer(),
            KeyCommand::Mark => self.mark(),
            KeyCommand::UnmarkAll => {
                if !self.selection.unmark_all() {
                    self.notify("no row is marked");
                }
            }
            KeyCommand::Filter => self.change_filter(|app| app.filter_box.open("")),
            KeyCommand::Toggle(chip) => self.change_filter(|app| app.filter_box.chips.toggle(chip)),
            KeyCommand::UndoClear => self.change_filter(|app| {
                if !app.filter_box.undo_clear() {
                    app.notify("no filter was cleared");
                }
            }),
            KeyCommand::Back => self.back(),
            KeyCommand::SortMenu => self.overlay = Overlay::Menu(Menu::sort()),
            KeyCommand::ReverseSort => {
                let sort = self.listing.sort();
                self.sort_by(Sort {
                    is_reversed: !sort.is_reversed,
                    ..sort
                });
            }
            KeyCommand::SortByPrevious => self.sort_by_neighbor(-1),
            KeyCommand::SortByNext => self.sort_by_neighbor(1),
            KeyCommand::Details => self.details.toggle(),
            KeyCommand::ScrollUp => self.details.scroll = self.details.scroll.saturating_sub(1),
            KeyCommand::ScrollDown => self.details.scroll = self.details.scroll.saturating_add(1),
            KeyCommand::CopyMenu => match self.current_row() {
                Some(row) => self.overlay = Overlay::Menu(Menu::copy(row)),
                None => self.notify("no row to copy from"),
            },
            KeyCommand::Help => self.overlay = Overlay::Help(0),
            KeyCommand::Pause => self.pause(),
            KeyCommand::Refresh => self.sampling.poll_now(),
            KeyCommand::Faster => {
                self.sampling.faster();
                self.notify_interval();
            }
            KeyCommand::Slower => {
                self.sampling.slower();
                self.notify_interval();
            }
            command => return self.run_outside_command(command),
        }
        Vec::new()
    }

    /// The commands that want something done outside.
    fn run_outside_command(&mut self, command: KeyCommand) -> Vec<Effect> {
        match command {
            KeyCommand::Free => self.ask_to_free(),
            KeyCommand::CopyRestart => self.copy_restart_command(),
            KeyCommand::Check => self.open_check_dialog(),
            KeyCommand::Redraw => vec![Effect::Redraw],
            KeyCommand::Suspend => vec![Effect::Suspend],
            KeyCommand::Quit | KeyCommand::Cancel => self.quit(),
            _ => Vec::new(),
        }
    }

    pub(super) fn page(&self) -> isize {
        isize::try_from(self.layout().rows).unwrap_or(1).max(1)
    }

    fn step(&mut self, rows: isize) {
        self.selection.step(&self.listing, rows);
    }

    fn change_filter(&mut self, change: impl FnOnce(&mut Self)) {
        change(self);
        self.apply_filter();
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
        if self.details.is_open && self.layout().rows == 0 {
            self.details.toggle();
            return Vec::new();
        }
        vec![Effect::Quit(0)]
    }

    fn go_to_next_change(&mut self) {
        if !self.selection.go_to_next_change(&self.listing) {
            self.notify("nothing changed in the last 3 s");
        }
    }

    fn go_to_peer(&mut self) {
        let Some(row) = self.current_row() else {
            return;
        };
        let socket = &row.endpoint.socket;
        let Some(remote) = socket.remote else {
            self.notify("this is no connection");
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
            None => self.notify(format!("{remote} is not on this machine")),
        }
    }

    /// Puts the cursor on a row; one that the filter hides brings the whole table back.
    pub(super) fn reveal(&mut self, id: EndpointId) {
        if self.listing.row_of(id).is_none() {
            self.notify("it has closed meanwhile");
            return;
        }
        if self.selection.go_to(&self.listing, id) {
            return;
        }
        while self.filter_box.clear() {}
        self.apply_filter();
        while self.listing.is_filtering() {
            let context = self
                .settings
                .display_context(&self.environment, self.moment());
            self.listing.advance(&context);
        }
        self.filter_box.select_best_match = false;
        self.selection.go_to(&self.listing, id);
        self.notify("the filter was cleared to show it; u brings it back");
    }

    pub(super) fn sort_by(&mut self, sort: Sort) {
        let context = self
            .settings
            .display_context(&self.environment, self.moment());
        self.listing.set_sort(sort, &context);
        let arrow = if sort.is_reversed {
            "descending"
        } else {
            "ascending"
        };
        self.notify(format!("sorted by {}, {arrow}", field(sort.column).title));
    }

    fn sort_by_neighbor(&mut self, by: isize) {
        let sort = self.listing.sort();
        let place = SORT_COLUMNS
            .iter()
            .position(|column| *column == sort.column)
            .unwrap_or(0);
        let next = place.saturating_add_signed(by).min(SORT_COLUMNS.len() - 1);
        if let Some(column) = SORT_COLUMNS.get(next) {
            self.sort_by(Sort {
                column: *column,
                is_reversed: false,
            });
        }
    }

    /// The cursor goes on, so that Space marks one row after the other.
    fn mark(&mut self) {
        if self.settings.is_read_only {
            self.notify("read-only: marked rows are for ending, and nothing is ended here");
        } else if self.selection.toggle_mark(&self.listing) {
            self.step(1);
        } else {
            self.notify("a closed row cannot be marked");
        }
    }

    fn pause(&mut self) {
        if let Some(changes) = self.sampling.toggle_pause(self.now) {
            self.apply(changes);
        }
    }

    fn notify_interval(&mut self) {
        let interval = wording::interval(self.sampling.interval);
        self.notify(format!("looking every {interval}"));
    }

    pub(super) fn copy(&mut self, clip: impl Into<ClipboardText>) -> Vec<Effect> {
        let ClipboardText { text, shown } = clip.into();
        self.notify(format!("copied through the terminal (OSC 52): {shown}"));
        vec![Effect::Copy(text)]
    }
}
