//! Checks what is known, a little at every update, so that nothing wrong stays for ever.

use super::OwnerResolver;
use super::fd_cache::FdEntry;
use super::scan::ScanScope;
use rustix::io::Errno;

/// How many updates' worth of checks one dear check may cost.
const MAX_DEBT: i64 = 4;

/// How much is checked, and what comes next.
#[derive(Default)]
pub struct VerifyBudget {
    /// System calls left for this update; below zero after a dear check.
    calls: i64,
    round_robin: u8,
}

impl OwnerResolver {
    /// Checks sockets that hold a port, others, and processes in turn, as many as the number of sockets allows.
    pub(super) fn verify(&mut self, rows: usize) {
        let budget = i64::try_from(2 + rows / 20_000).unwrap_or(i64::MAX / MAX_DEBT);
        let saved = self.verify_budget.calls.max(-MAX_DEBT * budget);
        self.verify_budget.calls = (saved + budget).min(budget);
        while self.verify_budget.calls > 0 {
            let before = self.proc.calls();
            self.verify_budget.round_robin = self.verify_budget.round_robin.wrapping_add(1);
            match self.verify_budget.round_robin % 4 {
                0 => self.verify_next_bound(),
                2 => self.verify_next_fd(),
                _ => self.verify_next_process(),
            }
            let cost = self.proc.calls().saturating_sub(before).max(1);
            self.verify_budget.calls -= i64::try_from(cost).unwrap_or(i64::MAX / 2);
        }
    }

    fn verify_next_bound(&mut self) {
        let Some(inode) = self.bound_inodes.next_in_turn() else {
            return;
        };
        let entries: Vec<FdEntry> = self.fd_cache.of(inode).collect();
        for entry in entries {
            self.verify_fd(entry);
        }
    }

    fn verify_next_fd(&mut self) {
        if let Some(entry) = self.fd_cache.next_in_turn() {
            self.verify_fd(entry);
        }
    }

    /// What may not be read is never known to have changed, so a process is only asked for what it shows to all.
    fn verify_next_process(&mut self) {
        if let Some(known) = self.pid_table.next_in_turn()
            && known.denied_until == 0
        {
            self.scan_if_changed(known.pid, ScanScope::Untracked);
        }
    }

    /// Reads one descriptor again, and all of its process if it is another one now.
    pub(super) fn verify_fd(&mut self, entry: FdEntry) {
        let Some(owner) = self.owner_table.get(entry.process) else {
            return;
        };
        let pid = owner.id.pid.0;
        let found = self
            .owner_table
            .directory(&self.proc, entry.process)
            .and_then(|directory| self.proc.socket_at(&directory, entry.descriptor));
        match found {
            Ok(Some(inode)) if inode == entry.inode => {}
            // Closed, as those opened since may tell.
            Err(Errno::NOENT) => self.scan(pid, ScanScope::Untracked),
            Ok(_) => self.scan(pid, ScanScope::All),
            Err(errno) => self.handle_read_error(pid, errno),
        }
    }
}
