//! What reaches the app and what leaves it, as values: all that it has to do with the world.

use crate::model::checking::{Answer, Question};
use crate::model::freeing::{Happening, Step};
use crate::model::inspection::{Inspection, Subject};
use crate::model::process::ProcessId;
use crate::model::request::Request;
use crate::model::tracker::Changes;

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A key, a paste, a new size of the terminal, or where the keys go from now on.
    Input(crossterm::event::Event),
    Sampled(Changes),
    Inspected(Inspection),
    Checked(Box<Answer>),
    Freeing(Happening),
    /// Someone asks the program to end, with this exit code.
    Stop(u8),
    /// Someone asks the program to stop until it is continued.
    Suspend,
    /// The program runs again after it was stopped; the terminal may show anything.
    Continued,
    /// The time that [`App::next_change`](super::App::next_change) named has come, or there is work left.
    Due,
    /// Something the program lives on has ended.
    Lost(Source),
}

/// What feeds the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Sockets,
    Processes,
    Freeing,
    Checks,
}

impl Source {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sockets => "the look at the sockets",
            Self::Processes => "the look at processes",
            Self::Freeing => "the freeing of ports",
            Self::Checks => "the checking of ports",
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Quit(u8),
    Suspend,
    /// Paint everything anew: something else may have written to the terminal.
    Repaint,
    /// Put this text on the clipboard.
    Copy(String),
    Sample(Request),
    Inspect(Subject),
    /// Try whether a port can be used.
    Check(Question),
    /// Hold on to these processes while the question about them is open.
    Hold(Vec<ProcessId>),
    Free(Step),
    /// The question is closed: let go of what was held.
    LetGo,
}
