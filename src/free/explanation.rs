//! Why no ending is offered, and what can be done instead.

use crate::model::endpoint::EndpointId;
use crate::model::ports::Port;
use crate::model::process::{Process, ProcessId};
use std::sync::Arc;

/// What stands in the way of an ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Barrier {
    /// The socket has closed.
    Closed,
    /// No process has the socket, only the kernel: a listener of its own, or TIME_WAIT.
    Kernel,
    /// It is the client's end of a connection.
    Client,
    /// Connections are left of a port that nobody listens on.
    LeftOver,
    /// Who holds it is still being looked for.
    Pending,
    /// Who holds it may not be seen.
    NoPermission,
    /// Who holds it is never ended.
    Protected,
}

/// What the dialog says where there is nothing that portmon would end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub barrier: Barrier,
    /// One line for the frame, such as `:8080 belongs to ops`.
    pub title: String,
    /// The words, a sentence or two a line; safe to show, not wrapped.
    pub lines: Vec<String>,
    /// A command to copy. Raw: show it through [`escaped`](crate::model::text::escaped).
    pub offer: Option<String>,
    /// What really holds the port: where `l` goes.
    pub go_to: Option<EndpointId>,
    /// The port of which it is worth knowing what stands behind it.
    pub port: Option<Port>,
    /// Who holds the port, as far as nothing of them is to be ended.
    pub owners: Vec<Arc<Process>>,
    /// The port for which an unused one near it would help; goes into `InspectRequest::unused_near`.
    pub unused_near: Option<u16>,
}

impl Explanation {
    pub(super) fn new(barrier: Barrier, title: String, lines: Vec<String>) -> Self {
        Self {
            barrier,
            title,
            lines,
            offer: None,
            go_to: None,
            port: None,
            owners: Vec::new(),
            unused_near: None,
        }
    }

    /// Those of whom it is worth knowing what starts them.
    pub fn process_ids(&self) -> Vec<ProcessId> {
        self.owners.iter().map(|holder| holder.id).collect()
    }

    /// Why nothing is offered for either, in one dialog.
    pub fn and(mut self, other: Self) -> Self {
        if self.title != other.title {
            self.lines.push(format!("{}:", other.title));
            self.lines.extend(other.lines);
        }
        self
    }

    /// `:8080 belongs to ops: You may not see or end the process.`
    pub fn summary(&self) -> String {
        let why = self.lines.first().map_or("", String::as_str);
        format!("{}: {why}", self.title)
    }

    /// The line for what an `Inspection` found beside a port whose holder may not be ended.
    pub fn unused_words(unused: u16) -> String {
        format!("Or take another port: {unused} is free (bind tried just now).")
    }
}
