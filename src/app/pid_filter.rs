//! Pids in the place of ports: a filter of numbers that no socket has as a port, but processes as their pids.

use crate::app::App;
use crate::model::process::Process;
use crate::table::query::bare_numbers;
use std::sync::Arc;

/// Processes that hold sockets, whose pids are the filter.
pub struct NamedPids {
    /// Never empty.
    pub processes: Vec<Arc<Process>>,
    /// The filter for the sockets of these processes: `pid:4242,4300`.
    pub filter: String,
}

impl App {
    /// Returns the processes whose pids are all that the filter has, if it finds nothing.
    pub fn pids_in_filter(&self) -> Option<NamedPids> {
        let finds_nothing = self.listing.shown_rows().next().is_none();
        self.named_pids().filter(|_| finds_nothing)
    }

    /// Returns the processes whose pids are all that the filter has, if none of these is a port or was one lately.
    pub(super) fn named_pids(&self) -> Option<NamedPids> {
        let numbers = bare_numbers(self.filter_box.value())?;
        let counts = self.listing.counts();
        let is_port = |number: &u32| u16::try_from(*number).is_ok_and(|port| counts.has_port(port));
        if numbers.iter().any(is_port) || self.last_owner_of_filtered_port().is_some() {
            return None;
        }
        let owner = |pid: &u32| {
            let endpoints = self.listing.endpoints();
            let mut owners = endpoints.flat_map(|endpoint| endpoint.socket.owners.known());
            owners.find(|process| process.pid().0 == *pid).cloned()
        };
        let processes = numbers.iter().map(owner).collect::<Option<Vec<_>>>()?;
        let pids: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        Some(NamedPids {
            processes,
            filter: format!("pid:{}", pids.join(",")),
        })
    }
}
