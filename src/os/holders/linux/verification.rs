//! Checks what is known, a little at every update, so that nothing wrong stays for ever.

use super::Holders;
use super::edges::Edge;
use super::scan::Depth;
use rustix::io::Errno;

/// How many updates' worth of checks one dear check may cost.
const DEBT: i64 = 4;

/// How much is checked, and what comes next.
#[derive(Default)]
pub struct Checks {
    /// System calls left for this update; below zero after a dear check.
    calls: i64,
    turns: u8,
}

impl Holders {
    /// Checks sockets that hold a port, others, and processes in turn, as many as the number of sockets allows.
    pub(super) fn verify(&mut self, rows: usize) {
        let budget = i64::try_from(2 + rows / 20_000).unwrap_or(i64::MAX / DEBT);
        let saved = self.checks.calls.max(-DEBT * budget);
        self.checks.calls = (saved + budget).min(budget);
        while self.checks.calls > 0 {
            let before = self.proc.calls();
            self.checks.turns = self.checks.turns.wrapping_add(1);
            match self.checks.turns % 4 {
                0 => self.verify_standing(),
                2 => self.verify_next_edge(),
                _ => self.verify_next_process(),
            }
            let cost = self.proc.calls().saturating_sub(before).max(1);
            self.checks.calls -= i64::try_from(cost).unwrap_or(i64::MAX / 2);
        }
    }

    fn verify_standing(&mut self) {
        let Some(inode) = self.standing.next_turn() else {
            return;
        };
        let edges: Vec<Edge> = self.edges.of(inode).collect();
        for edge in edges {
            self.verify_edge(edge);
        }
    }

    fn verify_next_edge(&mut self) {
        if let Some(edge) = self.edges.next_turn() {
            self.verify_edge(edge);
        }
    }

    /// What may not be read is never known to have changed, so a process is only asked for what it shows to all.
    fn verify_next_process(&mut self) {
        if let Some(known) = self.census.next_turn()
            && known.denied_until == 0
        {
            self.scan_if_changed(known.pid, Depth::Unheld);
        }
    }

    /// Reads one descriptor again, and all of its process if it is another one now.
    pub(super) fn verify_edge(&mut self, edge: Edge) {
        let Some(holder) = self.roster.get(edge.process) else {
            return;
        };
        let pid = holder.id.pid.0;
        let found = self
            .roster
            .directory(&self.proc, edge.process)
            .and_then(|directory| self.proc.socket_at(&directory, edge.descriptor));
        match found {
            Ok(Some(inode)) if inode == edge.inode => {}
            // Closed, as those opened since may tell.
            Err(Errno::NOENT) => self.scan(pid, Depth::Unheld),
            Ok(_) => self.scan(pid, Depth::All),
            Err(errno) => self.miss(pid, errno),
        }
    }
}
