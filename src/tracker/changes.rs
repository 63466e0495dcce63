//! Changes of one poll, or of several that were not delivered yet.

use crate::model::Moment;
use crate::model::snapshot::{Problem, has_read};
use crate::model::socket::{Endpoint, EndpointId, Protocol, RawSocket, SocketStats, State};
use std::collections::HashMap;
use std::time::Duration;

/// Changes since the last delivery, and what could not be read.
#[derive(Clone, Debug)]
pub struct Changes {
    /// When the last poll was taken.
    pub taken: Moment,
    /// How long that poll took.
    pub took: Duration,
    /// Time until the next poll; longer than requested if polls take long.
    pub interval: Duration,
    pub problems: Vec<Problem>,
    pub list: Vec<Change>,
    /// True if the kernel dropped destroy events: short-lived sockets may be missing.
    pub missed: bool,
    /// Stats of the focus of the last request.
    pub stats: Option<SocketStats>,
}

/// One change. A socket appears at most once in a list, except one that closed and reopened, and a short-lived one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Open at the first poll: no event.
    Initial(Endpoint),
    Opened(Endpoint),
    /// Its state or its owners changed.
    Changed(Endpoint),
    /// It replaced the socket `gone`, which held the same protocol, address and port.
    Replaced {
        gone: EndpointId,
        endpoint: Endpoint,
    },
    /// More is known about it: no event.
    Refreshed(Endpoint),
    Closed(EndpointId),
    /// It opened and closed between two polls.
    ShortLived(Endpoint),
}

impl Change {
    pub fn id(&self) -> EndpointId {
        self.split().map_or_else(|closed| closed, Endpoint::id)
    }

    /// The socket as it is now; `None` for one that closed.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.split().ok()
    }

    fn split(&self) -> Result<&Endpoint, EndpointId> {
        match self {
            Self::Closed(id) => Err(*id),
            Self::Initial(endpoint)
            | Self::Opened(endpoint)
            | Self::Changed(endpoint)
            | Self::Replaced { endpoint, .. }
            | Self::Refreshed(endpoint)
            | Self::ShortLived(endpoint) => Ok(endpoint),
        }
    }

    /// The socket that closed, if a poll ever reported it.
    pub fn gone(&self) -> Option<EndpointId> {
        match self {
            Self::Closed(gone) | Self::Replaced { gone, .. } => Some(*gone),
            _ => None,
        }
    }
}

impl Changes {
    /// Merges the changes of a later poll.
    ///
    /// A socket that opened and closed leaves no change, one that closed and reopened leaves both. A short-lived one is
    /// never merged with another.
    pub fn merge(&mut self, later: Self) {
        let ids = self.list.iter().map(Change::id);
        let mut indexes: HashMap<EndpointId, usize> = ids.zip(0..).collect();
        let mut list: Vec<Option<Change>> = self.list.drain(..).map(Some).collect();
        for change in later.list {
            let earlier = indexes
                .get(&change.id())
                .and_then(|index| list.get_mut(*index)?.take());
            for merged in merged(earlier, change) {
                indexes.insert(merged.id(), list.len());
                list.push(Some(merged));
            }
        }
        *self = Self {
            list: list.into_iter().flatten().collect(),
            missed: self.missed || later.missed,
            ..later
        };
    }
}

/// Merges two changes of one socket.
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

/// Tables and sockets that a poll did not read.
#[derive(Clone, Debug, Default)]
pub struct UnreadTables {
    pub problems: Vec<Problem>,
    /// Bound TCP sockets were not requested.
    pub is_without_bound: bool,
}

impl UnreadTables {
    /// True if the poll would have reported this socket.
    pub(super) fn was_requested(&self, socket: &RawSocket) -> bool {
        let is_bound = socket.protocol == Protocol::Tcp && socket.state == Some(State::Bound);
        !(self.is_without_bound && is_bound)
            && has_read(&self.problems, socket.protocol, socket.table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
