//! Frames and menus over the table.

use crate::app::App;
use crate::app::keymap::{KeyCommand, binding_of};
use crate::app::overlay::menu::Menu;
use crate::table::fields::FIELDS;
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate::{self, cells};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Padding, Widget};
use unicode_width::UnicodeWidthStr;

const DIALOG_WIDTH: u16 = 78;

/// The height of a dialog on a short screen, which leaves some of the table visible.
const SHORT_DIALOG_HEIGHT: u16 = 9;

/// Cells that the frame takes from the width and the height of a box.
pub const FRAME: (u16, u16) = (4, 2);

/// Returns the width of a dialog and its largest height.
pub fn dialog_size(app: &App) -> (u16, u16) {
    let (width, height) = app.size;
    let height = if app.layout().is_short {
        height.min(SHORT_DIALOG_HEIGHT)
    } else {
        height
    };
    (width.min(DIALOG_WIDTH), height)
}

/// Draws an empty box of this size in the middle of the screen and returns the area inside.
pub fn open(title: &str, width: u16, height: u16, theme: &Theme, buffer: &mut Buffer) -> Rect {
    let sides = [width, height].map(Constraint::Length);
    let area = buffer.area.centered(sides[0], sides[1]);
    let title = truncate::at_end(title, usize::from(area.width.saturating_sub(FRAME.0)));
    let block = Block::bordered()
        .padding(Padding::horizontal(1))
        .border_style(theme.style(Role::Border))
        .title(theme.span(Role::Title, format!(" {title} ")));
    let inner = block.inner(area);
    Clear.render(area, buffer);
    block.render(area, buffer);
    inner
}

pub fn draw_menu(menu: &Menu, theme: &Theme, buffer: &mut Buffer) {
    match menu {
        Menu::Sort => {
            let fields = FIELDS.iter();
            let items = fields.map(|field| (field.letter.to_string(), field.title.to_owned()));
            draw_items("Sort by", &items.collect::<Vec<_>>(), theme, buffer);
        }
        Menu::Copy(texts) => {
            let items = texts.iter().filter_map(|(item, text)| {
                let binding = binding_of(KeyCommand::Copy(*item))?;
                let line = format!("{:<27}{}", binding.about, text.shown);
                Some((binding.keys_label(), line))
            });
            draw_items("Copy", &items.collect::<Vec<_>>(), theme, buffer);
        }
    }
}

/// Draws a line for each item, in as many columns as a short screen needs.
fn draw_items(title: &str, items: &[(String, String)], theme: &Theme, buffer: &mut Buffer) {
    let room = usize::from(buffer.area.height.saturating_sub(FRAME.1)).max(1);
    let rows = items.len().div_ceil(items.len().div_ceil(room).max(1));
    let widths = items.iter().map(|(_, name)| name.width());
    let item_width = widths.max().unwrap_or(0).max(title.width()) + 4;
    let columns = items.chunks(rows.max(1));
    let width = cells(columns.len() * item_width) + FRAME.0;
    let area = open(title, width, cells(rows) + FRAME.1, theme, buffer);
    for (place, column) in columns.enumerate() {
        let left = Rect {
            x: area.x + cells(place * item_width),
            ..area
        };
        for ((key, name), row) in column.iter().zip(left.intersection(area).rows()) {
            let name = truncate::at_end(
                &format!("  {name}"),
                usize::from(row.width.saturating_sub(1)),
            );
            let line = Line::from(vec![theme.span(Role::Key, key.as_str()), name.into()]);
            line.render(row, buffer);
        }
    }
}
