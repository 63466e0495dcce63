//! `portmon watch`: looks, tells what happened and rests, until it is ended or its time is over.

use super::{parse_filter, warn};
use crate::cli::WatchOptions;
use crate::model::Moment;
use crate::model::environment::Environment;
use crate::model::snapshot::Problem;
use crate::os::environment;
use crate::os::poller::SocketPoller;
use crate::os::sampler::BACKOFF;
use crate::os::sockets::{DumpRequest, DumpScope};
use crate::report::json::JsonEvent;
use crate::report::list::warn_bare_ports;
use crate::report::watch::{SocketEvent, WatchReporter, text};
use crate::table::row::DisplayContext;
use jiff::tz::TimeZone;
use std::io::{self, Write};
use std::time::{Duration, Instant, SystemTime};

/// Peers and differences need every socket, whatever the filter.
const ALL_SOCKETS: DumpRequest = DumpRequest {
    scope: DumpScope::All,
    with_bound: false,
};

/// Tells what happens until the time is over or nobody reads any more; signals end it as they end any program.
pub fn run(options: &WatchOptions) -> anyhow::Result<u8> {
    let environment = environment::read();
    let (filter, hint) = parse_filter(&environment, &options.filter, options.all);
    super::warn_about_pids(environment.pids_problem);
    let mut errors = io::stderr();
    if let Some(hint) = hint {
        warn(&mut errors, &format!("filter: {hint}"));
    }
    // Standard error may be closed; what happens is told nevertheless.
    let _ = warn_bare_ports(&filter.query, &mut errors);
    let mut poller = SocketPoller::new(environment.ephemeral, options.source, ALL_SOCKETS);
    if let Err(error) = poller.enable_destroy_events() {
        warn(
            &mut errors,
            &format!("sockets that come and go between two looks are not told: {error}"),
        );
    }
    let watch_loop = WatchLoop {
        poller,
        reporter: WatchReporter::new(filter, environment.self_pids.first().copied()),
        zone: TimeZone::try_system().ok(),
        as_json: options.json,
        environment,
        reported_problems: Vec::new(),
    };
    match watch_loop.run(options.interval, options.duration) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(0),
    }
}

struct WatchLoop {
    poller: SocketPoller,
    reporter: WatchReporter,
    environment: Environment,
    zone: Option<TimeZone>,
    as_json: bool,
    /// What could not be read at the last look and was said.
    reported_problems: Vec<Problem>,
}

impl WatchLoop {
    /// The last look is at the end, so that what happened since the one before is told too.
    fn run(mut self, interval: Duration, duration: Option<Duration>) -> io::Result<()> {
        let begun = Instant::now();
        let end = duration.map(|duration| begun + duration);
        let mut next_poll = begun;
        loop {
            let now = Instant::now();
            let is_over = end.is_some_and(|end| end <= now);
            if is_over || next_poll <= now {
                next_poll = now + interval.max(self.poll() * BACKOFF);
            }
            self.print_due(is_over)?;
            if is_over {
                return Ok(());
            }
            let next = [Some(next_poll), self.reporter.next_due(), end];
            self.poller
                .wait_until(next.into_iter().flatten().min().unwrap_or(next_poll));
        }
    }

    /// Tells how long it took.
    fn poll(&mut self) -> Duration {
        let changes = self.poller.poll();
        let mut errors = io::stderr();
        if changes.problems != self.reported_problems {
            self.reported_problems.clone_from(&changes.problems);
            for problem in &self.reported_problems {
                warn(&mut errors, &format!("could not be read: {problem}"));
            }
        }
        if changes.missed {
            warn(&mut errors, "some short-lived sockets were missed");
        }
        let took = changes.took;
        self.reporter.apply(changes);
        took
    }

    /// Tells the events that are due, at the end all of them.
    fn print_due(&mut self, is_over: bool) -> io::Result<()> {
        let now = Moment {
            instant: Instant::now(),
            wall: SystemTime::now(),
        };
        let context = DisplayContext::new(&self.environment, now);
        let events = if is_over {
            self.reporter.flush(&context)
        } else {
            self.reporter.due(now.instant, &context)
        };
        let mut out = io::stdout().lock();
        for event in &events {
            let line = self.format_event(event, now)?;
            writeln!(out, "{line}")?;
            out.flush()?;
        }
        Ok(())
    }

    fn format_event(&self, event: &SocketEvent, now: Moment) -> io::Result<String> {
        let context = DisplayContext::new(&self.environment, now);
        if self.as_json {
            let event = JsonEvent::new(event, context.ephemeral);
            serde_json::to_string(&event).map_err(io::Error::from)
        } else {
            Ok(text(event, self.zone.as_ref(), &context))
        }
    }
}
