//! Labels in a column and the texts beside them, which wrap below their own beginning.
//!
//! ```text
//! Stops        node 3977   vite · ~/code/shop   dev
//! Also closes  127.0.0.1:9229 and 2 connections of the
//!              same process
//! ```

use crate::ui::theme::{Role, Theme};
use crate::ui::truncate;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget};
use std::borrow::Cow;
use unicode_width::UnicodeWidthStr;

/// A text and its label. Without a label it continues the entry above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabeledText {
    pub label: Cow<'static, str>,
    pub text: String,
    pub role: Role,
}

impl LabeledText {
    pub fn new(label: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            text: text.into(),
            role: Role::Plain,
        }
    }

    pub fn role(self, role: Role) -> Self {
        Self { role, ..self }
    }
}

/// How the column of labels is drawn.
#[derive(Clone, Copy, Debug)]
pub struct LabelColumn {
    /// Its cells, the gap included.
    pub width: usize,
    pub role: Role,
}

impl LabelColumn {
    /// The entries in lines of `width` cells. A label that is wider than its column has a line of its own.
    pub fn lines(self, entries: &[LabeledText], width: usize, theme: &Theme) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        for LabeledText { label, text, role } in entries {
            let mut label = label.clone();
            if label.width() > 0 && label.width() >= self.width {
                lines.push(theme.span(self.role, std::mem::take(&mut label)).into());
            }
            for text in truncate::wrap(text, width.saturating_sub(self.width)) {
                let gap = " ".repeat(self.width.saturating_sub(label.width()));
                let label = theme.span(self.role, std::mem::take(&mut label));
                lines.push(Line::from(vec![label, gap.into(), theme.span(*role, text)]));
            }
        }
        lines
    }
}

/// Draws as many lines as fit, from `scroll` on, and returns how many are left below. Scrolling ends at the last line.
pub fn draw(lines: Vec<Line<'static>>, scroll: u16, area: Rect, buffer: &mut Buffer) -> usize {
    let beyond = lines.len().saturating_sub(usize::from(area.height));
    let scroll = scroll.min(truncate::cells(beyond));
    let text = Paragraph::new(lines).scroll((scroll, 0));
    text.render(area, buffer);
    beyond - usize::from(scroll)
}
