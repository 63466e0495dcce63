//! What a question is about, so that asking again can tell whether it is another one.

use super::Phase;
use crate::model::endpoint::EndpointId;
use crate::model::freeing::Explanation;
use crate::model::process::ProcessId;

/// The sockets and holders that are asked about, or what is explained, as it was before anything more was found out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Matter {
    sockets: Vec<EndpointId>,
    holders: Vec<ProcessId>,
    left_out: Vec<String>,
    explanation: Option<Explanation>,
}

impl Matter {
    pub fn of(phase: &Phase) -> Self {
        let mut matter = Self {
            sockets: Vec::new(),
            holders: Vec::new(),
            left_out: Vec::new(),
            explanation: None,
        };
        match phase {
            Phase::Asking(asking) => {
                let proposals = asking.proposals.iter();
                let sockets = proposals.flat_map(|proposal| &proposal.sockets);
                matter.sockets = sockets.map(|socket| socket.id).collect();
                matter.holders = asking.process_ids();
                matter.left_out.clone_from(&asking.left_out);
            }
            Phase::Explaining(explanation) => matter.explanation = Some(explanation.clone()),
            Phase::Working(_) => {}
        }
        matter
    }
}
