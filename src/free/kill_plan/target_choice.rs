//! Which targets to begin with, chosen before the process trees are known.

use super::{KillPlan, TargetSet};

/// The targets that a question is to begin with, before the process trees are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TargetChoice {
    /// [`TargetSet::Topmost`]
    #[default]
    Topmost,
    /// [`TargetSet::All`]
    All,
    /// [`TargetSet::Group`]
    Group,
    /// The topmost owners together with their parent.
    WithParent,
}

impl TargetChoice {
    /// Returns the targets, once the plan has the process trees; `None` if the plan does not offer them.
    pub fn resolve(self, plan: &KillPlan) -> Option<TargetSet> {
        match self {
            Self::Topmost => Some(TargetSet::Topmost),
            Self::All => Some(TargetSet::All),
            Self::Group => {
                let group = plan.targets(TargetSet::Group);
                (!group.is_empty()).then_some(TargetSet::Group)
            }
            Self::WithParent => {
                let parent = plan.parents().into_iter().next()?;
                Some(TargetSet::WithAncestors(parent.id))
            }
        }
    }
}
