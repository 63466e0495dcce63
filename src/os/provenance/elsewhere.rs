//! Neither control groups nor systemd exist here.

use crate::model::process::Process;
use crate::model::provenance::Provenance;

pub fn of(_process: &Process) -> Provenance {
    Provenance::default()
}
