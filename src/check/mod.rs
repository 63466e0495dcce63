//! Checks if a port can be used, and if not, why: [`Findings`] go in, a [`CheckReport`] comes out.
//!
//! [`Findings`] are the binds that were tried, the sockets of the port and the settings of the system. Every [`Reason`]
//! follows from them, and a bind that nothing explains is reported as such: no cause is ever guessed. Nothing here
//! opens a socket or writes a sentence: `os::check` collects the findings, `wording::check` writes the sentences.

mod connections;
mod findings;
mod http;
mod reason;
mod report;
mod sockets;
mod wait;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use findings::{
    Banner, CONNECT_TIMEOUT, CheckRequest, ConnectOutcome, ConnectProbe, Findings, PortSettings,
};
pub use http::{HttpAnswer, HttpOutcome, HttpPath, HttpProbe};
pub use reason::{Forwarding, Reason, distinct_owners};
pub use report::CheckReport;
pub use wait::{Reached, Until, WaitTarget};
