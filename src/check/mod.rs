//! Whether a port can be used, and if not, why: what was found goes in, an [`CheckReport`] comes out.
//!
//! [`Findings`] is all that was seen: what real binds said, who stands on the port, what the system is set to. Every
//! [`Reason`] follows from it, and where nothing explains what a bind said, the answer says so. Nothing here opens a
//! socket or guesses: a cause that was not seen is never named.

mod connect;
mod findings;
mod formatting;
mod owners;
mod reason;
mod reasons;
mod report;
mod report_text;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use connect::{Banner, CONNECT_TIMEOUT, ConnectOutcome, ConnectProbe};
pub use findings::{CheckRequest, Findings, PortSettings};
pub use reason::{LeftoverBind, Reason};
pub use report::CheckReport;
