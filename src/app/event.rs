//! What reaches the app and what leaves it, as values: all that it has to do with the world.

use crate::check::{CheckReport, CheckRequest};
use crate::free::{ExecCommand, ExecEvent};
use crate::model::inspection::{InspectRequest, Inspection};
use crate::model::poll_request::PollRequest;
use crate::model::process::ProcessId;
use crate::tracker::Changes;

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A key, a paste, a new size of the terminal, or where the keys go from now on.
    Input(crossterm::event::Event),
    Sampled(Changes),
    Inspected(Inspection),
    Checked(Box<CheckReport>),
    Freeing(ExecEvent),
    /// Someone asks the program to end, with this exit code.
    Stop(u8),
    /// Someone asks the program to stop until it is continued.
    Suspend,
    /// The program runs again after it was stopped; the terminal may show anything.
    Continued,
    /// The time that [`App::next_change`](super::App::next_change) named has come, or there is work left.
    Due,
    /// Something the program lives on has ended.
    SourceEnded(EventSource),
}

/// What feeds the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventSource {
    Sockets,
    Processes,
    Freeing,
    Checks,
}

impl EventSource {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sockets => "the socket poller",
            Self::Processes => "the process inspector",
            Self::Freeing => "the free worker",
            Self::Checks => "the port checker",
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Quit(u8),
    Suspend,
    /// Paint everything anew: something else may have written to the terminal.
    Redraw,
    /// Put this text on the clipboard.
    Copy(String),
    Sample(PollRequest),
    Inspect(InspectRequest),
    /// Try whether a port can be used.
    Check(CheckRequest),
    /// Hold on to these processes while the question about them is open.
    Hold(Vec<ProcessId>),
    Free(ExecCommand),
    /// The question is closed: let go of what was held.
    Release,
}
