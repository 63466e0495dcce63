//! How the lines of the terminal are shared out, in one place for who moves in the table and who draws it.

use crate::app::App;

/// The smallest terminal that shows anything but a word about its size.
pub const MIN_SIZE: (u16, u16) = (40, 8);

/// From this width on the details stand beside the table.
const WIDE_WIDTH: u16 = 160;

/// Under this height header and chips share a line and the filter line takes the footer's place.
const LOW_HEIGHT: u16 = 16;

/// Where the details are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DetailsPlacement {
    Closed,
    /// To the right, this wide.
    Right(u16),
    /// Below the table, this high.
    Below(u16),
    /// Instead of the table.
    Full,
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
pub struct ScreenLayout {
    pub is_low: bool,
    pub details: DetailsPlacement,
    /// Lines for rows, without the column headings; none when the details take their place.
    pub rows: u16,
}

impl ScreenLayout {
    pub fn of(app: &App) -> Self {
        let (width, height) = app.size;
        let is_low = height < LOW_HEIGHT;
        let fixed = if is_low { 3 } else { 5 };
        let body = height.saturating_sub(fixed);
        let details = match app.details.is_open {
            false => DetailsPlacement::Closed,
            true if is_low => DetailsPlacement::Full,
            true if width >= WIDE_WIDTH => DetailsPlacement::Right(width / 5 * 2),
            true => DetailsPlacement::Below(body / 2),
        };
        let rows = match details {
            DetailsPlacement::Closed | DetailsPlacement::Right(_) => body,
            DetailsPlacement::Below(high) => body - high,
            DetailsPlacement::Full => 0,
        };
        Self {
            is_low,
            details,
            rows,
        }
    }

    pub fn is_too_small(size: (u16, u16)) -> bool {
        size.0 < MIN_SIZE.0 || size.1 < MIN_SIZE.1
    }
}
