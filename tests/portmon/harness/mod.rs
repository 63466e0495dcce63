//! A real terminal to drive portmon in, and processes that hold sockets.

pub mod display;
pub mod emulator;
pub mod helper_process;
#[cfg(target_os = "linux")]
pub mod hidden_holder;
pub mod launch;
#[cfg(target_os = "linux")]
pub mod process_tree;
#[path = "../../../src/os/testing/requirements.rs"]
pub mod requirements;
#[cfg(target_os = "linux")]
pub mod respawner;
#[cfg(target_os = "linux")]
pub mod signal_helper;
pub mod svg;
pub mod terminal;
mod tests;
