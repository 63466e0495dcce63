//! Builds one load after the other and measures on each what the plan says.

use super::candidates::{Candidate, Candidates};
use super::load::Load;
use super::memory;
use super::notes;
use super::plan::{self, BenchPlan, CHANGED, Goal, LoadSize};
use super::portmon_poll::PortmonPoll;
use super::rounds::{Rounds, Timings};
use super::strace;
use super::table::{Table, TableRow};

/// Looks after which a sampler holds what it goes on holding.
const WARM_UP_POLLS: usize = 3;

/// Measures everything and gives what is to be said beside the table.
pub fn run(plan: &BenchPlan, table: &mut Table) -> anyhow::Result<Vec<String>> {
    let (installed, absent): (Vec<_>, Vec<_>) = Candidate::ALL
        .into_iter()
        .partition(|one| one.is_installed());
    let absent = absent.into_iter().map(Candidate::name);
    let mut candidates = Candidates::new()?;
    let mut notes = notes::of(plan, candidates.bare_dump.dump()?)?;
    notes.extend(absent.map(|name| format!("{name} is not installed.")));
    let mut benchmark = Benchmark {
        plan,
        table,
        notes,
        installed,
        load: Load::new()?,
        candidates,
        held_bytes: Vec::new(),
    };
    benchmark.all()?;
    Ok(benchmark.notes)
}

struct Benchmark<'a> {
    plan: &'a BenchPlan,
    table: &'a mut Table,
    notes: Vec<String>,
    installed: Vec<Candidate>,
    load: Load,
    candidates: Candidates,
    /// Rows, and the bytes a sampler holds that looked at them.
    held_bytes: Vec<(LoadSize, u32, usize)>,
}

impl Benchmark<'_> {
    /// By the number of sockets, which never become fewer.
    fn all(&mut self) -> anyhow::Result<()> {
        let steady = self.plan.steady.iter().copied();
        let (few, many): (Vec<_>, Vec<_>) =
            steady.partition(|size| size.sockets <= CHANGED.sockets);
        few.into_iter().try_for_each(|size| self.steady(size))?;
        self.changes()?;
        many.into_iter().try_for_each(|size| self.steady(size))?;
        self.bytes_a_row();
        Ok(())
    }

    fn build(&mut self, size: LoadSize) -> anyhow::Result<()> {
        // A run takes minutes, and whoever waits should see that it goes on.
        eprintln!("{} sockets, {} processes …", size.sockets, size.processes);
        self.load.grow_to(size.sockets)?;
        self.load.set_processes(size.processes)
    }

    fn steady(&mut self, size: LoadSize) -> anyhow::Result<()> {
        self.build(size)?;
        let rounds = self.plan.rounds(size);
        let timings = rounds.run(&mut self.candidates, &self.installed, || Ok(()))?;
        for candidate in self.installed.clone() {
            let goal = (candidate == Candidate::Portmon).then_some(plan::STEADY_TICK);
            let ratio = timings.ratios(candidate, Candidate::BareDump);
            self.table.add(TableRow {
                size,
                what: candidate.name(),
                time: timings.times(candidate),
                ratio: ratio.filter(|_| candidate != Candidate::BareDump),
                goal,
            });
        }
        self.compare(size, &timings);
        self.measure_memory(size)?;
        self.count_calls(size)
    }

    /// What others take as a ratio to our tick.
    fn compare(&mut self, size: LoadSize, timings: &Timings) {
        let others = [
            (
                Candidate::Netstat,
                "netstat2 with pids ÷ our tick",
                plan::netstat_to_ours(size),
            ),
            (
                Candidate::Ss,
                "ss -tunap ÷ our tick",
                plan::ss_to_ours(size),
            ),
        ];
        for (other, what, goal) in others.into_iter().filter(|(_, _, goal)| goal.is_some()) {
            // Without one, nobody measured the other.
            if let Some(ratio) = timings.ratios(other, Candidate::Portmon) {
                self.table.add(TableRow {
                    size,
                    what,
                    time: None,
                    ratio: Some(ratio),
                    goal,
                });
            }
        }
    }

    fn count_calls(&mut self, size: LoadSize) -> anyhow::Result<()> {
        let rows = self.candidates.bare_dump.dump()?;
        match strace::calls()? {
            Ok((count, most)) => {
                let goal = plan::system_calls(rows);
                self.table
                    .add_count(size, "system calls, steady", (count, &most), goal);
            }
            Err(reason) => {
                let note = format!("No system calls were counted: {reason}.");
                if !self.notes.contains(&note) {
                    self.notes.push(note);
                }
            }
        }
        Ok(())
    }

    /// Remembers what a sampler holds once it has settled, all it gave out dropped.
    fn measure_memory(&mut self, size: LoadSize) -> anyhow::Result<()> {
        let rows = self.candidates.bare_dump.dump()?;
        let (_portmon, bytes) = memory::measure_held(|| {
            let mut portmon = PortmonPoll::new();
            for _ in 0..WARM_UP_POLLS {
                portmon.poll();
            }
            portmon
        });
        self.held_bytes.push((size, rows, bytes));
        Ok(())
    }

    /// From the smallest load to the largest, so that what does not grow with the rows falls out.
    fn bytes_a_row(&mut self) {
        let (Some(first), Some(last)) = (self.held_bytes.first(), self.held_bytes.last()) else {
            return;
        };
        let (rows, bytes) = (
            last.1.saturating_sub(first.1),
            last.2.saturating_sub(first.2),
        );
        let a_row = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / f64::from(rows.max(1));
        let made_of = format!("{bytes} for {rows} rows");
        let what = "bytes a row in the sampler";
        self.table
            .add_count(last.0, what, (a_row, &made_of), plan::BYTES_A_ROW);
    }

    fn changes(&mut self) -> anyhow::Result<()> {
        self.build(CHANGED)?;
        let BenchPlan {
            change_rounds,
            fresh_rounds,
            ..
        } = *self.plan;
        let (with_10, churned) = (plan::TICK_WITH_10, plan::TICK_WITH_CHURN);
        self.change("our tick, steady", plan::STEADY_TICK, change_rounds, |_| {
            Ok(())
        })?;
        self.change("our tick, 10 new", with_10, change_rounds, |load| {
            load.replace(5)
        })?;
        self.change("our tick, 1000 churned", churned, change_rounds, |load| {
            load.replace(500)
        })?;
        self.change(
            "our tick, 100 new processes",
            plan::TICK_WITH_FRESH,
            fresh_rounds,
            Load::refresh,
        )?;
        self.load.end_fresh();
        Ok(())
    }

    /// Our tick after a change of the load, beside the bare dump after the same.
    fn change(
        &mut self,
        what: &str,
        goal: Goal,
        rounds: Rounds,
        change: impl Fn(&mut Load) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let installed = [Candidate::BareDump, Candidate::Portmon];
        let Self {
            load, candidates, ..
        } = self;
        let timings = rounds.run(candidates, &installed, || change(load))?;
        self.table.add(TableRow {
            size: CHANGED,
            what,
            time: timings.times(Candidate::Portmon),
            ratio: timings.ratios(Candidate::Portmon, Candidate::BareDump),
            goal: Some(goal),
        });
        Ok(())
    }
}
