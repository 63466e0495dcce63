//! A live monitor of localhost ports.

pub mod app;
pub mod model;
pub mod table;
