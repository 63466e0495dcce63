//! What is drawn over the table and takes the keys: help, menus and dialogs.

pub mod check_dialog;
pub mod free_dialog;
pub mod menu;

mod freeing;

use check_dialog::CheckDialog;
use free_dialog::FreeDialog;
use menu::Menu;

#[derive(Debug)]
pub enum Overlay {
    None,
    /// Number of lines scrolled.
    Help(u16),
    Menu(Menu),
    Freeing(Box<FreeDialog>),
    Check(CheckDialog),
}
