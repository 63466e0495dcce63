//! What a question is about, so that asking again can tell whether it is another one.

use super::DialogPhase;
use crate::free::Explanation;
use crate::model::endpoint::EndpointId;
use crate::model::process::ProcessId;

/// The sockets and holders that are asked about, or what is explained, as it was before anything more was found out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct QuestionKey {
    sockets: Vec<EndpointId>,
    holders: Vec<ProcessId>,
    skipped: Vec<Explanation>,
    explanation: Option<Explanation>,
}

impl QuestionKey {
    pub fn of(phase: &DialogPhase) -> Self {
        let mut matter = Self {
            sockets: Vec::new(),
            holders: Vec::new(),
            skipped: Vec::new(),
            explanation: None,
        };
        match phase {
            DialogPhase::Confirming(prompt) => {
                let plans = prompt.plans.iter();
                let sockets = plans.flat_map(|plan| &plan.sockets);
                matter.sockets = sockets.map(|socket| socket.id).collect();
                matter.holders = prompt.process_ids();
                matter.skipped.clone_from(&prompt.skipped);
            }
            DialogPhase::Explaining(explanation) => matter.explanation = Some(explanation.clone()),
            DialogPhase::Running(_) => {}
        }
        matter
    }
}
