//! Finds what stands behind a process: its unit by its control group, its container by that, its arguments or its ports.
//!
//! [`of`] reads files and nothing else. Whatever asks another program, an engine's socket or `systemctl`, is asked for by
//! name, waits half a second at most, and tells nothing rather than an error: without an answer the facts just stay as few
//! as they are. It must never change anything, and never take a name it was told for more than text.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
pub use linux::{SupervisorLookup, of, published_on, sockets_listening_on};
#[cfg(not(target_os = "linux"))]
pub use other::{SupervisorLookup, of, published_on, sockets_listening_on};
