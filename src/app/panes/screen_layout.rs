//! The layout of the screen, shared by scrolling and drawing.

use crate::app::App;

/// The smallest terminal that shows the table.
pub const MIN_SIZE: (u16, u16) = (40, 8);

/// From this width on the details are beside the table.
const WIDE_WIDTH: u16 = 160;

/// Below this height header and chips share a line, and the filter line replaces the footer.
const SHORT_HEIGHT: u16 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DetailsPlacement {
    Closed,
    /// To the right, with this width.
    Right(u16),
    /// Below the table, with this height.
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
    pub is_short: bool,
    pub details: DetailsPlacement,
    /// Number of lines for rows, without the column headings.
    pub rows: u16,
}

impl App {
    pub fn layout(&self) -> ScreenLayout {
        let (width, height) = self.size;
        let is_short = height < SHORT_HEIGHT;
        let fixed = if is_short { 3 } else { 5 };
        let body = height.saturating_sub(fixed);
        let details = match self.details.is_open {
            false => DetailsPlacement::Closed,
            true if is_short => DetailsPlacement::Full,
            true if width >= WIDE_WIDTH => DetailsPlacement::Right(width / 5 * 2),
            true => DetailsPlacement::Below(body / 2),
        };
        let rows = match details {
            DetailsPlacement::Closed | DetailsPlacement::Right(_) => body,
            DetailsPlacement::Below(high) => body - high,
            DetailsPlacement::Full => 0,
        };
        ScreenLayout {
            is_short,
            details,
            rows,
        }
    }
}

pub fn is_too_small((width, height): (u16, u16)) -> bool {
    width < MIN_SIZE.0 || height < MIN_SIZE.1
}
