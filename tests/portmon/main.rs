//! Tests that drive the real program, in a pseudo-terminal and from the shell.
//!
//! Every test brings its own sockets, on ports that the system chose and held by its own children, and looks at nothing
//! else on the machine: tests run beside each other and beside whatever else is there.

#![cfg(unix)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says why and fails"
)]

mod commands;
mod exit;
mod filter;
#[cfg(target_os = "linux")]
mod free_command;
mod free_dialog;
mod harness;
mod history;
#[cfg(target_os = "linux")]
mod networks;
#[cfg(target_os = "linux")]
mod not_found;
mod picture;
#[cfg(target_os = "linux")]
mod pid_namespaces;
mod screen;
