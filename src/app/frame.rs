//! How the lines of the terminal are shared out, in one place for who moves in the table and who draws it.

use crate::app::App;

/// The smallest terminal that shows anything but a word about its size.
pub const LEAST: (u16, u16) = (40, 8);

/// From this width on the details stand beside the table.
const WIDE: u16 = 160;

/// Under this height header and chips share a line and the filter line takes the footer's place.
const LOW: u16 = 16;

/// Where the details are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Nowhere,
    /// To the right, this wide.
    Beside(u16),
    /// Below the table, this high.
    Below(u16),
    /// Instead of the table.
    Instead,
}

/// The lines of one screen.
///
/// ```text
///  header                      1 line
///  chips                       1 line, none when low
///  column headings             1 line
///  rows
///  details                     when open and below
///  filter and counts           1 line, none when low
///  footer                      1 line
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    pub is_low: bool,
    pub details: Place,
    /// Lines for rows, without the column headings; none when the details take their place.
    pub rows: u16,
}

impl Frame {
    pub fn of(app: &App) -> Self {
        let (width, height) = app.size;
        let is_low = height < LOW;
        let fixed = if is_low { 3 } else { 5 };
        let body = height.saturating_sub(fixed);
        let details = match app.details.is_open {
            false => Place::Nowhere,
            true if is_low => Place::Instead,
            true if width >= WIDE => Place::Beside(width / 5 * 2),
            true => Place::Below(body / 2),
        };
        let rows = match details {
            Place::Nowhere | Place::Beside(_) => body,
            Place::Below(high) => body - high,
            Place::Instead => 0,
        };
        Self {
            is_low,
            details,
            rows,
        }
    }

    pub fn is_too_small(size: (u16, u16)) -> bool {
        size.0 < LEAST.0 || size.1 < LEAST.1
    }
}
