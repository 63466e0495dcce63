//! Arguments of `portmon free`.

use crate::cli::values::{signal, source, timeout};
use crate::commands::port_range;
use crate::free::{PortPlan, TargetChoice, Timeouts};
use crate::model::port::PortRange;
use crate::model::process::Signal;
use crate::model::socket::SocketSource;
use anyhow::bail;
use clap::Args;
use std::time::Duration;

/// Free a port (asks first)
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[derive(Args)]
#[command(after_help = "\
Examples:
  portmon free 3000                 stop what holds port 3000 (asks first)
  portmon free 3000 --dry-run       only show what would be stopped
  portmon free 3000-3010 --yes=2    free without asking if exactly 2 are in use
  portmon free 3000 --signal KILL   send SIGKILL

Exit status (for several ports, the worst in the order 6 4 5 3 0):
  0  the port is free
  2  error
  3  the port is still held
  4  not permitted
  5  the port was taken again
  6  refused, or not confirmed
  128+n  interrupted by signal n (Ctrl-C: 130)")]
pub struct FreeArgs {
    /// Ports: 3000, 3000/udp, 127.0.0.1:5432, 3000,3001, 3000-3010
    #[arg(value_name = "TARGET", required = true, value_delimiter = ',', value_parser = port_range)]
    pub targets: Vec<PortRange>,
    /// Signal to send: TERM, INT, HUP, QUIT, KILL or CONT
    #[arg(long, default_value = "TERM", value_parser = signal)]
    pub signal: Signal,
    /// Signal every owner instead of only the topmost (a master usually stops its workers)
    #[arg(long)]
    all_holders: bool,
    /// Signal the entire process group of each topmost owner, including processes that do not hold the port
    #[arg(long, conflicts_with = "all_holders")]
    group: bool,
    /// Also signal the topmost owner's parent, which might restart it
    #[arg(long, conflicts_with_all = ["all_holders", "group"])]
    parent: bool,
    /// Send SIGKILL to whatever still holds the port after this many seconds
    #[arg(long, value_name = "SECS", allow_negative_numbers = true, value_parser = timeout)]
    force_after: Option<Duration>,
    /// Seconds to wait after the last signal before the port counts as still held
    #[arg(long, value_name = "SECS", default_value = "5", allow_negative_numbers = true, value_parser = timeout)]
    wait: Duration,
    /// Seconds the port must stay free before it counts as free [default: 2; 0.3 where nothing is known to restart it]
    #[arg(long, value_name = "SECS", allow_negative_numbers = true, value_parser = timeout)]
    settle: Option<Duration>,
    /// Show what would be signaled, and signal nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask; for a range, give the number of ports to free: --yes=3
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
    pub yes: Consent,
    /// Print one JSON object per port
    #[arg(long)]
    pub json: bool,
    #[arg(long, hide = true, value_parser = source)]
    pub source: Option<SocketSource>,
}

/// The consent that `--yes` gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Nothing: the person at the terminal is asked.
    Ask,
    Yes,
    /// To free exactly this number of ports.
    YesToCount(usize),
}

/// How long a port is watched that nothing is known to take again.
const QUICK_SETTLE: Duration = Duration::from_millis(300);

/// Values of `--yes` without a count, and of its absence.
const YES: &str = "yes";
const ASK: &str = "ask";

fn consent(text: &str) -> Result<Consent, String> {
    match (text, text.parse()) {
        (YES, _) => Ok(Consent::Yes),
        (ASK, _) => Ok(Consent::Ask),
        (_, Ok(count)) => Ok(Consent::YesToCount(count)),
        (_, Err(_)) => Err(format!("not a port count: {text:?} (try --yes=3)")),
    }
}

impl FreeArgs {
    pub fn target_choice(&self) -> TargetChoice {
        if self.all_holders {
            TargetChoice::All
        } else if self.group {
            TargetChoice::Group
        } else if self.parent {
            TargetChoice::WithParent
        } else {
            TargetChoice::Topmost
        }
    }

    /// Fails if the signals contradict each other.
    pub fn verify(&self) -> anyhow::Result<()> {
        if self.force_after.is_some() && self.signal == Signal::Kill {
            bail!("--force-after and --signal KILL both send SIGKILL: use only one of them");
        }
        Ok(())
    }

    /// Returns the timeouts for these plans, which are watched together.
    pub fn timeouts<'p>(&self, mut plans: impl Iterator<Item = &'p PortPlan>) -> Timeouts {
        let settle = || {
            if plans.all(|plan| plan.kill_plan.stays_ended(plan.targets)) {
                QUICK_SETTLE
            } else {
                Timeouts::default().settle
            }
        };
        Timeouts {
            wait_for_exit: self.wait,
            settle: self.settle.unwrap_or_else(settle),
            settle_beside_target: self.settle.unwrap_or(Timeouts::default().settle),
            force_after: self.force_after,
        }
    }
}
