//! What a person must do before a proposal may be confirmed.

use super::kill_plan::{KillPlan, TargetSet};
use super::login::is_login;
use crate::model::endpoint::Protocol;
use crate::model::process::Process;
use std::collections::BTreeSet;
use std::sync::Arc;

/// More other ports than these are not closed by one key.
const FEW_PORTS: usize = 3;

/// What confirms a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// The key `y`.
    Key,
    /// The port must be typed; each reason is a clause such as `it also closes 5 other ports`.
    TypePort { why: Vec<String> },
}

impl KillPlan {
    /// What a person must do before [`confirm`](Self::confirm) may be called.
    pub fn required_confirmation(&self, targets: TargetSet) -> Confirmation {
        let mut why = Vec::new();
        let ports: BTreeSet<(Protocol, u16)> = self
            .also_closes(targets)
            .iter()
            .map(|other| (other.protocol, other.local.port()))
            .collect();
        if ports.len() > FEW_PORTS {
            why.push(format!("it also closes {} other ports", ports.len()));
        }
        let ended: Vec<Arc<Process>> = self
            .targets(targets)
            .into_iter()
            .map(|target| target.process)
            .collect();
        why.extend(self.other_users_text(&ended));
        let logins = ended.iter().filter(|process| is_login(process));
        why.extend(logins.map(|process| format!("{process} is a login on a terminal")));
        if why.is_empty() {
            Confirmation::Key
        } else {
            Confirmation::TypePort { why }
        }
    }

    /// Which of those that would end belong to another user: `gunicorn 7001 of root and 4 more belong to others`.
    fn other_users_text(&self, ended: &[Arc<Process>]) -> Option<String> {
        let me = self.me?;
        let is_foreign = |process: &&Arc<Process>| process.uid.is_some_and(|uid| uid != me);
        let mut foreign = ended.iter().filter(is_foreign);
        let first = foreign.next()?;
        let user = first.owner_name();
        Some(match foreign.count() {
            0 => format!("{first} belongs to {user}"),
            more => format!("{first} of {user} and {more} more belong to others"),
        })
    }
}
