//! What portmon cannot see of the processes that a signal would go to, and which of them it may not signal.

use super::kill_plan::{KillPlan, TargetSet};
use crate::model::inspection::Restriction;
use crate::model::process::{Process, ProcessId};
use crate::wording;
use std::sync::Arc;

impl KillPlan {
    /// Why nothing would be sent: `Nothing would be sent for :8080: you are not permitted to end sh 22 of root.`
    pub fn not_permitted_words(&self, targets: TargetSet) -> Option<String> {
        let all = self.targets(targets);
        let denied = self.not_permitted(targets);
        let first = named(denied.first()?, self.me);
        let whom = match denied.len() {
            1 => first,
            count if count == all.len() => format!("any of these {count} processes, as {first}"),
            count => format!("{count} of these {} processes, as {first}", all.len()),
        };
        let port = wording::port(self.protocol, self.port);
        Some(format!(
            "Nothing would be sent for {port}: you are not permitted to end {whom}."
        ))
    }

    /// The targets that this user may not signal; if there is one, none of the targets gets a signal.
    pub fn not_permitted(&self, targets: TargetSet) -> Vec<Arc<Process>> {
        let all = self.targets(targets).into_iter();
        let denied = all.filter(|target| self.is_restricted(target.id(), |one| one.no_signal));
        denied.map(|target| target.process).collect()
    }

    /// Whether the children of all targets are known, as they are of holders.
    fn knows_children(&self, targets: TargetSet) -> bool {
        let all = self.targets(targets);
        all.iter().all(|target| self.tree_of(target.id()).is_some())
    }

    fn is_restricted(&self, process: ProcessId, how: impl Fn(&Restriction) -> bool) -> bool {
        let all = self.trees.iter().flat_map(|trees| &trees.restrictions);
        let mut own = all.filter(|one| one.process == process);
        own.any(how)
    }
}

/// What else closes with the targets: what is seen to, and that there may be more.
pub fn closes_words(seen: &[String], plans: &[&KillPlan], targets: TargetSet) -> String {
    let unknown = unknown_words(plans, targets);
    if !seen.is_empty() || unknown.is_some() {
        let seen = (!seen.is_empty()).then(|| seen.join(", "));
        return seen
            .into_iter()
            .chain(unknown)
            .collect::<Vec<_>>()
            .join("; ");
    }
    if plans.iter().all(|one| one.knows_children(targets)) {
        "nothing else (no other port, no child)".to_owned()
    } else {
        "no other port".to_owned()
    }
}

/// What cannot be known of what else the targets hold: `15 of these 16 belong to other users; what else they hold is unknown`.
pub fn unknown_words(plans: &[&KillPlan], targets: TargetSet) -> Option<String> {
    let mut all: Vec<(Arc<Process>, bool)> = Vec::new();
    for plan in plans {
        for target in plan.targets(targets) {
            let is_hidden = plan.is_restricted(target.id(), |one| one.no_fds);
            if !all.iter().any(|(known, _)| known.id == target.id()) {
                all.push((target.process, is_hidden));
            }
        }
    }
    let me = plans.first()?.me;
    let hidden = all.iter().filter(|(_, is_hidden)| *is_hidden);
    let hidden: Vec<&Arc<Process>> = hidden.map(|(process, _)| process).collect();
    let are_foreign = hidden.iter().all(|process| is_foreign(process, me));
    let whose = match (hidden.as_slice(), are_foreign) {
        ([], _) => return None,
        ([one], true) => {
            return Some(format!(
                "{one} belongs to {}; what else it holds is unknown",
                one.owner_name()
            ));
        }
        ([one], false) => return Some(format!("what else {one} holds is unknown")),
        (many, _) if many.len() == all.len() => format!("all {}", many.len()),
        (many, _) => format!("{} of these {}", many.len(), all.len()),
    };
    Some(if are_foreign {
        format!("{whose} belong to other users; what else they hold is unknown")
    } else {
        format!("what else {whose} hold is unknown")
    })
}

fn is_foreign(process: &Process, me: Option<u32>) -> bool {
    process.uid.is_some() && me.is_some() && process.uid != me
}

/// `sh 22 of root`, and `sh 22` where it is one's own.
fn named(process: &Process, me: Option<u32>) -> String {
    if is_foreign(process, me) {
        format!("{process} of {}", process.owner_name())
    } else {
        process.to_string()
    }
}

#[cfg(test)]
mod tests;
