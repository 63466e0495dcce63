//! A live monitor of localhost ports.

pub mod model;
