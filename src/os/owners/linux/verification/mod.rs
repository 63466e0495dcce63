//! Verifies known owners, a little in every update, so that nothing wrong stays for ever.

mod in_view;
mod unix_peers;

pub use in_view::InViewVerification;

use super::owner_cache::OwnerCache;
use super::round_robin::RoundRobinTable;
use super::scan::ScanScope;

/// Updates that one expensive check may use up.
const MAX_DEBT: i64 = 4;

#[derive(Default)]
pub struct Verification {
    /// System calls left in this update; negative after an expensive check.
    budget: i64,
    turn: u8,
    /// Sockets that hold a port, whose owners matter most.
    port_holders: RoundRobinTable<u32>,
}

impl Verification {
    pub fn set_holds_port(&mut self, inode: u32, holds_port: bool) {
        if holds_port {
            self.port_holders.get_or_insert(inode);
        } else {
            self.port_holders.remove(inode);
        }
    }

    /// Verifies sockets that hold a port, other sockets and processes in turn; more of them the more rows there are.
    pub fn run(&mut self, cache: &mut OwnerCache, rows: usize) {
        let refill = i64::try_from(2 + rows / 20_000).unwrap_or(i64::MAX / MAX_DEBT);
        self.budget = (self.budget.max(-MAX_DEBT * refill) + refill).min(refill);
        while self.budget > 0 {
            let before = cache.proc.calls();
            self.turn = self.turn.wrapping_add(1);
            match self.turn % 4 {
                0 => {
                    if let Some(inode) = self.port_holders.next_in_turn().0 {
                        cache.verify_socket(*inode);
                    }
                }
                2 => {
                    if let Some(entry) = cache.fds.next_in_turn().0.copied() {
                        cache.verify_fd(entry);
                    }
                }
                _ => verify_next_process(cache),
            }
            self.budget -= (cache.proc.calls() - before).max(1);
        }
    }
}

/// A denied process cannot be scanned, so its number of descriptors does not matter.
fn verify_next_process(cache: &mut OwnerCache) {
    if let Some(known) = cache.pid_table.next_in_turn()
        && known.denied_until == 0
    {
        let pid = known.pid;
        cache.scan_if_changed(pid, ScanScope::NonSocket);
    }
}
