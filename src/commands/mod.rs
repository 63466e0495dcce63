//! The commands: each puts what it needs together, runs to its end and gives the exit code.

pub mod check;
pub mod list;
pub mod monitor;
pub mod watch;

use crate::app::Setup;
use crate::table::listing::{Chips, Filter};
use crate::table::query;

/// The exit code for words that were not understood, and for a command that failed.
pub const WRONG: u8 = 2;

/// The filter of a command and a remark on its text.
fn demanded(setup: &Setup, text: &str, all: bool) -> (Filter, Option<String>) {
    let parsed = query::parse_finished(text);
    let filter = Filter {
        query: parsed.query.exact(),
        chips: Chips {
            all,
            ..Chips::default()
        },
        me: setup.me,
        ephemeral: setup.ephemeral,
    };
    (filter, parsed.hint)
}
