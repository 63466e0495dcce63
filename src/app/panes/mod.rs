//! The panes of the screen: the filter line, the rows in view, the details, and where each is drawn.

pub mod details;
pub mod filter_box;
pub mod screen_layout;
pub mod selection;
