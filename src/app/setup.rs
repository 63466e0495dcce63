//! What does not change while the program runs: the machine, the user and what the command line asked for.

use crate::free::FreeContext;
use crate::model::Moment;
use crate::model::ports::EphemeralRange;
use crate::model::process::Pid;
use crate::table::row::DisplayContext;
use std::time::Duration;

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line or a fact of its own"
)]
#[derive(Clone, Debug)]
pub struct Setup {
    /// The machine's name, safe to show.
    pub host: String,
    pub is_ssh: bool,
    /// Whether the program has the rights of root, whoever called it.
    pub is_root: bool,
    /// The user whose rows `mine` means; under sudo the one who called it.
    pub me: Option<u32>,
    pub home: Option<String>,
    pub ephemeral: EphemeralRange,
    /// portmon's own pid first, then its ancestors'.
    pub self_pids: Vec<Pid>,
    /// What is wrong with the pids that are shown, in a sentence.
    pub pids_problem: Option<String>,
    /// The absolute path of this portmon.
    pub executable: Option<String>,
    pub interval: Duration,
    /// The filter from the command line.
    pub filter: String,
    /// Whether the scope is wide from the start.
    pub all: bool,
    pub is_ascii: bool,
    pub has_color: bool,
    /// Whether nothing may be ended.
    pub is_read_only: bool,
}

impl Setup {
    /// What a question about a port depends on beside the table, where no row is asked about.
    pub fn context(&self, now: Moment) -> FreeContext {
        FreeContext {
            me: self.me,
            is_root: self.is_root,
            host: self.host.clone(),
            self_pids: self.self_pids.clone(),
            executable: self.executable.clone(),
            filter_names_port: false,
            is_gone: false,
            now,
            state_since: None,
        }
    }

    pub fn display_context(&self, now: Moment) -> DisplayContext<'_> {
        DisplayContext {
            now,
            home: self.home.as_deref(),
            ephemeral: self.ephemeral,
            is_ascii: self.is_ascii,
        }
    }
}
