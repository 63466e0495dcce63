//! Settings: what flags and environment variables ask for.
//!
//! Must never describe the machine; that is [`Environment`](crate::model::environment::Environment).

use crate::model::Moment;
use crate::model::environment::Environment;
use crate::table::row::DisplayContext;
use std::ffi::OsString;
use std::time::Duration;

/// What the user asked the monitor for.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub interval: Duration,
    /// Filter at the start.
    pub filter: String,
    /// True if connections to other machines are shown from the start.
    pub all: bool,
    pub is_ascii: bool,
    pub has_color: bool,
    /// True if no process may be signaled.
    pub is_read_only: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            filter: String::new(),
            all: false,
            is_ascii: false,
            has_color: true,
            is_read_only: false,
        }
    }
}

impl Settings {
    /// Adds what environment variables ask for: `NO_COLOR` (<https://no-color.org>).
    pub fn with_variables(self, variable: impl Fn(&'static str) -> Option<OsString>) -> Self {
        let has_color = variable("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { has_color, ..self }
    }

    pub fn display_context<'a>(
        &self,
        environment: &'a Environment,
        now: Moment,
    ) -> DisplayContext<'a> {
        DisplayContext {
            is_ascii: self.is_ascii,
            ..DisplayContext::new(environment, now)
        }
    }
}
