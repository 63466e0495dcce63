//! Freeing a port: what is asked, what was confirmed, what was seen afterwards, and the truth about the port.
//!
//! The way of one port through here, each station a type of its own so that none can be skipped:
//!
//! ```text
//! row ── ask() ──> Question ── Free(Proposal) ── confirm() ──> Order ── Batch::begin() ──> Batch
//!                          └── Explain(Explanation)                                          │  ↑
//!                                                                              Step (out)    ↓  │  Happening (in)
//!                                                                                     os::freeing::Freer
//! ```
//!
//! Nothing here sends a signal, reads a clock or looks at a table: [`Freeing`] takes in what happened and says what
//! must be done next. It never calls a signal that was delivered a success; its [`Verdict`] is about the port, and
//! every word of it is derived from what was seen.

mod batch;
mod demand;
mod explaining;
mod explanation;
mod family;
mod holders;
mod judging;
mod limits;
mod login;
mod look;
mod machine;
mod order;
mod proposal;
mod question;
mod recipient;
mod record;
mod refusal;
mod sentence;
mod signal;
mod step;
mod supervision;
mod surviving;
mod terms;
mod unread;
mod verdict;

pub use batch::Batch;
pub use demand::Demand;
pub use explanation::{Barrier, Explanation};
pub use family::Member;
pub use holders::{Holder, OtherPort};
pub use limits::{closes_words, unknown_words};
pub use look::{
    Attempt, BindOutcome, BindTrial, Conduct, Dispatch, Hindrance, Look, Reaction, Sending,
};
pub use machine::Freeing;
pub use order::{Order, OrderId, Target};
pub use proposal::{Proposal, Refused, Targets};
pub use question::{Circumstances, Question, ask, ask_port};
pub use refusal::{Refusal, refusal};
pub use signal::{NoSignal, SIGNALS, Signal};
pub use step::{Happening, Step};
pub use terms::Terms;
pub use verdict::{
    Ending, Evidence, How, Keepers, Kind, Left, Next, Port, Proof, Survivor, Verdict,
};

use crate::model::words;
use std::time::Duration;

/// How long where waiting rarely helps: a process ignores the signal, or all that were to end have ended and others hold
/// on to their sockets.
pub const PATIENCE_WHEN_FUTILE: Duration = Duration::from_secs(1);

/// How long before a bind that failed for no visible reason is tried again.
pub const RETRY: Duration = Duration::from_secs(5);
