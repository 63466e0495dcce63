//! Frames and menus over the table.

use crate::app::keymap::{KeyCommand, binding_of};
use crate::app::overlay::menu::Menu;
use crate::table::fields::FIELDS;
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};
use unicode_width::UnicodeWidthStr;

/// Draws an empty box of this size in the middle of the screen and returns the area inside.
pub fn open(title: &str, width: u16, height: u16, theme: &Theme, buffer: &mut Buffer) -> Rect {
    let screen = buffer.area;
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    let area = Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    };
    let title = truncate::at_end(title, usize::from(width).saturating_sub(4));
    let block = Block::bordered()
        .border_style(theme.style(Role::Border))
        .title(Line::styled(format!(" {title} "), theme.style(Role::Title)));
    let inner = block.inner(area);
    Clear.render(area, buffer);
    block.render(area, buffer);
    Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    }
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

/// Draws a line for each item, in as many columns as a low screen needs.
fn draw_items(title: &str, items: &[(String, String)], theme: &Theme, buffer: &mut Buffer) {
    let room = usize::from(buffer.area.height).saturating_sub(2).max(1);
    let columns = items.len().div_ceil(room).max(1);
    let rows = items.len().div_ceil(columns);
    let item_width = items
        .iter()
        .map(|(_, name)| name.width() + 4)
        .max()
        .unwrap_or(0)
        .max(title.len() + 4);
    let cells = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    let area = open(
        title,
        cells(columns * item_width + 4),
        cells(rows + 2),
        theme,
        buffer,
    );
    for (place, (key, name)) in items.iter().enumerate() {
        let (column, row) = (place / rows.max(1), place % rows.max(1));
        let line = Line::from(vec![
            Span::styled(key.as_str(), theme.style(Role::Key)),
            Span::raw(truncate::at_end(
                &format!("  {name}"),
                usize::from(area.width).saturating_sub(1),
            )),
        ]);
        let spot = Rect {
            x: area.x + cells(column * item_width),
            y: area.y + cells(row),
            width: cells(item_width),
            height: 1,
        };
        line.render(spot.intersection(area), buffer);
    }
}
