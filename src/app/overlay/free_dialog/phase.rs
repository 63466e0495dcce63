//! The phases of the dialog: a question or why there is none, then the progress and the verdicts.

use super::confirm_prompt::ConfirmPrompt;
use crate::free::{Batch, Explanation, KillPlan, PlanResult, TargetChoice};
use crate::model::process::{InspectRequest, ProcessId, Requester};
use crate::model::socket::EndpointId;
use std::iter::repeat;

#[derive(Debug)]
pub enum DialogPhase {
    Confirming(Box<ConfirmPrompt>),
    /// Why there is nothing to confirm.
    Explaining(Explanation),
    Running(Box<Batch>),
}

impl DialogPhase {
    /// Joins the plans of the rows, one for each port, with the explanations of those that have none.
    pub fn from_plans(
        results: impl IntoIterator<Item = PlanResult>,
        begins_with: TargetChoice,
    ) -> Option<Self> {
        let (mut plans, mut explanations) = (Vec::<KillPlan>::new(), Vec::new());
        for result in results {
            match result {
                Ok(new) if plans.iter().any(|plan| plan.port == new.port) => {}
                Ok(new) => plans.push(new),
                Err(explanation) => explanations.push(*explanation),
            }
        }
        if plans.is_empty() {
            let explanation = explanations.into_iter().reduce(Explanation::and);
            return explanation.map(Self::Explaining);
        }
        let prompt = ConfirmPrompt::new(plans, explanations, begins_with);
        Some(Self::Confirming(Box::new(prompt)))
    }

    pub fn prompt(&self) -> Option<&ConfirmPrompt> {
        match self {
            Self::Confirming(prompt) => Some(prompt),
            Self::Explaining(_) | Self::Running(_) => None,
        }
    }

    pub fn prompt_mut(&mut self) -> Option<&mut ConfirmPrompt> {
        match self {
            Self::Confirming(prompt) => Some(prompt),
            Self::Explaining(_) | Self::Running(_) => None,
        }
    }

    pub fn batch(&self) -> Option<&Batch> {
        match self {
            Self::Running(batch) => Some(batch),
            Self::Confirming(_) | Self::Explaining(_) => None,
        }
    }

    /// Returns the request for what must be inspected.
    pub fn inspect_request(&self, row: EndpointId) -> Option<InspectRequest> {
        let nothing = InspectRequest::new(Requester::Dialog, row, Vec::new());
        let mut request = nothing.clone();
        match self {
            Self::Confirming(prompt) => {
                request.processes = prompt.process_ids();
                request.port = prompt.single().map(|plan| plan.port);
                if prompt.single().is_none() {
                    let owners =
                        |plan: &KillPlan| plan.process_ids().into_iter().zip(repeat(plan.port));
                    request.ports = prompt.plans.iter().flat_map(owners).collect();
                }
            }
            Self::Explaining(explanation) => {
                request.processes = explanation.process_ids();
                request.port = explanation.supervised_port();
                request.unowned = explanation.unowned().to_vec();
                request.unused_near = explanation.unused_near();
            }
            Self::Running(_) => {}
        }
        (request != nothing).then_some(request)
    }

    /// Returns what the question is about.
    pub fn question_key(&self) -> QuestionKey {
        match self {
            Self::Confirming(prompt) => {
                let sockets = prompt.plans.iter().flat_map(|plan| &plan.sockets);
                QuestionKey {
                    sockets: sockets.map(|socket| socket.id).collect(),
                    owners: prompt.process_ids(),
                    explanations: prompt.skipped.iter().map(Explanation::timeless).collect(),
                }
            }
            Self::Explaining(explanation) => QuestionKey {
                explanations: vec![explanation.timeless()],
                ..QuestionKey::default()
            },
            Self::Running(_) => QuestionKey::default(),
        }
    }
}

/// What a question is about before anything is inspected, so that asking again can tell whether it has changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct QuestionKey {
    sockets: Vec<EndpointId>,
    owners: Vec<ProcessId>,
    explanations: Vec<Explanation>,
}
