//! `portmon watch`: polls and prints events until it is stopped or `--for` is over.

use super::{parse_filter, unless_closed, warn, warn_about_pids, warn_about_problems};
use crate::cli::FilterArgs;
use crate::cli::values::{interval, run_time, source};
use crate::model::environment::Environment;
use crate::model::snapshot::Problem;
use crate::model::socket::SocketSource;
use crate::os::poller::SocketPoller;
use crate::os::sampler::BACKOFF;
use crate::os::sockets::DumpScope;
use crate::os::{environment, now};
use crate::report::json::{JsonEvent, JsonMissed};
use crate::report::watch::{WatchReporter, missed_text, text};
use crate::table::row::DisplayContext;
use crate::wording;
use clap::Args;
use jiff::tz::TimeZone;
use std::io::{self, Write};
use std::time::{Duration, Instant, SystemTime};

/// Print a line for each socket that opens, changes or closes
#[derive(Args)]
#[command(after_help = "\
Examples:
  portmon watch 5173                           changes on port 5173
  portmon watch state:listen --json --for 60   listeners as JSON, for one minute

Filter words: see portmon --help

Exit status:
  0  the time of --for is over, or the output was closed
  2  error")]
pub struct WatchArgs {
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
    /// Poll interval in seconds, 0.1 to 3600
    #[arg(short = 'n', value_name = "SECS", default_value = "1", allow_negative_numbers = true, value_parser = interval)]
    pub interval: Duration,
    /// Exit after this many seconds, 0.1 to 86400
    #[arg(long = "for", value_name = "SECS", allow_negative_numbers = true, value_parser = run_time)]
    pub run_time: Option<Duration>,
    #[arg(long, hide = true, value_parser = source)]
    source: Option<SocketSource>,
}

/// Runs until `--for` is over or the output is closed; a signal ends it as it ends any program.
pub fn run(options: &WatchArgs) -> anyhow::Result<u8> {
    let environment = environment::read();
    let (filter, hint) = parse_filter(&environment, &options.filter)?;
    warn_about_pids(environment.pids_problem);
    if let Some(hint) = hint {
        warn(&wording::filter_hint(&hint));
    }
    // Every socket, whatever the filter: peers and changes need them.
    let request = DumpScope::All.without_bound();
    let mut poller = SocketPoller::new(environment.ephemeral, options.source, request);
    if let Err(error) = poller.enable_destroy_events() {
        warn(&wording::short_lived_unseen(&error));
    }
    let watch_loop = WatchLoop {
        options,
        poller,
        reporter: WatchReporter::new(filter, environment.self_pids.first().copied()),
        zone: TimeZone::try_system().ok(),
        environment,
        reported_problems: Vec::new(),
        missed_at: None,
    };
    unless_closed(watch_loop.run()).map(|_| 0)
}

struct WatchLoop<'a> {
    options: &'a WatchArgs,
    poller: SocketPoller,
    reporter: WatchReporter,
    environment: Environment,
    zone: Option<TimeZone>,
    /// Problems of the last poll, of which each was reported once.
    reported_problems: Vec<Problem>,
    /// The poll before which short-lived sockets were missed, which is to be said.
    missed_at: Option<SystemTime>,
}

impl WatchLoop<'_> {
    /// Polls once more at the end, to catch what happened since the poll before.
    fn run(mut self) -> io::Result<()> {
        let start = Instant::now();
        let end = self.options.run_time.map(|run_time| start + run_time);
        let mut next_poll = start;
        loop {
            let now = Instant::now();
            let is_over = end.is_some_and(|end| end <= now);
            if is_over || next_poll <= now {
                let pause = self.poll() * BACKOFF;
                next_poll = now + pause.max(self.options.interval);
            }
            self.print_due(is_over)?;
            if is_over {
                return Ok(());
            }
            let others = [self.reporter.next_due(), end].into_iter().flatten();
            self.poller.wait_until(others.fold(next_poll, Instant::min));
        }
    }

    /// Returns how long the poll took.
    fn poll(&mut self) -> Duration {
        let changes = self.poller.poll();
        if changes.problems != self.reported_problems {
            self.reported_problems.clone_from(&changes.problems);
            warn_about_problems(&self.reported_problems);
        }
        if changes.missed {
            self.missed_at = Some(changes.taken.wall);
        }
        let took = changes.took;
        self.reporter.apply(changes);
        took
    }

    /// Prints the events that are due, at the end all of them.
    fn print_due(&mut self, is_over: bool) -> io::Result<()> {
        let now = now();
        let context = DisplayContext::new(&self.environment, now);
        let until = (!is_over).then_some(now.instant);
        let mut out = io::stdout().lock();
        if let Some(at) = self.missed_at.take() {
            let line = if self.options.json {
                serde_json::to_string(&JsonMissed::new(at))?
            } else {
                missed_text(at, self.zone.as_ref())
            };
            writeln!(out, "{line}")?;
        }
        for event in &self.reporter.due(until, &context) {
            let line = if self.options.json {
                serde_json::to_string(&JsonEvent::new(event, context.ephemeral))?
            } else {
                text(event, self.zone.as_ref(), &context)
            };
            writeln!(out, "{line}")?;
            out.flush()?;
        }
        Ok(())
    }
}
