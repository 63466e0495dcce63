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
    use super::Change::{Changed, Closed, Opened, Refreshed, Replaced, ShortLived};
    use super::*;
    use crate::model::testing::socket;

    /// Merges each change into those before, as when none is delivered.
    fn merged_list(first: Change, later: impl IntoIterator<Item = Change>) -> Vec<Change> {
        let mut merged = Changes::at(0.0, vec![first]);
        for change in later {
            merged.merge(Changes::at(1.0, vec![change]));
        }
        merged.list
    }

    #[test]
    fn unsent_changes_of_one_socket_become_one() {
        let endpoint = || socket("127.0.0.1:3000").endpoint();
        let later = || socket("127.0.0.1:3000").state(State::Closed).endpoint();
        let id = endpoint().id();
        let gone = socket("127.0.0.1:3000").owner_hint(9).endpoint().id();
        let replaced = |endpoint| Replaced { gone, endpoint };
        let cases = [
            (Opened(endpoint()), Changed(later()), vec![Opened(later())]),
            (Opened(endpoint()), Closed(id), vec![]),
            (Changed(endpoint()), Closed(id), vec![Closed(id)]),
            (
                Refreshed(endpoint()),
                Changed(later()),
                vec![Changed(later())],
            ),
            (
                Changed(endpoint()),
                Refreshed(later()),
                vec![Changed(later())],
            ),
            (
                replaced(endpoint()),
                Refreshed(later()),
                vec![replaced(later())],
            ),
            (replaced(endpoint()), Closed(id), vec![Closed(gone)]),
            (
                Closed(id),
                Opened(later()),
                vec![Closed(id), Opened(later())],
            ),
        ];
        for (earlier, later, expected) in cases {
            let case = format!("{earlier:?} {later:?}");
            assert_eq!(merged_list(earlier, [later]), expected, "{case}");
        }
    }

    #[test]
    fn a_short_lived_socket_is_merged_with_no_other_change() {
        let short_lived = || ShortLived(socket("127.0.0.1:3000").endpoint());
        let closed = || Closed(short_lived().id());
        let merged = merged_list(closed(), [short_lived(), short_lived(), closed()]);
        assert_eq!(merged, [closed(), short_lived(), short_lived(), closed()]);
    }

    #[test]
    fn lost_events_stay_known_after_a_merge() {
        let mut merged = Changes {
            missed: true,
            ..Changes::at(0.0, vec![])
        };
        merged.merge(Changes::at(1.0, vec![]));
        assert!(merged.missed);
    }

    #[test]
    fn a_change_after_reopening_belongs_to_the_new_socket() {
        let endpoint = socket("127.0.0.1:3000").endpoint();
        let id = endpoint.id();
        let merged = merged_list(Closed(id), [Opened(endpoint), Closed(id)]);
        assert_eq!(merged, [Closed(id)]);
    }
}
