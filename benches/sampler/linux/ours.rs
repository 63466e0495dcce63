//! What is measured: everything that the sampling thread does in a tick.
//!
//! The only place here that knows the program.

use portmon::model::ports::EphemeralRange;
use portmon::model::tracker::Changes;
use portmon::os::eye::Eye;
use portmon::os::sockets::{Demand, Extent};

pub struct Ours(Eye);

impl Ours {
    pub fn new() -> Self {
        let demand = Demand {
            extent: Extent::Everything,
            with_bound: false,
        };
        Self(Eye::new(EphemeralRange::IANA, None, demand))
    }

    pub fn look(&mut self) -> Changes {
        self.0.look()
    }
}
