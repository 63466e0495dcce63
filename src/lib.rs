//! A live monitor of localhost ports.

pub mod model;
pub mod os;
