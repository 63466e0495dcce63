//! Unix signals, received through tokio.
#![expect(
    unsafe_code,
    reason = "no safe crate reads or restores a disposition, or exits at once"
)]

use super::ReceivedSignal;
use libc::c_int;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::task::Poll;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_os = "macos", path = "macos.rs")]
mod extra;

/// Signals that end a program by default on every Unix, the most common first.
///
/// Missing are KILL, which cannot be caught; PIPE, which Rust ignores; and the synchronous faults (SEGV, BUS, ILL, FPE,
/// TRAP, SYS), whose handler would return to the instruction that failed.
const ENDING: [c_int; 12] = [
    libc::SIGTERM,
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGABRT,
    libc::SIGVTALRM,
    libc::SIGPROF,
    libc::SIGXCPU,
    libc::SIGXFSZ,
];

/// Stream of the handled signals. Of several that are pending, the first in this list comes first.
pub struct SignalStream(Vec<(ReceivedSignal, Stream)>);

impl SignalStream {
    /// Installs the handlers. Needs a running tokio runtime.
    pub fn new() -> io::Result<Self> {
        let ending = ENDING.into_iter().chain(extra::ending()).map(|number| {
            let exit_code = u8::try_from(128 + number).unwrap_or(u8::MAX);
            (number, ReceivedSignal::Terminate { exit_code })
        });
        let job_control = [
            (libc::SIGTSTP, ReceivedSignal::Suspend),
            (libc::SIGCONT, ReceivedSignal::Continue),
        ];
        ending
            .chain(job_control)
            .filter(|(number, _)| !is_ignored(*number))
            .map(|(number, meaning)| Ok((meaning, signal(SignalKind::from_raw(number))?)))
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// Returns the next signal. Cancel-safe: no signal is lost when the future is dropped.
    pub async fn next(&mut self) -> ReceivedSignal {
        poll_fn(|context| {
            let mut streams = self.0.iter_mut();
            let first = streams.find_map(|(meaning, stream)| {
                stream.poll_recv(context).is_ready().then_some(*meaning)
            });
            first.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// Suspends the whole process group, as Ctrl-Z does, because the shell waits for all of it.
///
/// Returns once continued, or at once where the system does not suspend it: SIGTSTP is ignored, or the group is orphaned.
/// SIGSTOP would suspend an orphaned group forever.
pub fn suspend() -> io::Result<()> {
    if is_ignored(libc::SIGTSTP) {
        return Ok(());
    }
    let default = default_disposition();
    let handler = exchange(libc::SIGTSTP, &raw const default)?;
    let stopped = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
    exchange(libc::SIGTSTP, &raw const handler)?;
    Ok(stopped?)
}

/// Exits without waiting for another thread, even one that has standard output locked.
pub fn exit_at_once(code: u8) -> ! {
    // SAFETY: no memory is touched; the process ends in this call.
    unsafe { libc::_exit(c_int::from(code)) }
}

/// True if the signal was ignored when this program started. It stays ignored, as under nohup(1).
fn is_ignored(signal: c_int) -> bool {
    exchange(signal, ptr::null()).is_ok_and(|action| action.sa_sigaction == libc::SIG_IGN)
}

fn default_disposition() -> libc::sigaction {
    // SAFETY: all fields are integers, a mask or an optional function, for which zeros are valid; SIG_DFL is zero.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = libc::SIG_DFL;
    action
}

/// Sets a disposition, unless it is null, and returns the previous one.
fn exchange(signal: c_int, action: *const libc::sigaction) -> io::Result<libc::sigaction> {
    let mut before = default_disposition();
    // SAFETY: `action` is null, the default, or a disposition returned by sigaction; `before` is writable.
    match unsafe { libc::sigaction(signal, action, &raw mut before) } {
        0 => Ok(before),
        _ => Err(io::Error::last_os_error()),
    }
}
