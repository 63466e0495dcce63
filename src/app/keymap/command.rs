//! Commands: one line each, with its keys, its help and, for the keys that people need first, its footer.
//!
//! A new line is a new command; the compiler leads to the place that carries it out.

use super::chord::{Chord, ctrl, key, named};
use crate::model::process::Signal;
use crate::table::listing::Chip;
use crossterm::event::KeyCode::{
    BackTab, Backspace, Delete, Down, End, Enter, Esc, F, Home, Left, PageDown, PageUp, Right, Tab,
    Up,
};
use tui_input::InputRequest;

#[derive(Debug)]
pub struct KeyBinding {
    pub keys: &'static [Chord],
    pub command: KeyCommand,
    /// What the help and the README say.
    pub about: &'static str,
    /// What the footer says, for the keys that people need first.
    pub hint: Option<&'static str>,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyCommand {
    Move(Movement),
    Toggle(Chip),
    Table(TableCommand),
    Filter(FilterCommand),
    Edit(InputRequest),
    Button(Button),
    FreeDialog(FreeDialogCommand),
    Signal(Signal),
    Check(CheckCommand),
    Text(TextCommand),
    Copy(CopyItem),
}

/// The bindings of commands that carry a value: `VALUE [KEYS] "help", hint "footer";`
macro_rules! bindings {
    ($family:ident of $type:ident {
        $($value:ident [$($key:expr),*] $about:literal $(, hint $hint:literal)?;)*
    }) => {
        &[$(KeyBinding {
            keys: &[$($key),*],
            command: KeyCommand::$family($type::$value),
            about: $about,
            hint: [$($hint)?].first().copied(),
        }),*]
    };
}

/// An enum with a command for each line, and their bindings.
macro_rules! commands {
    ($(#[$doc:meta])* $name:ident as $family:ident { $($command:ident $keys:tt $about:literal $(, hint $hint:literal)?;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($command),* }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$command),*];

            pub(super) const BINDINGS: &[KeyBinding] =
                bindings! { $family of $name { $($command $keys $about $(, hint $hint)?;)* } };
        }

        impl From<$name> for KeyCommand {
            fn from(command: $name) -> Self {
                Self::$family(command)
            }
        }
    };
}

commands! {
    /// Commands that move the cursor or scroll; unlike all others they dismiss neither a notice nor a verdict.
    Movement as Move {
        Up [named(Up), key('k')] "up";
        Down [named(Down), key('j')] "down";
        PageUp [named(PageUp), ctrl('b')] "page up";
        PageDown [named(PageDown), ctrl('f')] "page down";
        HalfUp [ctrl('u')] "half a page up";
        HalfDown [ctrl('d')] "half a page down";
        Start [named(Home), key('g')] "first row";
        End [named(End), key('G')] "last row";
        NextChange [key('n')] "next changed row";
        ScrollUp [key('[')] "scroll the details up";
        ScrollDown [key(']')] "scroll the details down";
    }
}

pub(super) const CHIPS: &[KeyBinding] = bindings! {
    Toggle of Chip {
        Listening [key('l')] "only sockets that hold a port: listening, bound, UDP";
        Connected [key('c')] "only connections";
        Dynamic [key('d')] "only dynamic local ports: 49152–65535 and this machine's ephemeral range";
        Exposed [key('e')] "only sockets reachable from the network";
        Mine [key('m')] "only mine (with sudo: the invoking user's)";
        All [key('a')] "all sockets, including connections to other machines";
    }
};

commands! {
    TableCommand as Table {
        Filter [key('/'), named(F(4)), key('\\')] "start a new filter (typing a digit does too)", hint "filter";
        Free [key('x'), named(F(9)), named(Delete)] "free the port of this row, or the ports of the marked rows in view (always asks)", hint "free port";
        Mark [key(' ')] "mark or unmark this row, and move down";
        UnmarkAll [key('U')] "unmark all";
        Check [key('w')] "check whether this port can be used and, if not, why";
        Details [named(Enter), key('i')] "show or hide the details", hint "details";
        GoToPeer [key('f')] "go to the other end of this connection";
        SortMenu [key('s')] "choose the sort column", hint "sort";
        ReverseSort [key('I')] "reverse the order";
        SortByPrevious [key('<')] "sort by the previous column";
        SortByNext [key('>')] "sort by the next column";
        CopyMenu [key('y')] "copy the address, URL, pid or a command", hint "copy";
        CopyRestart [key('Y')] "copy the command that restarts the process (if the port is unused: its last owner)";
        Back [named(Esc)] "close the top dialog or pane, else clear the filter text, else clear the chips";
        RestoreFilter [key('u')] "restore last filter";
        Pause [key('p'), key('Z')] "pause or resume";
        Refresh [key('R'), ctrl('r')] "refresh";
        Faster [key('+')] "poll faster";
        Slower [key('-')] "poll slower";
        Redraw [ctrl('l')] "redraw";
        Help [key('?'), named(F(1))] "help", hint "help";
        Quit [key('q'), named(F(10))] "quit (closes what is on top first)", hint "quit";
        Cancel [ctrl('c')] "cancel the filter edit or dialog, else quit";
        Suspend [ctrl('z')] "suspend (fg resumes)";
    }
}

commands! {
    FilterCommand as Filter {
        Keep [named(Enter)] "keep the filter", hint "keep";
        Restore [named(Esc), ctrl('c')] "restore the previous filter", hint "restore";
        Up [named(Up)] "previous row";
        Down [named(Down)] "next row", hint "next row";
        PageUp [named(PageUp)] "page up";
        PageDown [named(PageDown)] "page down";
        Earlier [ctrl('p')] "earlier filter", hint "earlier filter";
        Later [ctrl('n')] "later filter";
        Suspend [ctrl('z')] "suspend";
    }
}

pub(super) const EDITS: &[KeyBinding] = bindings! {
    Edit of InputRequest {
        GoToPrevChar [named(Left)] "previous character";
        GoToNextChar [named(Right)] "next character";
        GoToStart [ctrl('a'), named(Home)] "start of the text";
        GoToEnd [ctrl('e'), named(End)] "end of the text";
        DeletePrevChar [named(Backspace), ctrl('h')] "delete the previous character";
        DeleteNextChar [named(Delete)] "delete the next character";
        DeletePrevWord [ctrl('w')] "delete the previous word";
        DeleteFromStart [ctrl('u')] "delete to the start";
        DeleteTillEnd [ctrl('k')] "delete to the end";
    }
};

commands! {
    /// Buttons of the free dialog, in their order on the screen.
    Button as Button {
        Confirm [key('y')] "stop it (with SIGTERM or the chosen signal)";
        Rest [key('x')] "after a verdict, ask about the owners that are left, or about what took the port again";
        All [key('a')] "switch between all owners and the topmost only";
        Group [key('g')] "switch between the process group and the owners; after a verdict, ask about the group";
        Parent [key('p')] "stop the parent as well, then its parent too, and finally the owner only again; after a verdict, ask about both";
        Signals [key('s')] "choose another signal";
        GoTo [key('l')] "go to the listener";
        Copy [key('c')] "copy the offered command";
        Kill [key('K')] "send SIGKILL, after another signal failed";
        Interrupt [key('I')] "send SIGINT (fast shutdown) to postgres while it waits for its clients";
        Check [key('w')] "after a verdict, check why the port cannot be used";
    }
}

commands! {
    FreeDialogCommand as FreeDialog {
        NextButton [named(Tab), named(Right)] "next button", hint "next button";
        PreviousButton [named(BackTab), named(Left)] "previous button";
        Press [named(Enter)] "press the button in brackets (Cancel at first)", hint "press";
        Cancel [named(Esc), ctrl('c')] "cancel (so does any key not listed here)", hint "cancel";
    }
}

pub(super) const SIGNALS: &[KeyBinding] = bindings! {
    Signal of Signal {
        Terminate [key('t')] "SIGTERM";
        Interrupt [key('i')] "SIGINT";
        HangUp [key('h')] "SIGHUP";
        // Not `q`, which cancels.
        Quit [key('u')] "SIGQUIT";
        Kill [key('k')] "SIGKILL";
        Continue [key('c')] "SIGCONT";
    }
};

commands! {
    CheckCommand as Check {
        Connect [key('c')] "connect to the port and show what answers", hint "connect";
    }
}

commands! {
    TextCommand as Text {
        Up [named(Up), key('k')] "scroll up";
        Down [named(Down), key('j')] "scroll down", hint "scroll";
        PageUp [named(PageUp)] "page up";
        PageDown [named(PageDown), key(' ')] "page down";
        Start [named(Home)] "start";
        Close [named(Esc), key('q')] "close (so does any other key)", hint "close";
    }
}

commands! {
    CopyItem as Copy {
        Address [key('a')] "address";
        Url [key('u')] "URL";
        FreeCommand [key('c')] "command to free it";
        Pid [key('p')] "pid";
        RestartCommand [key('s')] "command to restart it";
    }
}

impl KeyBinding {
    /// `x F9 Delete`
    pub fn keys_label(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        keys.join(" ")
    }
}

impl KeyCommand {
    /// True for what only serves to stop processes: `--read-only` offers none of it.
    pub fn stops_processes(self) -> bool {
        use TableCommand::{Free, Mark, UnmarkAll};
        match self {
            Self::Table(command) => matches!(command, Free | Mark | UnmarkAll),
            Self::Button(_) | Self::FreeDialog(_) | Self::Signal(_) => true,
            Self::Move(_)
            | Self::Toggle(_)
            | Self::Filter(_)
            | Self::Edit(_)
            | Self::Check(_)
            | Self::Text(_)
            | Self::Copy(_) => false,
        }
    }
}
