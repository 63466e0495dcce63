//! Output of the commands: text by the same fields as the table of the monitor, JSON by a structure for each command.

pub mod check;
pub mod free;
pub mod json;
pub mod list;
pub mod watch;
