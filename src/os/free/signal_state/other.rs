//! This system does not tell how a process handles a signal.

use crate::free::SignalState;
use crate::model::process::{Pid, Signal};

pub fn signal_state(_pid: Pid, _signal: Signal) -> Option<SignalState> {
    None
}
