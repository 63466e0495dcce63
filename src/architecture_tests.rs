//! The rules of the house, checked by reading the sources.

mod circles;
mod layers;
mod readme;
mod size;
mod source;
mod state;
