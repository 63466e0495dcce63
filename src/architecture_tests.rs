//! Architecture rules, checked against the source text.

mod circles;
mod layers;
mod readme;
mod size;
mod source;
mod state;
