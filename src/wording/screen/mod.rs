//! The sentences of the monitor's screen.

pub mod notice;
