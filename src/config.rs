//! Settings: what flags and environment variables ask for.
//!
//! Must never describe the machine; that is [`Environment`](crate::model::environment::Environment).

use crate::model::Moment;
use crate::model::environment::Environment;
use crate::table::row::DisplayContext;
use std::ffi::OsString;
use std::time::Duration;

/// What the user asked the monitor for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub interval: Duration,
    /// Filter at the start.
    pub filter: String,
    /// True if connections to other machines are shown from the start.
    pub all: bool,
    pub is_ascii: bool,
    /// Name of the theme.
    pub theme: &'static str,
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
            theme: "auto",
            is_read_only: false,
        }
    }
}

impl Settings {
    /// Adds what environment variables ask for: `NO_COLOR` (<https://no-color.org>).
    pub fn with_variables(self, variable: impl Fn(&'static str) -> Option<OsString>) -> Self {
        match variable("NO_COLOR") {
            Some(value) if !value.is_empty() => Self {
                theme: "mono",
                ..self
            },
            _ => self,
        }
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
