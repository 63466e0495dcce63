//! Commands: what a key does, by the context that it belongs to. Each context matches its commands exhaustively.

use crate::app::overlay::free_dialog::Button;
use crate::app::overlay::menu::CopyItem;
use crate::model::process::Signal;
use crate::table::listing::Chip;
use tui_input::InputRequest;

/// Defines enums of commands, each with a list for the test that every command has a key.
macro_rules! key_commands {
    ($(
        $(#[$outer:meta])*
        pub enum $name:ident { $($(#[$doc:meta])* $command:ident $(($value:ty))?),* $(,)? }
    )*) => { $(
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $command $(($value))?),* }

        #[cfg(test)]
        impl $name {
            /// The commands that carry no value.
            pub fn without_value() -> Vec<Self> {
                [$(key_commands!(@one $command $(($value))?)),*].concat()
            }
        }
    )* };
    (@one $command:ident) => { vec![Self::$command] };
    (@one $command:ident ($value:ty)) => { Vec::new() };
}
pub(in crate::app) use key_commands;

/// The command of a binding; the variant is its context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyCommand {
    Table(TableCommand),
    Filter(FilterCommand),
    Free(FreeCommand),
    /// Chooses a signal in the menu of the dialog that frees a port.
    Signal(Signal),
    Check(CheckCommand),
    Text(TextCommand),
    Copy(CopyItem),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyContext {
    Table,
    Filter,
    FreeDialog,
    SignalMenu,
    CheckDialog,
    /// Help and the check dialog: text that scrolls.
    Text,
    CopyMenu,
}

key_commands! {
    pub enum TableCommand {
        Move(Movement),
        Filter,
        Toggle(Chip),
        Back,
        RestoreFilter,
        SortMenu,
        ReverseSort,
        SortByPrevious,
        SortByNext,
        Details,
        Free,
        Mark,
        UnmarkAll,
        Check,
        GoToPeer,
        CopyMenu,
        CopyRestart,
        Pause,
        Refresh,
        Faster,
        Slower,
        Redraw,
        Help,
        Quit,
        Cancel,
        Suspend,
    }

    /// Commands that leave a notice or a verdict standing.
    pub enum Movement {
        Up,
        Down,
        PageUp,
        PageDown,
        HalfUp,
        HalfDown,
        Start,
        End,
        NextChange,
        ScrollUp,
        ScrollDown,
    }

    pub enum FilterCommand {
        Keep,
        Restore,
        Up,
        Down,
        PageUp,
        PageDown,
        Earlier,
        Later,
        Edit(InputRequest),
        Suspend,
    }

    pub enum FreeCommand {
        Cancel,
        NextButton,
        PreviousButton,
        /// Presses the button with the focus.
        Press,
        Button(Button),
    }

    pub enum CheckCommand {
        Connect,
    }

    pub enum TextCommand {
        Up,
        Down,
        PageUp,
        PageDown,
        Start,
        Close,
    }
}

impl KeyCommand {
    pub fn context(self) -> KeyContext {
        match self {
            Self::Table(_) => KeyContext::Table,
            Self::Filter(_) => KeyContext::Filter,
            Self::Free(_) => KeyContext::FreeDialog,
            Self::Signal(_) => KeyContext::SignalMenu,
            Self::Check(_) => KeyContext::CheckDialog,
            Self::Text(_) => KeyContext::Text,
            Self::Copy(_) => KeyContext::CopyMenu,
        }
    }

    /// True for what only serves to stop processes: `--read-only` offers none of it.
    pub fn stops_processes(self) -> bool {
        match self {
            Self::Table(command) => matches!(
                command,
                TableCommand::Free | TableCommand::Mark | TableCommand::UnmarkAll
            ),
            Self::Free(_) | Self::Signal(_) => true,
            Self::Filter(_) | Self::Check(_) | Self::Text(_) | Self::Copy(_) => false,
        }
    }
}

impl KeyContext {
    /// In the order of the help.
    pub const ALL: [Self; 7] = [
        Self::Table,
        Self::Filter,
        Self::FreeDialog,
        Self::SignalMenu,
        Self::CheckDialog,
        Self::Text,
        Self::CopyMenu,
    ];

    /// The heading in the help.
    pub fn title(self) -> &'static str {
        match self {
            Self::Table => "Keys",
            Self::Filter => "While editing the filter",
            Self::FreeDialog => "In the dialog that frees a port",
            Self::SignalMenu => "In its signal menu",
            Self::CheckDialog => "In the dialog that checks a port",
            Self::Text => "In this help and in that dialog",
            Self::CopyMenu => "In the copy menu",
        }
    }
}

impl TextCommand {
    /// The line at the top after this command; `None` to close the text.
    pub fn scroll(self, top: u16) -> Option<u16> {
        match self {
            Self::Up => Some(top.saturating_sub(1)),
            Self::Down => Some(top.saturating_add(1)),
            Self::PageUp => Some(top.saturating_sub(10)),
            Self::PageDown => Some(top.saturating_add(10)),
            Self::Start => Some(0),
            Self::Close => None,
        }
    }
}
