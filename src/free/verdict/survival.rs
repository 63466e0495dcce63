//! Why a process has not ended after a signal, derived from what the kernel told before and after it.

use crate::free::exec_command::{BlockedBy, SignalDisposition, SignalState};
use crate::model::process::{Pid, ProcessState, RunState, Signal};

/// Why a process has not ended after its signal, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SurvivalReason {
    /// It ignores the signal, so the kernel has dropped it.
    Ignores,
    /// It is the first process of its PID namespace and has no handler, so the kernel has dropped the signal.
    IsInit,
    /// Every thread blocks it, and none has taken it.
    Blocks,
    /// It was delivered, to a handler or to a thread that waits for it (sigwait(3), signalfd(2)).
    Took,
    /// A handler for it exists, and it is still pending.
    NotTaken,
    /// Its control group is frozen; true if it has not taken the signal.
    Frozen(bool),
    /// It is stopped by a signal; true if it has not taken this one.
    Suspended(bool),
    /// A debugger has stopped it.
    Stopped,
    /// This process traces it, and may have withheld the signal.
    Traced(Pid),
    Uninterruptible,
    /// SIGCONT ends nothing.
    Continued,
    Unknown,
}

impl SurvivalReason {
    /// Returns the reason by the last states before and after the signal; `was_resumed` if SIGCONT was sent after it.
    pub fn new(
        signal: Signal,
        before: Option<SignalState>,
        now: Option<SignalState>,
        was_resumed: bool,
    ) -> Self {
        let Some(now) = now else {
            return Self::Unknown;
        };
        if let Some(reason) = drop_reason(before, now) {
            return reason;
        }
        match now.process_state {
            Some(ProcessState::Frozen) => Self::Frozen(now.is_pending),
            Some(ProcessState::Suspended) => Self::Suspended(now.is_pending),
            Some(ProcessState::Traced) => Self::Stopped,
            _ if signal == Signal::Continue => Self::Continued,
            _ if now.is_pending && now.blocked_by == BlockedBy::Every => Self::Blocks,
            Some(ProcessState::Uninterruptible) if !is_taken(before, now) => Self::Uninterruptible,
            Some(ProcessState::Uninterruptible | ProcessState::Zombie) | None => {
                after_sending(signal, before, now, was_resumed)
            }
        }
    }

    /// Returns why a process is expected to survive the signal, by what is known before it is sent; `None` if nothing is in
    /// the way. SIGKILL wakes from all but uninterruptible sleep and, of cgroup v1, the freezer.
    pub(in crate::free) fn foreseen(of: &RunState, signal: Signal) -> Option<Self> {
        let is_kill = signal == Signal::Kill;
        match of.state {
            _ if of.drops.contains(&signal) => Some(Self::IsInit),
            Some(ProcessState::Frozen) => Some(Self::Frozen(!is_kill)),
            Some(ProcessState::Uninterruptible) => Some(Self::Uninterruptible),
            Some(ProcessState::Suspended) if signal.resumes() || signal == Signal::Continue => None,
            _ if is_kill => None,
            Some(ProcessState::Suspended) => Some(Self::Suspended(true)),
            Some(ProcessState::Traced) if of.tracer.is_none() => Some(Self::Stopped),
            Some(ProcessState::Traced | ProcessState::Zombie) | None => of.tracer.map(Self::Traced),
        }
    }

    /// True if waiting is of no use: the kernel has dropped the signal.
    pub fn is_dropped(self) -> bool {
        matches!(self, Self::Ignores | Self::IsInit)
    }
}

/// Returns why the kernel has dropped the signal. A handler that ignores further ones has taken this one, so both states
/// must say it.
fn drop_reason(before: Option<SignalState>, now: SignalState) -> Option<SurvivalReason> {
    let before = before.unwrap_or(now);
    if !before.is_dropped() || !now.is_dropped() || now.is_pending {
        return None;
    }
    Some(match now.disposition {
        SignalDisposition::DefaultOfInit => SurvivalReason::IsInit,
        _ => SurvivalReason::Ignores,
    })
}

/// True if a handler has taken the signal.
fn is_taken(before: Option<SignalState>, now: SignalState) -> bool {
    let before = before.unwrap_or(now);
    !now.is_pending && before.disposition == SignalDisposition::Caught
}

/// Returns what became of a signal that was not dropped, for a process that runs.
fn after_sending(
    signal: Signal,
    before: Option<SignalState>,
    now: SignalState,
    was_resumed: bool,
) -> SurvivalReason {
    let SignalState {
        disposition,
        blocked_by,
        ..
    } = before.unwrap_or(now);
    let is_caught = disposition == SignalDisposition::Caught;
    if now.is_pending {
        return if is_caught {
            SurvivalReason::NotTaken
        } else {
            SurvivalReason::Unknown
        };
    }
    if let Some(tracer) = now.tracer {
        return SurvivalReason::Traced(tracer);
    }
    // The kernel's own action ends a process while the signal is still pending (`complete_signal` of its `kernel/signal.c`),
    // unless it writes a core or has to be resumed first. So a thread that waits for the signal has taken it.
    let ends_at_once = matches!(
        signal,
        Signal::Terminate | Signal::Interrupt | Signal::HangUp
    );
    let is_waited_for = match disposition {
        SignalDisposition::Default => ends_at_once && !was_resumed,
        SignalDisposition::DefaultOfInit => blocked_by == BlockedBy::Every,
        SignalDisposition::Caught | SignalDisposition::Ignored => false,
    };
    if is_caught || is_waited_for {
        SurvivalReason::Took
    } else {
        SurvivalReason::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use BlockedBy::{Every, First, NotFirst};
    use SignalDisposition::{Caught, Default, DefaultOfInit, Ignored};

    fn state(disposition: SignalDisposition, blocked_by: BlockedBy) -> SignalState {
        SignalState {
            disposition,
            blocked_by,
            is_pending: false,
            tracer: None,
            process_state: None,
        }
    }

    fn pending(of: SignalState) -> SignalState {
        SignalState {
            is_pending: true,
            ..of
        }
    }

    fn reason(before: SignalState, now: SignalState) -> SurvivalReason {
        SurvivalReason::new(Signal::Terminate, Some(before), Some(now), false)
    }

    #[test]
    fn a_signal_was_delivered_once_it_is_no_longer_pending() {
        use SurvivalReason::{Blocks, Ignores, IsInit, NotTaken, Took, Unknown};
        let pairs = [
            // A handler, also one that ignores the signal from then on.
            (state(Caught, NotFirst), state(Caught, NotFirst), Took),
            (state(Caught, NotFirst), state(Ignored, NotFirst), Took),
            (state(Caught, Every), state(Caught, Every), Took),
            (
                state(Caught, NotFirst),
                pending(state(Caught, NotFirst)),
                NotTaken,
            ),
            (state(Caught, Every), pending(state(Caught, Every)), Blocks),
            // sigwait and signalfd; while it waits in sigwait, the mask does not show it.
            (state(Default, Every), state(Default, Every), Took),
            (state(Default, NotFirst), state(Default, Every), Took),
            (state(Default, NotFirst), state(Default, NotFirst), Took),
            (
                state(Default, First),
                pending(state(Default, First)),
                Unknown,
            ),
            (
                state(Default, Every),
                pending(state(Default, Every)),
                Blocks,
            ),
            // The kernel drops what is ignored, unless the first thread blocks it.
            (state(Ignored, NotFirst), state(Ignored, NotFirst), Ignores),
            (state(Ignored, NotFirst), state(Caught, NotFirst), Unknown),
            (state(Ignored, Every), state(Ignored, Every), Unknown),
            (
                state(Ignored, Every),
                pending(state(Ignored, Every)),
                Blocks,
            ),
            (
                state(Ignored, BlockedBy::Unknown),
                state(Ignored, BlockedBy::Unknown),
                Unknown,
            ),
            // The first process of a PID namespace.
            (
                state(DefaultOfInit, NotFirst),
                state(DefaultOfInit, NotFirst),
                IsInit,
            ),
            (
                state(DefaultOfInit, Every),
                state(DefaultOfInit, Every),
                Took,
            ),
            (
                state(DefaultOfInit, Every),
                pending(state(DefaultOfInit, Every)),
                Blocks,
            ),
            (
                state(DefaultOfInit, BlockedBy::Unknown),
                state(DefaultOfInit, NotFirst),
                Unknown,
            ),
        ];
        for (before, now, expected) in pairs {
            assert_eq!(reason(before, now), expected, "{before:?} {now:?}");
        }
    }

    #[test]
    fn a_process_that_does_not_run_is_said_to_be_that() {
        use ProcessState::{Frozen, Suspended, Traced, Uninterruptible};
        let of = |is_pending: bool, state: ProcessState| {
            let before = self::state(Caught, NotFirst);
            let now = SignalState {
                is_pending,
                process_state: Some(state),
                ..before
            };
            reason(before, now)
        };
        let cases = [
            (true, Frozen, SurvivalReason::Frozen(true)),
            (false, Frozen, SurvivalReason::Frozen(false)),
            (true, Suspended, SurvivalReason::Suspended(true)),
            (true, Traced, SurvivalReason::Stopped),
            (true, Uninterruptible, SurvivalReason::Uninterruptible),
            // It sleeps for a moment while it shuts down.
            (false, Uninterruptible, SurvivalReason::Took),
        ];
        for (is_pending, state, expected) in cases {
            assert_eq!(of(is_pending, state), expected, "{is_pending} {state:?}");
        }
        let frozen = SignalState {
            process_state: Some(Frozen),
            ..state(Ignored, NotFirst)
        };
        assert_eq!(reason(frozen, frozen), SurvivalReason::Ignores);
    }

    #[test]
    fn what_keeps_a_process_from_ending_is_foreseen() {
        use ProcessState::{Frozen, Suspended, Traced, Uninterruptible};
        use Signal::{Continue, Kill, Quit, Terminate};
        let id = crate::model::testing::process(812, "java").build().id;
        let plain = || RunState::plain(id);
        let in_state = |state| RunState {
            state: Some(state),
            ..plain()
        };
        let init = RunState {
            is_namespace_init: true,
            drops: vec![Terminate, Quit],
            ..plain()
        };
        let of_gdb = RunState {
            tracer: Some(Pid(99)),
            ..in_state(Traced)
        };
        let dropped = Some(SurvivalReason::IsInit);
        let asleep = Some(SurvivalReason::Uninterruptible);
        let traced = Some(SurvivalReason::Traced(Pid(99)));
        let stopped = Some(SurvivalReason::Stopped);
        let frozen = |waits| Some(SurvivalReason::Frozen(waits));
        let suspended = Some(SurvivalReason::Suspended(true));
        // After SIGTERM, SIGQUIT, SIGKILL and SIGCONT.
        let cases = [
            (plain(), [None; 4]),
            (init, [dropped, dropped, None, None]),
            (
                in_state(Frozen),
                [frozen(true), frozen(true), frozen(false), frozen(true)],
            ),
            (in_state(Uninterruptible), [asleep; 4]),
            (in_state(Suspended), [None, suspended, None, None]),
            (in_state(Traced), [stopped, stopped, None, stopped]),
            (of_gdb, [traced, traced, None, traced]),
        ];
        for (state, expected) in cases {
            let signals = [Terminate, Quit, Kill, Continue];
            let foreseen = signals.map(|signal| SurvivalReason::foreseen(&state, signal));
            assert_eq!(foreseen, expected, "{state:?}");
        }
    }

    #[test]
    fn what_a_tracer_or_the_kernel_did_is_no_handling() {
        let traced = SignalState {
            tracer: Some(Pid(77)),
            ..state(Ignored, NotFirst)
        };
        assert_eq!(reason(traced, traced), SurvivalReason::Traced(Pid(77)));
        let default = Some(state(Default, NotFirst));
        let of = |signal, was_resumed| SurvivalReason::new(signal, default, default, was_resumed);
        // It may be writing its core.
        assert_eq!(of(Signal::Quit, false), SurvivalReason::Unknown);
        assert_eq!(of(Signal::Kill, false), SurvivalReason::Unknown);
        assert_eq!(of(Signal::Terminate, true), SurvivalReason::Unknown);
        assert_eq!(of(Signal::Continue, false), SurvivalReason::Continued);
        let unread = SurvivalReason::new(Signal::Terminate, default, None, false);
        assert_eq!(unread, SurvivalReason::Unknown);
    }
}
