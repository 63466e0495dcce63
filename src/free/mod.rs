//! Freeing a port: what is asked, what was confirmed, what was seen afterwards, and the truth about the port.
//!
//! The way of one port through here, each station a type of its own so that none can be skipped:
//!
//! ```text
//! row ── preview() ──> Question ── Free(Proposal) ── confirm() ──> Order ── Batch::begin() ──> Batch
//!                          └── Explain(Explanation)                                          │  ↑
//!                                                                              Step (out)    ↓  │  Happening (in)
//!                                                                                     os::free::Freer
//! ```
//!
//! Nothing here sends a signal, reads a clock or looks at a table: [`FreeMachine`] takes in what happened and says what
//! must be done next. It never calls a signal that was delivered a success; its [`Verdict`] is about the port, and
//! every word of it is derived from what was seen.

mod batch;
mod bind_verdict;
mod confirmation;
mod context;
mod evaluate;
mod explanation;
mod kill_plan;
mod kill_request;
mod observation;
mod other_sockets;
mod plan;
mod preview;
mod protected;
mod request_log;
mod state_machine;
mod supervision;
mod target_state;
mod target_tree;
mod verdict;

pub use crate::model::ports::Port;
pub use crate::model::signal::{SIGNALS, Signal, UnknownSignal};
pub use batch::Batch;
pub use confirmation::{Confirmation, TypingReason};
pub use context::FreeContext;
pub use explanation::{Explanation, Obstacle, SupervisedBy};
pub use kill_plan::{KillPlan, PortOwner, TargetSet};
pub use kill_request::{KillRequest, RequestId, Target};
pub use observation::{
    BindProbe, ExecCommand, ExecEvent, PortSnapshot, SendOutcome, SendReport, SignalDisposition,
    SignalError, SignalState,
};
pub use other_sockets::OtherPort;
pub use plan::{PlanResult, plan_port, plan_row};
pub use preview::{
    AlsoCloses, NotPermitted, PortPreview, Preview, Restarter, StartedBy, Unseen, Warning,
    not_permitted,
};
pub use protected::{Protected, ProtectedOwner, protected};
pub use state_machine::{BIND_RETRY, FreeMachine, TableChange, Timeouts};
pub use target_tree::TreeNode;
pub use verdict::{
    Evidence, Leftovers, NextAction, Progress, Proof, ReleaseKind, RemainingOwners, Starter,
    Survivor, TargetOutcome, Verdict, VerdictKind,
};
