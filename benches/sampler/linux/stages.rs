//! Builds one load after the other and measures on each what the plan says.

use super::contestants::{Arena, Contestant};
use super::counting;
use super::load::Load;
use super::notes;
use super::ours::Ours;
use super::plan::{self, CHANGED, Plan, Size, Target};
use super::rounds::{Outcome, Rounds};
use super::strace;
use super::table::{Line, Table};

/// Looks after which a sampler holds what it goes on holding.
const SETTLED: usize = 3;

/// Measures everything and gives what is to be said beside the table.
pub fn run(plan: &Plan, table: &mut Table) -> anyhow::Result<Vec<String>> {
    let (entrants, absent): (Vec<_>, Vec<_>) = Contestant::ALL
        .into_iter()
        .partition(|one| one.is_installed());
    let absent = absent.into_iter().map(Contestant::name);
    let mut arena = Arena::new()?;
    let mut notes = notes::of(plan, arena.bare.dump()?)?;
    notes.extend(absent.map(|name| format!("{name} is not installed.")));
    let mut stages = Stages {
        plan,
        table,
        notes,
        entrants,
        load: Load::new()?,
        arena,
        weights: Vec::new(),
    };
    stages.all()?;
    Ok(stages.notes)
}

struct Stages<'a> {
    plan: &'a Plan,
    table: &'a mut Table,
    notes: Vec<String>,
    entrants: Vec<Contestant>,
    load: Load,
    arena: Arena,
    /// Rows, and the bytes a sampler holds that looked at them.
    weights: Vec<(Size, u32, usize)>,
}

impl Stages<'_> {
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

    fn build(&mut self, size: Size) -> anyhow::Result<()> {
        // A run takes minutes, and whoever waits should see that it goes on.
        eprintln!("{} sockets, {} processes …", size.sockets, size.processes);
        self.load.grow_to(size.sockets)?;
        self.load.set_processes(size.processes)
    }

    fn steady(&mut self, size: Size) -> anyhow::Result<()> {
        self.build(size)?;
        let rounds = self.plan.rounds(size);
        let outcome = rounds.run(&mut self.arena, &self.entrants, || Ok(()))?;
        for contestant in self.entrants.clone() {
            let target = (contestant == Contestant::Ours).then_some(plan::STEADY_TICK);
            let ratio = outcome.ratios(contestant, Contestant::Bare);
            self.table.add(Line {
                size,
                what: contestant.name(),
                time: outcome.times(contestant),
                ratio: ratio.filter(|_| contestant != Contestant::Bare),
                target,
            });
        }
        self.compare(size, &outcome);
        self.weigh(size)?;
        self.count_calls(size)
    }

    /// What others take as a ratio to our tick.
    fn compare(&mut self, size: Size, outcome: &Outcome) {
        let others = [
            (
                Contestant::Netstat,
                "netstat2 with pids ÷ our tick",
                plan::netstat_to_ours(size),
            ),
            (
                Contestant::Ss,
                "ss -tunap ÷ our tick",
                plan::ss_to_ours(size),
            ),
        ];
        for (other, what, target) in others.into_iter().filter(|(_, _, target)| target.is_some()) {
            // Without one, nobody measured the other.
            if let Some(ratio) = outcome.ratios(other, Contestant::Ours) {
                self.table.add(Line {
                    size,
                    what,
                    time: None,
                    ratio: Some(ratio),
                    target,
                });
            }
        }
    }

    fn count_calls(&mut self, size: Size) -> anyhow::Result<()> {
        let rows = self.arena.bare.dump()?;
        match strace::calls()? {
            Ok((count, most)) => {
                let target = plan::system_calls(rows);
                self.table
                    .add_count(size, "system calls, steady", (count, &most), target);
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
    fn weigh(&mut self, size: Size) -> anyhow::Result<()> {
        let rows = self.arena.bare.dump()?;
        let (_ours, bytes) = counting::weigh(|| {
            let mut ours = Ours::new();
            for _ in 0..SETTLED {
                ours.look();
            }
            ours
        });
        self.weights.push((size, rows, bytes));
        Ok(())
    }

    /// From the smallest load to the largest, so that what does not grow with the rows falls out.
    fn bytes_a_row(&mut self) {
        let (Some(first), Some(last)) = (self.weights.first(), self.weights.last()) else {
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
        let Plan {
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
        target: Target,
        rounds: Rounds,
        change: impl Fn(&mut Load) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let entrants = [Contestant::Bare, Contestant::Ours];
        let Self { load, arena, .. } = self;
        let outcome = rounds.run(arena, &entrants, || change(load))?;
        self.table.add(Line {
            size: CHANGED,
            what,
            time: outcome.times(Contestant::Ours),
            ratio: outcome.ratios(Contestant::Ours, Contestant::Bare),
            target: Some(target),
        });
        Ok(())
    }
}
