//! The words about a process that has not ended.

use super::look::Reaction;
use super::signal::Signal;
use super::verdict::Survivor;
use crate::model::process::Condition;

/// `stubborn 1246 ignores SIGTERM`
pub(super) fn surviving(survivor: &Survivor) -> String {
    let Survivor {
        process,
        conduct,
        signal,
        ..
    } = survivor;
    if let Some(missed) = &survivor.missed {
        return missed.to_string();
    }
    let condition = conduct.and_then(|conduct| conduct.condition);
    let reaction = conduct.map(|conduct| conduct.reaction);
    let woken = if survivor.was_stopped && condition != Some(Condition::Stopped) {
        " (it was stopped, so SIGCONT followed)"
    } else {
        ""
    };
    let what = match (condition, reaction) {
        (Some(Condition::Traced), _) => "is stopped by a debugger".to_owned(),
        (Some(Condition::Stopped), _) => "is stopped".to_owned(),
        (_, Some(Reaction::Ignores)) => format!("ignores {signal}"),
        (_, Some(Reaction::Blocks)) => format!("blocks {signal}"),
        (Some(Condition::Uninterruptible), _) => {
            "waits in the kernel (state D), which no signal interrupts".to_owned()
        }
        _ if *signal == Signal::Continue => format!("runs on after {signal}"),
        (_, Some(Reaction::Handles)) if *signal == Signal::HangUp => {
            format!("handles {signal}, which need not end it")
        }
        (_, Some(Reaction::Handles)) => format!("handles {signal} and is still shutting down"),
        _ => format!(
            "has not ended {} s after {signal}",
            survivor.waited.as_secs()
        ),
    };
    format!("{process} {what}{woken}")
}
