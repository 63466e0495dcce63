//! The benchmark and its own children.
//!
//! The program starts itself again for every process that it needs: those that hold sockets, those that do nothing and
//! the one that is traced. A child exits with its standard input, so it cannot outlive the benchmark.

use crate::linux::plan::BenchPlan;
use crate::linux::table::Table;
use std::io::Write;
use std::process::ExitCode;

mod bare_dump;
mod candidates;
mod children;
mod load;
mod measure;
mod plan;
mod rounds;
mod runs;
mod strace;
mod table;

#[global_allocator]
static ALLOCATOR: measure::CountingAllocator = measure::CountingAllocator;

const USAGE: &str = "cargo bench --bench sampler [-- [--quick | --large]]

  --quick   few rounds, to see that it works
  --large   also 50,000 and 100,000 sockets";

pub fn main(words: &[String]) -> ExitCode {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [children::HOLD, address] => children::hold(address),
        [children::IDLE] => children::idle(),
        [strace::POLL, count] => strace::poll(count),
        words if words.contains(&"--help") => {
            println!("{USAGE}");
            Ok(())
        }
        // `cargo test --all-targets` starts it too, and must not take minutes.
        words if !words.contains(&"--bench") => {
            println!("Run it with cargo bench --bench sampler.");
            Ok(())
        }
        words => bench(words),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed.
            let _ = writeln!(std::io::stderr(), "sampler: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench(words: &[&str]) -> anyhow::Result<()> {
    let plan = BenchPlan::of(words)?;
    plan::check_limits(&plan)?;
    let mut table = Table::default();
    let notes = runs::run(&plan, &mut table)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{table}")?;
    for note in notes {
        writeln!(out, "{note}")?;
    }
    Ok(())
}
