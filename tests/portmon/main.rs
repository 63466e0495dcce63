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

#[cfg(target_os = "linux")]
mod brief;
mod check;
mod children;
mod display;
mod docs;
mod emulator;
mod endings;
mod filter;
#[cfg(target_os = "linux")]
mod foreign_programs;
mod freeing_dialog;
#[cfg(target_os = "linux")]
mod freeing_shell;
mod harness;
#[cfg(target_os = "linux")]
mod kin;
mod list;
mod memory;
mod picture;
#[cfg(target_os = "linux")]
mod pid_namespaces;
mod screen;
#[cfg(target_os = "linux")]
mod sources;
mod start;
mod svg;
mod terminal;
#[cfg(target_os = "linux")]
mod unused;
#[cfg(target_os = "linux")]
mod wait;
mod watch;
