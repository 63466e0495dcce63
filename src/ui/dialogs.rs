//! What covers the table: the dialogs, the menus and the help.

pub mod check_dialog;
pub mod frame;
pub mod free_dialog;
pub mod help;

#[cfg(test)]
mod tests;
