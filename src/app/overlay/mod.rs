//! What is drawn over the table and takes the keys: help, menus and dialogs.

pub mod check_dialog;
pub mod free_dialog;
pub mod menu;

mod freeing;

use check_dialog::CheckDialog;
use free_dialog::FreeDialog;
use menu::Menu;

#[derive(Debug, Default)]
pub enum Overlay {
    #[default]
    None,
    /// Number of lines scrolled.
    Help(u16),
    Menu(Menu),
    Freeing(Box<FreeDialog>),
    Check(CheckDialog),
}

impl Overlay {
    pub fn free_dialog(&self) -> Option<&FreeDialog> {
        match self {
            Self::Freeing(dialog) => Some(dialog),
            Self::None | Self::Help(_) | Self::Menu(_) | Self::Check(_) => None,
        }
    }

    pub fn free_dialog_mut(&mut self) -> Option<&mut FreeDialog> {
        match self {
            Self::Freeing(dialog) => Some(dialog),
            Self::None | Self::Help(_) | Self::Menu(_) | Self::Check(_) => None,
        }
    }
}
