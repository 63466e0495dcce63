//! What one look, or several that nobody has picked up yet, changed.

use crate::model::Moment;
use crate::model::endpoint::{Endpoint, EndpointId};
use crate::model::snapshot::Problem;
use crate::model::stats::SocketStats;
use std::collections::HashMap;
use std::time::Duration;

/// The changes since the last ones, and what could not be seen.
#[derive(Clone, Debug)]
pub struct Changes {
    /// When the last of the looks was taken.
    pub taken: Moment,
    /// How long that look took.
    pub took: Duration,
    /// From that look to the next one, longer than was asked for where looks take long.
    pub interval: Duration,
    pub problems: Vec<Problem>,
    pub list: Vec<Change>,
    /// Whether the kernel dropped some of what it told between two looks: short-lived sockets may be missing.
    pub missed: bool,
    /// What was found about the focus of the last request.
    pub stats: Option<SocketStats>,
}

/// One change. Each socket appears at most once in a list, except for one that closed and came back, and one that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It stood there at the first look: no event.
    Initial(Endpoint),
    Opened(Endpoint),
    /// Its state or its holders changed.
    Changed(Endpoint),
    /// It took the place of the standing socket `gone` on the same protocol, address and port.
    Replaced {
        gone: EndpointId,
        endpoint: Endpoint,
    },
    /// Something was learned about it; no event.
    Refreshed(Endpoint),
    Closed(EndpointId),
    /// It opened and closed between two looks and stood in neither.
    ShortLived(Endpoint),
}

impl Change {
    pub fn id(&self) -> EndpointId {
        match self {
            Self::Closed(id) => *id,
            Self::Initial(endpoint)
            | Self::Opened(endpoint)
            | Self::Changed(endpoint)
            | Self::Replaced { endpoint, .. }
            | Self::Refreshed(endpoint)
            | Self::ShortLived(endpoint) => endpoint.id(),
        }
    }

    /// The socket as it is from now on; none for one that closed.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Self::Closed(_) => None,
            Self::Initial(endpoint)
            | Self::Opened(endpoint)
            | Self::Changed(endpoint)
            | Self::Replaced { endpoint, .. }
            | Self::Refreshed(endpoint)
            | Self::ShortLived(endpoint) => Some(endpoint),
        }
    }

    /// The socket that went, if one did that stood there before.
    pub fn gone(&self) -> Option<EndpointId> {
        match self {
            Self::Closed(gone) | Self::Replaced { gone, .. } => Some(*gone),
            Self::Initial(_)
            | Self::Opened(_)
            | Self::Changed(_)
            | Self::Refreshed(_)
            | Self::ShortLived(_) => None,
        }
    }
}

impl Changes {
    /// Adds what a later look changed, so that both can be told in one.
    ///
    /// A socket that opened and closed unseen leaves no trace; one that closed and came back leaves both. One that
    /// passed is never merged with another.
    pub fn merge(&mut self, later: Self) {
        let mut places: HashMap<EndpointId, usize> = self
            .list
            .iter()
            .enumerate()
            .map(|(place, change)| (change.id(), place))
            .collect();
        let mut list: Vec<Option<Change>> = std::mem::take(&mut self.list)
            .into_iter()
            .map(Some)
            .collect();
        let head = Self {
            list: Vec::new(),
            missed: self.missed || later.missed,
            ..later
        };
        for change in later.list {
            let id = change.id();
            let earlier = places
                .get(&id)
                .and_then(|place| list.get_mut(*place))
                .and_then(Option::take);
            for merged in merged(earlier, change) {
                places.insert(merged.id(), list.len());
                list.push(Some(merged));
            }
        }
        *self = Self {
            list: list.into_iter().flatten().collect(),
            ..head
        };
    }
}

/// What two changes of one socket amount to.
fn merged(earlier: Option<Change>, later: Change) -> Vec<Change> {
    use Change::{Changed, Closed, Initial, Opened, Refreshed, Replaced, ShortLived};
    match (earlier, later) {
        (Some(earlier), later @ ShortLived(_)) | (Some(earlier @ ShortLived(_)), later) => {
            vec![earlier, later]
        }
        (Some(Initial(_) | Opened(_)), Closed(_)) => Vec::new(),
        (Some(Replaced { gone, .. }), Closed(_)) => vec![Closed(gone)],
        (Some(_), Closed(id)) => vec![Closed(id)],
        (Some(Initial(_)), Changed(endpoint) | Refreshed(endpoint)) => vec![Initial(endpoint)],
        (Some(Opened(_)), Changed(endpoint) | Refreshed(endpoint)) => vec![Opened(endpoint)],
        (Some(Replaced { gone, .. }), Changed(endpoint) | Refreshed(endpoint)) => {
            vec![Replaced { gone, endpoint }]
        }
        (Some(Changed(_)), Changed(endpoint) | Refreshed(endpoint)) => vec![Changed(endpoint)],
        (None | Some(Refreshed(_)), later) => vec![later],
        (Some(earlier @ Closed(_)), later) => vec![earlier, later],
        (Some(earlier), later @ (Initial(_) | Opened(_) | Replaced { .. })) => {
            vec![Closed(earlier.id()), later]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::State;
    use crate::model::testing::{moment, socket};

    fn changes(list: Vec<Change>) -> Changes {
        Changes {
            taken: moment(0.0),
            took: Duration::ZERO,
            interval: Duration::from_secs(1),
            problems: Vec::new(),
            list,
            missed: false,
            stats: None,
        }
    }

    #[test]
    fn unsent_changes_of_one_socket_become_one() {
        let endpoint = || socket("127.0.0.1:3000").endpoint();
        let later = || socket("127.0.0.1:3000").state(State::Closed).endpoint();
        let id = endpoint().id();
        let other = socket("127.0.0.1:3000").owner_hint(9).endpoint().id();
        let cases = [
            (
                vec![Change::Opened(endpoint())],
                Change::Changed(later()),
                vec![Change::Opened(later())],
            ),
            (vec![Change::Opened(endpoint())], Change::Closed(id), vec![]),
            (
                vec![Change::Changed(endpoint())],
                Change::Closed(id),
                vec![Change::Closed(id)],
            ),
            (
                vec![Change::Refreshed(endpoint())],
                Change::Changed(later()),
                vec![Change::Changed(later())],
            ),
            (
                vec![Change::Changed(endpoint())],
                Change::Refreshed(later()),
                vec![Change::Changed(later())],
            ),
            (
                vec![Change::Replaced {
                    gone: other,
                    endpoint: endpoint(),
                }],
                Change::Closed(id),
                vec![Change::Closed(other)],
            ),
            (
                vec![Change::Closed(id)],
                Change::Opened(endpoint()),
                vec![Change::Closed(id), Change::Opened(endpoint())],
            ),
        ];
        for (earlier, later, expected) in cases {
            let mut merged = changes(earlier);
            merged.merge(changes(vec![later]));
            assert_eq!(merged.list, expected);
        }
    }

    #[test]
    fn short_lived_sockets_and_lost_events_survive_a_merge() {
        let passed = || Change::ShortLived(socket("127.0.0.1:3000").endpoint());
        let id = passed().id();
        let mut merged = Changes {
            missed: true,
            ..changes(vec![Change::Closed(id)])
        };
        for later in [passed(), passed(), Change::Closed(id)] {
            merged.merge(changes(vec![later]));
        }
        let expected = vec![Change::Closed(id), passed(), passed(), Change::Closed(id)];
        assert_eq!((merged.missed, merged.list), (true, expected));
    }

    #[test]
    fn a_change_after_reopening_belongs_to_the_new_socket() {
        let endpoint = socket("127.0.0.1:3000").endpoint();
        let mut merged = changes(vec![Change::Closed(endpoint.id())]);
        merged.merge(changes(vec![Change::Opened(endpoint.clone())]));
        merged.merge(changes(vec![Change::Closed(endpoint.id())]));
        assert_eq!(merged.list, vec![Change::Closed(endpoint.id())]);
    }
}
