//! The commands that print.

#[cfg(target_os = "linux")]
mod availability;
mod check;
#[cfg(target_os = "linux")]
mod foreign_programs;
pub mod list;
#[cfg(target_os = "linux")]
mod names;
#[cfg(target_os = "linux")]
mod short_lived;
#[cfg(target_os = "linux")]
mod sources;
#[cfg(target_os = "linux")]
mod unused;
#[cfg(target_os = "linux")]
mod wait;
#[cfg(target_os = "linux")]
mod wait_http;
mod watch;
