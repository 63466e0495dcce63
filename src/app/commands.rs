//! Runs the commands of the table.

use crate::app::keymap::{Movement, TableCommand, key_of};
use crate::app::overlay::menu::{ClipboardText, Menu};
use crate::app::{App, Effect, Overlay};
use crate::model::socket::{Endpoint, EndpointId};
use crate::table::fields::{Column, field};
use crate::table::listing::Sort;
use crate::wording::screen::notice;

impl App {
    pub(super) fn run_command(&mut self, command: TableCommand) {
        match command {
            TableCommand::GoToPeer => self.go_to_peer(),
            TableCommand::Mark => self.mark(),
            TableCommand::UnmarkAll if self.selection.unmark_all() => {}
            TableCommand::UnmarkAll => self.notify(notice::NOTHING_MARKED),
            TableCommand::Filter => self.filter_box.open(""),
            TableCommand::RestoreFilter if self.filter_box.undo_clear() => {}
            TableCommand::RestoreFilter => self.notify(notice::NOTHING_TO_RESTORE),
            TableCommand::Back => self.back(),
            TableCommand::SortMenu => self.overlay = Overlay::Menu(Menu::Sort),
            TableCommand::ReverseSort => {
                let sort = self.listing.sort();
                self.sort_by(Sort {
                    is_reversed: !sort.is_reversed,
                    ..sort
                });
            }
            TableCommand::SortByPrevious => self.sort_by_neighbor(-1),
            TableCommand::SortByNext => self.sort_by_neighbor(1),
            TableCommand::Details => self.toggle_details(),
            TableCommand::CopyMenu => match self.current_row() {
                Some(row) => self.overlay = Overlay::Menu(Menu::copy(row)),
                None => self.notify(notice::NOTHING_TO_COPY),
            },
            TableCommand::Help => self.overlay = Overlay::Help(0),
            TableCommand::Pause => self.pause(),
            TableCommand::Refresh => self.sampling.wants_poll = true,
            TableCommand::Faster => self.change_interval(false),
            TableCommand::Slower => self.change_interval(true),
            TableCommand::Free => self.ask_to_free(),
            TableCommand::CopyRestart => self.ask_for_restart(),
            TableCommand::Check => self.open_check_dialog(),
            TableCommand::Redraw => self.effects.push(Effect::Redraw),
            TableCommand::Suspend => self.effects.push(Effect::Suspend),
            TableCommand::Quit | TableCommand::Cancel => self.quit(),
        }
    }

    pub(super) fn go(&mut self, to: Movement) {
        let scroll = &mut self.details.scroll;
        match to {
            Movement::ScrollUp => *scroll = scroll.saturating_sub(1),
            Movement::ScrollDown => *scroll = scroll.saturating_add(1),
            Movement::Up => self.step(-1),
            Movement::Down => self.step(1),
            Movement::PageUp => self.step(-self.page()),
            Movement::PageDown => self.step(self.page()),
            Movement::HalfUp => self.step(-(self.page() + 1) / 2),
            Movement::HalfDown => self.step((self.page() + 1) / 2),
            Movement::Start => self.selection.go_to_start(&self.listing),
            Movement::End => self.selection.go_to_end(&self.listing),
            Movement::NextChange if self.selection.go_to_next_change(&self.listing) => {}
            Movement::NextChange => self.notify(notice::NOTHING_CHANGED),
        }
    }

    pub(super) fn page(&self) -> isize {
        isize::try_from(self.layout().rows).unwrap_or(1).max(1)
    }

    pub(super) fn step(&mut self, rows: isize) {
        self.selection.step(&self.listing, rows);
    }

    /// Shows or hides the details; where pids were typed in place of ports, looks for those.
    fn toggle_details(&mut self) {
        if let Some(found) = self.pids_in_filter() {
            return self.filter_box.accept(&found.filter);
        }
        self.details.toggle();
        // Its owners are described as they are now.
        self.sampling.wants_poll |= self.details.is_open;
    }

    fn back(&mut self) {
        if self.details.is_open {
            self.details.toggle();
        } else {
            self.filter_box.clear();
        }
    }

    fn quit(&mut self) {
        if self.details.is_open && self.layout().rows == 0 {
            self.details.toggle();
        } else {
            self.effects.push(Effect::Quit(0));
        }
    }

    fn go_to_peer(&mut self) {
        let Some(row) = self.current_row() else {
            return;
        };
        let socket = &row.endpoint.socket;
        let Some(remote) = socket.remote else {
            return self.notify(notice::NOT_A_CONNECTION);
        };
        let peer = self.listing.endpoints().find(|endpoint| {
            let peer = &endpoint.socket;
            peer.protocol == socket.protocol
                && peer.local == remote
                && peer.remote == Some(socket.local)
        });
        match peer.map(Endpoint::id) {
            Some(id) => self.reveal(id),
            None => self.notify(notice::not_local(remote)),
        }
    }

    /// Puts the cursor on a row, and clears the filter if it hides the row.
    pub(super) fn reveal(&mut self, id: EndpointId) {
        if self.listing.row_of(id).is_none() {
            return self.notify(notice::CLOSED);
        }
        if self.selection.go_to(&self.listing, id) {
            return;
        }
        while self.filter_box.clear() {}
        self.finish_filtering();
        self.selection.go_to(&self.listing, id);
        let restore = key_of(TableCommand::RestoreFilter);
        self.notify(notice::filter_cleared(&restore));
    }

    pub(super) fn sort_by(&mut self, sort: Sort) {
        self.update_listing(|listing, context| listing.set_sort(sort, context));
        self.notify(notice::sorted(field(sort.column).title, sort.is_reversed));
    }

    fn sort_by_neighbor(&mut self, by: isize) {
        let next = (self.listing.sort().column as usize).saturating_add_signed(by);
        if let Some(column) = Column::ALL.get(next.min(Column::ALL.len() - 1)) {
            self.sort_by(Sort::ascending(*column));
        }
    }

    /// Marks the row and moves the cursor down, so that Space marks row after row.
    fn mark(&mut self) {
        if self.settings.is_read_only {
            self.notify(notice::READ_ONLY_MARK);
        } else if self.selection.toggle_mark(&self.listing) {
            self.step(1);
        } else {
            self.notify(notice::CANNOT_MARK_CLOSED);
        }
    }

    fn pause(&mut self) {
        if let Some(changes) = self.sampling.toggle_pause(self.now) {
            self.apply(changes);
        }
    }

    fn change_interval(&mut self, is_longer: bool) {
        self.sampling.change_interval(is_longer);
        self.notify(notice::polling(self.sampling.interval));
    }

    pub(super) fn copy(&mut self, clip: impl Into<ClipboardText>) {
        let ClipboardText { text, shown } = clip.into();
        self.notify(notice::copied(&shown));
        self.effects.push(Effect::Copy(text));
    }
}
