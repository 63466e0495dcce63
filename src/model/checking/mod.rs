//! Whether a port can be used, and if not, why: what was found goes in, an [`Answer`] comes out.
//!
//! [`Evidence`] is all that was seen: what real binds said, who stands on the port, what the system is set to. Every
//! [`Reason`] follows from it, and where nothing explains what a bind said, the answer says so. Nothing here opens a
//! socket or guesses: a cause that was not seen is never named.

mod answering;
mod connect;
mod evidence;
mod holding;
mod reason;
mod reasoning;
mod telling;
mod words;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use answering::Answer;
pub use connect::{Connect, Connected, PATIENCE, Said};
pub use evidence::{Evidence, Question, Settings};
pub use reason::{Binding, Reason};
