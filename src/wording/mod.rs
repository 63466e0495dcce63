//! Every sentence, label, duration and number that a person reads, for the screen, the command line and the JSON's `message`.
//!
//! Takes values from the rooms below and returns text; decides nothing, and no text is ever read back.

mod bind;
mod duration;
mod environment;
mod list;
mod port;
mod port_spec;
mod socket;

pub use bind::bind_result;
pub use duration::{rough_duration, seconds};
pub use environment::pids_problem;
pub use list::{count, list};
pub use port::{place, place_at, port, target};
pub use port_spec::port_spec_error;
pub use socket::{holder, states, user};
