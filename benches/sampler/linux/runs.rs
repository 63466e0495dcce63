//! Builds one load after another and measures what the plan says on each.

use super::candidates::{Candidate, Candidates, portmon};
use super::load::Load;
use super::measure::bytes_held;
use super::plan::{self, BenchPlan, CHANGED, Goal, LoadSize};
use super::rounds::{Rounds, Timings};
use super::strace;
use super::table::{Table, TableRow};

/// Polls after which the memory of a sampler no longer grows.
const WARM_UP_POLLS: usize = 3;

/// Measures everything and returns the notes below the table.
pub fn run(plan: &BenchPlan, table: &mut Table) -> anyhow::Result<Vec<String>> {
    let (installed, absent): (Vec<_>, Vec<_>) = Candidate::ALL
        .into_iter()
        .partition(|one| one.is_installed());
    let absent = absent.into_iter().map(Candidate::name);
    let mut candidates = Candidates::new()?;
    let mut notes = machine_notes(plan, candidates.bare_dump.dump()?)?;
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
    /// Rows, and the bytes that a sampler holds for them.
    held_bytes: Vec<(LoadSize, u32, usize)>,
}

impl Benchmark<'_> {
    /// In the order of the number of sockets, which only grows.
    fn all(&mut self) -> anyhow::Result<()> {
        let steady = self.plan.steady.iter().copied();
        let (few, many): (Vec<_>, Vec<_>) =
            steady.partition(|size| size.sockets <= CHANGED.sockets);
        few.into_iter().try_for_each(|size| self.steady(size))?;
        self.changes()?;
        many.into_iter().try_for_each(|size| self.steady(size))?;
        self.bytes_per_row();
        Ok(())
    }

    fn build(&mut self, size: LoadSize) -> anyhow::Result<()> {
        // A run takes minutes: show progress.
        eprintln!("{} sockets, {} processes …", size.sockets, size.processes);
        self.load.grow_to(size.sockets)?;
        self.load.set_processes(size.processes)
    }

    fn steady(&mut self, size: LoadSize) -> anyhow::Result<()> {
        self.build(size)?;
        self.candidates.show_rows();
        let rounds = self.plan.rounds(size);
        let timings = rounds.run(&mut self.candidates, &self.installed, || Ok(()))?;
        for candidate in self.installed.clone() {
            let goal = (candidate == Candidate::Portmon).then_some(plan::STEADY_POLL);
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
        self.change(
            size,
            "portmon poll, an owner ran",
            None,
            rounds,
            Load::wake_owner,
        )?;
        self.measure_memory(size)?;
        self.count_calls(size)
    }

    /// Adds the cost of other programs as a ratio to a poll.
    fn compare(&mut self, size: LoadSize, timings: &Timings) {
        let goals = plan::compared_to_poll(size).into_iter().flatten();
        for (other, goal) in [Candidate::Netstat, Candidate::Ss].into_iter().zip(goals) {
            if let Some(ratio) = timings.ratios(other, Candidate::Portmon) {
                self.table.add(TableRow {
                    size,
                    what: &format!("{} ÷ portmon poll", other.name()),
                    time: None,
                    ratio: Some(ratio),
                    goal: Some(goal),
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

    /// Records the memory of a sampler after its first polls, with their results dropped.
    fn measure_memory(&mut self, size: LoadSize) -> anyhow::Result<()> {
        let rows = self.candidates.bare_dump.dump()?;
        let (_portmon, bytes) = bytes_held(|| {
            let mut portmon = portmon();
            for _ in 0..WARM_UP_POLLS {
                portmon.poll();
            }
            portmon
        });
        self.held_bytes.push((size, rows, bytes));
        Ok(())
    }

    /// Adds the bytes per row, from the smallest load to the largest, which cancels what does not grow with the rows.
    fn bytes_per_row(&mut self) {
        let (Some(first), Some(last)) = (self.held_bytes.first(), self.held_bytes.last()) else {
            return;
        };
        let rows = last.1.saturating_sub(first.1);
        let bytes = last.2.saturating_sub(first.2);
        let per_row = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / f64::from(rows.max(1));
        let made_of = format!("{bytes} for {rows} rows");
        let what = "bytes per row in the sampler";
        self.table
            .add_count(last.0, what, (per_row, &made_of), plan::BYTES_PER_ROW);
    }

    fn changes(&mut self) -> anyhow::Result<()> {
        self.build(CHANGED)?;
        self.candidates.show_rows();
        let (rounds, fresh_rounds) = (self.plan.change_rounds, self.plan.fresh_rounds);
        for (what, goal, connections) in [
            ("portmon poll, steady", plan::STEADY_POLL, 0),
            ("portmon poll, 10 new", plan::POLL_WITH_10_NEW, 5),
            ("portmon poll, 1000 churned", plan::POLL_WITH_CHURN, 500),
        ] {
            let change = |load: &mut Load| load.replace(connections);
            self.change(CHANGED, what, Some(goal), rounds, change)?;
        }
        let (what, goal) = (
            "portmon poll, 100 new processes",
            plan::POLL_WITH_NEW_PROCESSES,
        );
        self.change(CHANGED, what, Some(goal), fresh_rounds, Load::refresh)?;
        self.load.end_fresh();
        Ok(())
    }

    /// Adds a poll after a change of the load, next to the bare dump after the same change.
    fn change(
        &mut self,
        size: LoadSize,
        what: &str,
        goal: Option<Goal>,
        rounds: Rounds,
        change: impl Fn(&mut Load) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let installed = [Candidate::BareDump, Candidate::Portmon];
        let Self {
            load, candidates, ..
        } = self;
        let timings = rounds.run(candidates, &installed, || change(load))?;
        self.table.add(TableRow {
            size,
            what,
            time: timings.times(Candidate::Portmon),
            ratio: timings.ratios(Candidate::Portmon, Candidate::BareDump),
            goal,
        });
        Ok(())
    }
}

/// Facts about the machine and the run; `rows` are the sockets before the load was built.
fn machine_notes(plan: &BenchPlan, rows: u32) -> anyhow::Result<Vec<String>> {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let cores = std::thread::available_parallelism()?;
    let names = std::fs::read_dir("/proc")?
        .flatten()
        .map(|entry| entry.file_name());
    let processes = names.filter(|name| name.to_string_lossy().parse::<u32>().is_ok());
    let (few, many) = (plan.short_rounds, plan.long_rounds);
    let slow = many.count.div_ceil(many.slow_every);
    Ok(vec![
        format!(
            "Linux {}, {cores} cores; {rows} sockets and {} processes were there before.",
            kernel.trim(),
            processes.count()
        ),
        format!(
            "CPU time is user and system, the median of {} rounds ({} from 10,000 sockets on), {slow} for programs that read every process.",
            few.count, many.count
        ),
        "A ratio without ÷ is to the bare dump of the same round.".to_owned(),
    ])
}
