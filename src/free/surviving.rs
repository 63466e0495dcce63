//! The words about a process that has not ended.

use super::observations::SignalDisposition;
use super::verdict::Survivor;
use crate::model::process::ProcessState;
use crate::model::signal::Signal;

/// `stubborn 1246 ignores SIGTERM`
pub(super) fn surviving(survivor: &Survivor) -> String {
    let Survivor {
        process,
        signal_state,
        signal,
        ..
    } = survivor;
    if let Some(missed) = &survivor.missed {
        return missed.to_string();
    }
    let process_state = signal_state.and_then(|signal_state| signal_state.process_state);
    let disposition = signal_state.map(|signal_state| signal_state.disposition);
    let resumed = if survivor.was_suspended && process_state != Some(ProcessState::Suspended) {
        " (it was stopped, so SIGCONT followed)"
    } else {
        ""
    };
    let what = match (process_state, disposition) {
        (Some(ProcessState::Traced), _) => "is stopped by a debugger".to_owned(),
        (Some(ProcessState::Suspended), _) => "is stopped".to_owned(),
        (_, Some(SignalDisposition::Ignored)) => format!("ignores {signal}"),
        (_, Some(SignalDisposition::Blocked)) => format!("blocks {signal}"),
        (Some(ProcessState::Uninterruptible), _) => {
            "waits in the kernel (state D), which no signal interrupts".to_owned()
        }
        _ if *signal == Signal::Continue => format!("runs on after {signal}"),
        (_, Some(SignalDisposition::Caught)) if *signal == Signal::HangUp => {
            format!("handles {signal}, which need not end it")
        }
        (_, Some(SignalDisposition::Caught)) => {
            format!("handles {signal} and is still shutting down")
        }
        _ => format!(
            "has not ended {} s after {signal}",
            survivor.waited.as_secs()
        ),
    };
    format!("{process} {what}{resumed}")
}
