//! The commands: each puts what it needs together, runs to its end and gives the exit code.

pub mod check;
pub mod free;
pub mod list;
pub mod monitor;
pub mod unused;
pub mod wait;
pub mod watch;

use crate::model::environment::{Environment, PidsProblem};
use crate::model::snapshot::Problem;
use crate::table::listing::{Chips, Filter};
use crate::table::query;
use crate::wording;
use std::io::{self, Write};

/// The exit code for words that were not understood, and for a command that failed.
pub const EXIT_ERROR: u8 = 2;

/// Says what is no reason to end. Standard error may be closed, and then there is nobody to tell.
fn warn(errors: &mut impl Write, words: &str) {
    let _ = writeln!(errors, "portmon: {words}");
}

/// Warns of tables that could not be read.
fn warn_about_problems(problems: &[Problem]) {
    for problem in problems {
        warn(&mut io::stderr(), &format!("could not be read: {problem}"));
    }
}

/// Warns if the pids in `/proc` are not those of portmon's PID namespace.
fn warn_about_pids(problem: Option<PidsProblem>) {
    if let Some(problem) = problem {
        warn(&mut io::stderr(), &wording::pids_problem(problem));
    }
}

/// A line on standard output; nobody reading it is no error.
fn print_line(words: &str) -> anyhow::Result<()> {
    match writeln!(io::stdout(), "{words}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// The filter of a command and a remark on its text.
fn parse_filter(environment: &Environment, text: &str, all: bool) -> (Filter, Option<String>) {
    let parsed = query::parse_finished(text);
    let filter = Filter {
        query: parsed.query.exact(),
        chips: Chips {
            all,
            ..Chips::default()
        },
        me: environment.me,
        ephemeral: environment.ephemeral,
    };
    (filter, parsed.hint)
}
