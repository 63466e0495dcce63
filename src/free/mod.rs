//! Freeing a port: the plan, its preview, the confirmed request, the state machine that follows it, and the verdict.
//!
//! Each stage is a type of its own, so that none can be skipped:
//!
//! ```text
//! plan_row(), plan_port() ──> KillPlan ── confirm() ──> KillRequest ── Batch::begin() ──> Batch
//!          │                     └── Preview::new() ──> Preview                         │   ↑
//!          └──────────────────────────────────────────> Explanation     ExecCommand (out) ↓   │ ExecEvent (in)
//!                                                                            os::free::Executor
//! ```
//!
//! Nothing here sends a signal or reads a clock or the socket tables: [`FreeMachine`] takes events and returns commands.
//! A signal that was delivered is no success; the [`Verdict`] is about the port and is derived only from what was seen. The
//! [`FreeReport`] of a port is what the command prints.

mod batch;
mod command;
mod exec_command;
mod explanation;
mod kill_plan;
mod plan;
mod preview;
mod protected;
mod request;
mod state_machine;
#[cfg(test)]
pub(crate) mod testing;
mod verdict;

pub use batch::Batch;
pub use command::{
    Conclusion, DryRun, FreeOutcome, FreeReport, PortPlan, Refusal, exit_code, port_specs,
};
pub use exec_command::{
    BindProbe, BlockedBy, ExecCommand, ExecEvent, ExecResult, PortSnapshot, SendOutcome,
    SignalDisposition, SignalError, SignalState,
};
pub use explanation::{Explanation, Obstacle, SupervisedBy};
pub use kill_plan::supervision::Restarter;
pub use kill_plan::{
    KillPlan, OtherPort, PortOwner, RelativeObstacle, TargetChoice, TargetSet, Unproved,
};
pub use plan::{FreeContext, PlanResult, plan_port, plan_row};
pub use preview::{
    AlsoCloses, Confirmation, NotPermitted, PortPreview, Preview, StartedBy, TreeNode,
    TypingReason, Unseen, Warning, not_permitted,
};
pub use protected::{Protected, protected};
pub use request::{KillRequest, RequestId, Target};
pub use state_machine::{BIND_RETRY, FreeMachine, NextSteps, RestKind, TableChange, Timeouts};
pub use verdict::{
    BindRefusal, Evidence, Leftovers, Progress, Proof, ReleaseKind, RemainingOwners, Starter,
    SurvivalReason, Survivor, TargetOutcome, Verdict, VerdictClass, VerdictKind,
};
