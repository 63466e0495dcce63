//! The commands that print: the same core as the monitor without a screen.
//!
//! Synchronous, without tokio. Text goes through the same fields as the table, JSON through one structure.

pub mod check;
pub mod free;
pub mod json;
pub mod list;
pub mod watch;
