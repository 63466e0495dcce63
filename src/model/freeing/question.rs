//! From a row to the question: what the port is, who holds it, and whether ending anything would free it.

use super::{Explanation, Proposal};
use crate::model::Moment;
use crate::model::endpoint::Endpoint;
use crate::model::process::Pid;
use std::time::Instant;

/// What the question depends on beside the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// The user who asks; under sudo the one who called it (SUDO_UID). `None` where users have no numbers.
    pub me: Option<u32>,
    /// The machine's name, safe to show.
    pub host: String,
    /// portmon's own pid first, then its ancestors'.
    pub lineage: Vec<Pid>,
    /// The absolute path of this portmon: root's PATH lacks the places where people install it.
    pub executable: Option<String>,
    /// Whether the filter is exactly the row's own local port: then even a client's port is what is asked about.
    pub row_is_meant: bool,
    /// Whether the row has closed and only fades.
    pub is_gone: bool,
    pub now: Moment,
    /// When the row was first seen in the state it has; `None` if that is not known.
    pub state_since: Option<Instant>,
}

/// What the dialog says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether this may be done.
    Free(Proposal),
    /// Nothing is asked: why nothing would help, or may not be done.
    Explain(Explanation),
}

/// What to ask when the port of this row is to be freed.
///
/// `table` are the endpoints that exist now, of both protocols and whatever the filter hides; closed rows that still
/// stand on the screen are not among them. The row itself may be.
pub fn ask(row: &Endpoint, table: &[&Endpoint], circumstances: &Circumstances) -> Question {
    let _ = (table, circumstances);
    Question::Explain(Explanation::new(
        format!(":{}", row.socket.port()),
        vec!["already closed".to_owned()],
    ))
}
