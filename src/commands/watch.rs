//! `portmon watch`: looks, tells what happened and rests, until it is ended or its time is over.

use super::{complain, demanded};
use crate::app::Setup;
use crate::cli::WatchOptions;
use crate::model::Moment;
use crate::model::snapshot::Problem;
use crate::os::eye::Eye;
use crate::os::machine;
use crate::os::sampler::STRETCH;
use crate::os::sockets::{Demand, Extent};
use crate::report::json::JsonEvent;
use crate::report::list::tell_of_bare_ports;
use crate::report::watch::{Event, Watching, text};
use jiff::tz::TimeZone;
use std::io::{self, Write};
use std::time::{Duration, Instant, SystemTime};

/// Peers and differences need every socket, whatever the filter.
const EVERYTHING: Demand = Demand {
    extent: Extent::Everything,
    with_bound: false,
};

/// Tells what happens until the time is over or nobody reads any more; signals end it as they end any program.
pub fn run(options: &WatchOptions) -> anyhow::Result<u8> {
    let setup = Setup::of(machine::facts());
    let (filter, hint) = demanded(&setup, &options.filter, options.all);
    super::complain_of_pids(setup.pids_problem.as_ref());
    let mut errors = io::stderr();
    if let Some(hint) = hint {
        complain(&mut errors, &format!("filter: {hint}"));
    }
    // Standard error may be closed; what happens is told nevertheless.
    let _ = tell_of_bare_ports(&filter.query, &mut errors);
    let mut eye = Eye::new(setup.ephemeral, options.source, EVERYTHING);
    if let Err(error) = eye.follow_closings() {
        complain(
            &mut errors,
            &format!("sockets that come and go between two looks are not told: {error}"),
        );
    }
    let watch = Watch {
        eye,
        watching: Watching::new(filter, setup.lineage.first().copied()),
        zone: TimeZone::try_system().ok(),
        as_json: options.json,
        setup,
        troubles: Vec::new(),
    };
    match watch.follow(options.interval, options.duration) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(0),
    }
}

struct Watch {
    eye: Eye,
    watching: Watching,
    setup: Setup,
    zone: Option<TimeZone>,
    as_json: bool,
    /// What could not be read at the last look and was said.
    troubles: Vec<Problem>,
}

impl Watch {
    /// The last look is at the end, so that what happened since the one before is told too.
    fn follow(mut self, interval: Duration, duration: Option<Duration>) -> io::Result<()> {
        let begun = Instant::now();
        let end = duration.map(|duration| begun + duration);
        let mut next_look = begun;
        loop {
            let now = Instant::now();
            let is_over = end.is_some_and(|end| end <= now);
            if is_over || next_look <= now {
                next_look = now + interval.max(self.look() * STRETCH);
            }
            self.tell(is_over)?;
            if is_over {
                return Ok(());
            }
            let next = [Some(next_look), self.watching.next_due(), end];
            self.eye
                .rest(next.into_iter().flatten().min().unwrap_or(next_look));
        }
    }

    /// Tells how long it took.
    fn look(&mut self) -> Duration {
        let changes = self.eye.look();
        let mut errors = io::stderr();
        if changes.problems != self.troubles {
            self.troubles.clone_from(&changes.problems);
            for problem in &self.troubles {
                complain(&mut errors, &format!("could not be read: {problem}"));
            }
        }
        if changes.missed {
            complain(&mut errors, "some short-lived sockets were missed");
        }
        let took = changes.took;
        self.watching.take_in(changes);
        took
    }

    /// Tells the events that are due, at the end all of them.
    fn tell(&mut self, is_over: bool) -> io::Result<()> {
        let now = Moment {
            instant: Instant::now(),
            wall: SystemTime::now(),
        };
        let around = self.setup.surroundings(now);
        let events = if is_over {
            self.watching.rest(&around)
        } else {
            self.watching.due(now.instant, &around)
        };
        let mut out = io::stdout().lock();
        for event in &events {
            let line = self.line(event, now)?;
            writeln!(out, "{line}")?;
            out.flush()?;
        }
        Ok(())
    }

    fn line(&self, event: &Event, now: Moment) -> io::Result<String> {
        let around = self.setup.surroundings(now);
        if self.as_json {
            let event = JsonEvent::new(event, around.ephemeral);
            serde_json::to_string(&event).map_err(io::Error::from)
        } else {
            Ok(text(event, self.zone.as_ref(), &around))
        }
    }
}
