//! A port that `portmon free` is to free: its plan, the targets and the signal.

use super::{Conclusion, DryRun, FreeReport, Refusal};
use crate::free::{KillPlan, Preview, TargetChoice, TargetSet, Warning, not_permitted};
use crate::model::port::PortSpec;
use crate::model::process::{Process, Signal};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct PortPlan {
    pub spec: PortSpec,
    pub kill_plan: KillPlan,
    pub choice: TargetChoice,
    pub targets: TargetSet,
    pub signal: Signal,
}

impl PortPlan {
    /// Returns the processes that would get the signal.
    pub fn processes(&self) -> Vec<Arc<Process>> {
        let targets = self.kill_plan.targets(self.targets).into_iter();
        targets.map(|target| Arc::clone(&target.process)).collect()
    }

    pub fn preview(&self) -> Preview {
        let plans = std::slice::from_ref(&self.kill_plan);
        Preview::new(plans, self.targets, self.signal)
    }

    pub fn refused(&self, why: Refusal) -> FreeReport {
        self.report(Conclusion::Refused(why))
    }

    /// Reports what would be done, as far as that is known.
    pub fn dry_run(&self) -> FreeReport {
        let preview = self.preview();
        let mut stays_held = preview.warnings;
        stays_held.retain(|warning| match warning {
            Warning::StaysHeld(_)
            | Warning::Protected(..)
            | Warning::LeftOver(..)
            | Warning::Survives(..) => true,
            Warning::NotPermitted(_) | Warning::Unproved(..) | Warning::Resumed(..) => false,
        });
        self.report(Conclusion::DryRun(DryRun {
            signal: self.signal,
            targets: match not_permitted(&self.kill_plan, self.targets) {
                Some(denied) => Err(denied),
                None => Ok(self.processes()),
            },
            resumed: self.kill_plan.resumed_by(self.signal, self.targets),
            stays_held,
            unseen: preview.also_closes.unseen,
        }))
    }

    fn report(&self, conclusion: Conclusion) -> FreeReport {
        FreeReport::new(self.spec, conclusion, self.kill_plan.owner_processes())
    }
}
