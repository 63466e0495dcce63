//! The benchmark, and the parts that its own children play.
//!
//! The program starts itself anew for everything that must be another process: who holds sockets, who only is there, and
//! who is traced. A child ends when its standard input does, so it cannot outlive the benchmark.

use crate::linux::plan::BenchPlan;
use crate::linux::table::Table;
use std::io::Write;
use std::process::ExitCode;

mod bare_dump;
mod candidates;
mod children;
mod cpu_time;
mod limits;
mod load;
mod memory;
mod notes;
mod plan;
mod portmon_poll;
mod rounds;
mod runs;
mod strace;
mod table;

#[global_allocator]
static ALLOCATOR: memory::CountingAllocator = memory::CountingAllocator;

const USAGE: &str = "cargo bench --bench sampler [-- [--quick | --large]]

  --quick   few rounds, for a look at whether it works
  --large   50,000 and 100,000 sockets too";

pub fn main(words: &[String]) -> ExitCode {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [children::HOLD, address] => children::hold(address),
        [children::IDLE] => children::idle(),
        [strace::TICKS, count] => strace::tick(count),
        words if words.contains(&"--help") => {
            println!("{USAGE}");
            Ok(())
        }
        // What `cargo test --all-targets` starts is no benchmark, and must not take minutes.
        words if !words.contains(&"--bench") => {
            println!("Run it with cargo bench --bench sampler.");
            Ok(())
        }
        words => bench(words),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be left to tell.
            let _ = writeln!(std::io::stderr(), "sampler: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench(words: &[&str]) -> anyhow::Result<()> {
    let plan = BenchPlan::of(words)?;
    limits::check(&plan)?;
    let mut table = Table::default();
    let notes = runs::run(&plan, &mut table)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{table}")?;
    for note in notes {
        writeln!(out, "{note}")?;
    }
    Ok(())
}
