//! The rows of the table: their fields, filter and order.
//!
//! It knows no screen: no widths in cells, no colors. The monitor and `portmon list` share it.

pub mod description;
pub mod fields;
pub mod listing;
pub mod query;
pub mod row;
pub mod value;
