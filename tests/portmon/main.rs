//! Drives the real program: in a pseudo-terminal, and from the shell.
//!
//! Every test brings its own sockets, on ports the system chose, held by its own
//! children, and looks at nothing else on the machine, so that tests run beside
//! each other and beside whatever else is there.

#![cfg(unix)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says why and fails"
)]

mod check;
mod display;
mod docs;
mod emulator;
mod exit;
mod filter;
#[cfg(target_os = "linux")]
mod foreign_programs;
#[cfg(target_os = "linux")]
mod free_command;
mod free_dialog;
mod harness_tests;
mod helper_process;
mod history;
mod launch;
mod list;
mod picture;
#[cfg(target_os = "linux")]
mod pid_namespaces;
#[cfg(target_os = "linux")]
mod process_tree;
mod screen;
#[cfg(target_os = "linux")]
mod short_lived;
#[cfg(target_os = "linux")]
mod sources;
mod svg;
mod terminal;
#[cfg(target_os = "linux")]
mod unused;
#[cfg(target_os = "linux")]
mod wait;
mod watch;
