//! The events that the app receives and the effects that it returns.

use crate::check::{CheckReport, CheckRequest};
use crate::free::{ExecCommand, ExecEvent};
use crate::model::poll_request::PollRequest;
use crate::model::process::{InspectRequest, Inspection, ProcessId};
use crate::tracker::Changes;

#[derive(Clone, Debug)]
pub enum Event {
    /// A key, a paste, a resize or a change of focus.
    Input(crossterm::event::Event),
    Sampled(Changes),
    Inspected(Inspection),
    Checked(Box<CheckReport>),
    Freeing(ExecEvent),
    /// A signal asks the program to exit with this code.
    Stop(u8),
    /// A signal asks the program to suspend.
    Suspend,
    /// The program was resumed; the terminal may show anything.
    Continued,
    /// The time that [`App::next_change`](super::App::next_change) named has come, or work is left.
    Due,
    SourceEnded(EventSource),
}

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
            Self::Freeing => "the worker that frees ports",
            Self::Checks => "the port checker",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Quit(u8),
    Suspend,
    /// Redraw everything: something else may have written to the terminal.
    Redraw,
    Copy(String),
    Sample(PollRequest),
    Inspect(InspectRequest),
    Check(CheckRequest),
    /// Keep handles of these processes while a dialog asks about them.
    OpenHandles(Vec<ProcessId>),
    Free(ExecCommand),
    CloseHandles,
}
