//! What is measured: everything that the sampling thread does in a tick.
//!
//! The only place here that knows the program.

use portmon::model::ports::EphemeralRange;
use portmon::model::tracker::Changes;
use portmon::os::sampler::Eye;

pub struct Ours(Eye);

impl Ours {
    pub fn new() -> Self {
        Self(Eye::new(EphemeralRange::IANA))
    }

    pub fn look(&mut self) -> Changes {
        self.0.look()
    }
}
