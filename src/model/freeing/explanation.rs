//! Why no ending is offered, and what can be done instead.

use crate::model::endpoint::EndpointId;

/// What the dialog says where there is nothing that portmon would end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// One line for the frame, such as `:8080 belongs to ops`.
    pub title: String,
    /// The words, a sentence or two a line; safe to show, not wrapped.
    pub lines: Vec<String>,
    /// A command to copy. Raw: show it through [`escaped`](crate::model::text::escaped).
    pub offer: Option<String>,
    /// What really holds the port: where `l` goes.
    pub go_to: Option<EndpointId>,
    /// The port for which an unused one near it would help; goes into `Subject::unused_near`.
    pub unused_near: Option<u16>,
    /// Whether the question itself is to come as soon as it is known who holds the port.
    pub is_waiting: bool,
}

impl Explanation {
    pub(super) fn new(title: String, lines: Vec<String>) -> Self {
        Self {
            title,
            lines,
            offer: None,
            go_to: None,
            unused_near: None,
            is_waiting: false,
        }
    }

    /// The line for what an `Inspection` found beside a port whose holder may not be ended.
    pub fn unused_words(unused: u16) -> String {
        format!("Or take another port: {unused} is free (bind tried just now).")
    }
}
