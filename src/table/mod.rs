//! Rows as people see them: what a column says of an endpoint, which rows a filter lets through, and their order.
//!
//! Knows no screen: no widths in cells of a terminal, no colours. The same rows feed the monitor and `portmon list`.

pub mod description;
pub mod fields;
pub mod listing;
pub mod query;
pub mod row;
pub mod value;
