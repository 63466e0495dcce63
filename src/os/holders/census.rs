//! Which processes there are, and which of them are new since the last look.
//!
//! The kernel tells the last pid it gave away, so most looks cost one read. It must never take a thread for a process,
//! nor a process for another one that had its pid before.

use super::proc::{Facts, Proc};
use super::turns::Turns;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

/// How many pids given away since the last look are asked for one by one; beyond it all processes are listed.
const FEW: u32 = 256;

/// After this long the pids may have gone once round, unseen: pid_max(5) may be as low as 32768.
const LONG: Duration = Duration::from_secs(10);

/// What is remembered of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub pid: u32,
    /// The number of its directory; 0 while it is not known.
    directory: u32,
    /// How many descriptors it had when they were read, and for which user it runs.
    pub facts: Facts,
    /// The update from which on it may be opened again; 0 if it was never denied.
    pub denied_until: u32,
    /// Its place among the holders, if it is one.
    pub slot: Option<u32>,
}

/// What came to light in one look.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// Processes that were not there before, and those that may have taken over a pid.
    pub fresh: Vec<u32>,
    /// Known ones that are gone, as far as they were missed.
    pub gone: Vec<Known>,
    /// Whether these are all processes there are.
    pub is_first: bool,
}

#[derive(Default)]
pub struct Census {
    known: HashTable<Known>,
    hasher: DefaultHashBuilder,
    turns: Turns,
    /// The last pid given away, as of the last look.
    last: Option<u32>,
    taken: Option<Instant>,
    /// Pids given away that were no process yet: one being forked is counted before it can be seen.
    unborn: Vec<u32>,
    /// How many processes there were at the last listing.
    listed: usize,
    is_listing_due: bool,
}

impl Census {
    /// Looks for new processes.
    pub fn look(&mut self, proc: &Proc) -> Arrivals {
        // Before anything is listed, so that what is forked meanwhile comes next time.
        let last = proc.last_pid();
        let now = Instant::now();
        let is_recent = self.taken.is_some_and(|taken| now - taken < LONG);
        let before = self.last;
        self.last = last;
        self.taken = Some(now);
        let moved = last.zip(before).and_then(|(to, from)| to.checked_sub(from));
        let is_crowded = self.known.len() > self.listed.saturating_mul(2).saturating_add(512);
        match (moved, before) {
            (Some(moved @ 0..=FEW), Some(before))
                if is_recent && !is_crowded && !self.is_listing_due =>
            {
                self.ask(proc, before, before.saturating_add(moved))
                    .unwrap_or_else(|| self.list(proc))
            }
            _ => self.list(proc),
        }
    }

    /// Asks for each pid after `from` up to `to`; `None` where the kernel cannot be asked.
    fn ask(&mut self, proc: &Proc, from: u32, to: u32) -> Option<Arrivals> {
        let (again, mut arrivals) = (std::mem::take(&mut self.unborn), Arrivals::default());
        for pid in again {
            if self.get(pid).is_none() && proc.is_process(pid)? {
                arrivals.fresh.push(pid);
            }
        }
        for pid in from.saturating_add(1)..=to {
            if proc.is_process(pid)? {
                arrivals.fresh.push(pid);
            } else {
                self.unborn.push(pid);
            }
        }
        Some(arrivals)
    }

    /// Lists all processes and compares them with those known.
    fn list(&mut self, proc: &Proc) -> Arrivals {
        let mut arrivals = Arrivals {
            is_first: self.known.is_empty(),
            ..Arrivals::default()
        };
        let mut all: Vec<(u32, u32)> = Vec::with_capacity(self.listed + 16);
        if proc
            .processes(|pid, number| all.push((pid, number)))
            .is_err()
        {
            return arrivals;
        }
        all.sort_unstable();
        self.listed = all.len();
        self.is_listing_due = false;
        let is_listed = |pid| all.binary_search_by_key(&pid, |(pid, _)| *pid).is_ok();
        let gone = self.known.extract_if(|known| !is_listed(known.pid));
        arrivals.gone = gone.collect();
        for (pid, directory) in all {
            match self.get_mut(pid) {
                Some(known) if known.directory == directory => {}
                Some(known) => {
                    // One that was asked for by its pid has no number yet.
                    let is_same = known.directory == 0;
                    known.directory = directory;
                    if !is_same {
                        arrivals.fresh.push(pid);
                    }
                }
                None => {
                    self.get_or_insert(pid).directory = directory;
                    arrivals.fresh.push(pid);
                }
            }
        }
        arrivals
    }

    pub fn get(&self, pid: u32) -> Option<&Known> {
        let hash = self.hasher.hash_one(pid);
        self.known.find(hash, |known| known.pid == pid)
    }

    pub fn get_mut(&mut self, pid: u32) -> Option<&mut Known> {
        let hash = self.hasher.hash_one(pid);
        self.known.find_mut(hash, |known| known.pid == pid)
    }

    pub fn get_or_insert(&mut self, pid: u32) -> &mut Known {
        let Self { known, hasher, .. } = self;
        let hash = |pid: u32| hasher.hash_one(pid);
        let new = Known {
            pid,
            directory: 0,
            facts: Facts { count: 0, uid: 0 },
            denied_until: 0,
            slot: None,
        };
        known
            .entry(hash(pid), |known| known.pid == pid, |known| hash(known.pid))
            .or_insert(new)
            .into_mut()
    }

    pub fn forget(&mut self, pid: u32) {
        let hash = self.hasher.hash_one(pid);
        if let Ok(entry) = self.known.find_entry(hash, |known| known.pid == pid) {
            entry.remove();
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &Known> {
        self.known.iter()
    }

    /// The process whose turn it is. After a round everything is listed again, for processes that were given a pid of
    /// somebody's choice (`set_tid` of clone3(2)) and so never were the last one.
    pub fn next_turn(&mut self) -> Option<Known> {
        let (known, is_anew) = self.turns.next(&self.known);
        self.is_listing_due |= is_anew;
        known.copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> u32 {
        std::process::id()
    }

    fn looked() -> (Proc, Census) {
        let (mut proc, mut census) = (Proc::default(), Census::default());
        proc.prepare();
        let first = census.look(&proc);
        assert!(first.is_first && first.fresh.contains(&own()));
        (proc, census)
    }

    fn sleeper() -> std::process::Child {
        std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .expect("sleep runs")
    }

    fn end(mut child: std::process::Child) {
        child.kill().expect("it may be killed");
        child.wait().expect("it ends");
    }

    #[test]
    fn a_new_process_is_told_once() {
        let (proc, mut census) = looked();
        let child = sleeper();
        let tells = [(); 2].map(|()| {
            let is_told = census.look(&proc).fresh.contains(&child.id());
            // As its scan does.
            census.get_or_insert(child.id());
            is_told
        });
        assert_eq!(tells, [true, false]);
        end(child);
    }

    #[test]
    fn a_listing_tells_what_came_and_what_went() {
        let (proc, mut census) = looked();
        let child = sleeper();
        census.last = None;
        assert!(census.look(&proc).fresh.contains(&child.id()));
        let pid = child.id();
        end(child);
        census.last = None;
        let gone = census.look(&proc).gone;
        assert!(gone.iter().any(|known| known.pid == pid));
        assert_eq!(census.get(pid), None);
    }

    #[test]
    fn a_pid_whose_directory_changed_is_a_new_process() {
        let (proc, mut census) = looked();
        census.get_or_insert(own()).directory ^= 1;
        census.last = None;
        assert!(census.look(&proc).fresh.contains(&own()));
        census.last = None;
        assert!(!census.look(&proc).fresh.contains(&own()));
    }

    #[test]
    fn a_pid_being_forked_is_asked_for_once_more() {
        let (proc, mut census) = looked();
        census.unborn = vec![own()];
        census.forget(own());
        assert!(census.look(&proc).fresh.contains(&own()));
        assert!(!census.look(&proc).fresh.contains(&own()));
    }

    #[test]
    fn pids_that_went_once_round_unseen_are_listed() {
        let (proc, mut census) = looked();
        census.forget(own());
        census.taken = Instant::now().checked_sub(LONG);
        assert!(census.look(&proc).fresh.contains(&own()));
    }
}
