//! The words of `portmon free`.

use super::EarlyExit;
use super::values::{port_ranges, source, wait_for_exit};
use crate::free::{Signal, TargetSet, Timeouts};
use crate::model::port_spec::PortRange;
use crate::model::socket_source::SocketSource;
use clap::Args;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreeOptions {
    pub targets: Vec<PortRange>,
    pub signal: Signal,
    /// Which of the holders get it.
    pub who: TargetSet,
    pub timeouts: Timeouts,
    pub consent: Consent,
    pub dry_run: bool,
    pub json: bool,
    pub source: Option<SocketSource>,
}

/// What was agreed to beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Nothing: a person is asked.
    Ask,
    Yes,
    /// That just so many ports are freed.
    YesToCount(usize),
}

/// What `--yes` stands for without a count, and its absence.
const YES: &str = "yes";
const ASK: &str = "ask";

fn consent(text: &str) -> Result<Consent, String> {
    match text {
        YES => Ok(Consent::Yes),
        ASK => Ok(Consent::Ask),
        _ => text
            .parse()
            .map(Consent::YesToCount)
            .map_err(|_| "the number of ports that are freed: --yes=3".to_owned()),
    }
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[derive(Args)]
pub(super) struct FreeArgs {
    /// Ports to free: 3000, 3000/udp, 127.0.0.1:5432, 3000,3001, 3000-3010
    #[arg(value_name = "TARGET", required = true)]
    targets: Vec<String>,
    /// The signal: TERM INT HUP QUIT KILL CONT
    #[arg(long, default_value = "TERM")]
    signal: Signal,
    /// Every holder instead of the topmost, which as a rule ends its workers
    #[arg(long)]
    all_holders: bool,
    /// The whole process group of the topmost holders, whoever of it holds the port
    #[arg(long, conflicts_with = "all_holders")]
    group: bool,
    /// SIGKILL for what still holds the port after so many seconds
    #[arg(long, value_name = "SECS", value_parser = wait_for_exit)]
    force_after: Option<Duration>,
    /// How long a port is watched after the last signal before it is said to be still held
    #[arg(long, value_name = "SECS", default_value = "5", value_parser = wait_for_exit)]
    wait: Duration,
    /// How long a free port is watched further before that counts
    #[arg(long, value_name = "SECS", default_value = "2", value_parser = wait_for_exit)]
    settle: Duration,
    /// Print what would be signalled, and signal nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask; for a range with the number of ports that are freed: --yes=3
    #[arg(
        long,
        value_name = "COUNT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = YES,
        default_value = ASK,
        hide_default_value = true,
        value_parser = consent
    )]
    yes: Consent,
    /// Print one JSON object a port
    #[arg(long)]
    json: bool,
    #[arg(long, hide = true, value_parser = source)]
    source: Option<SocketSource>,
}

impl FreeArgs {
    pub(super) fn options(self) -> Result<FreeOptions, EarlyExit> {
        let targets = port_ranges(&self.targets)?;
        self.check_force()?;
        Ok(FreeOptions {
            targets,
            signal: self.signal,
            who: if self.all_holders {
                TargetSet::All
            } else if self.group {
                TargetSet::Group
            } else {
                TargetSet::Topmost
            },
            timeouts: Timeouts {
                wait_for_exit: self.wait,
                settle: self.settle,
                force_after: self.force_after,
            },
            consent: self.yes,
            dry_run: self.dry_run,
            json: self.json,
            source: self.source,
        })
    }

    fn check_force(&self) -> Result<(), EarlyExit> {
        if self.force_after.is_some() && self.signal == Signal::Kill {
            let wrong = "--force-after sends SIGKILL, which --signal KILL sends at once: leave one of them out";
            return Err(EarlyExit::UsageError(wrong.to_owned()));
        }
        Ok(())
    }
}
