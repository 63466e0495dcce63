//! Signals of Unix, received through tokio.
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

/// Signals that end a program by default, the most common first.
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

/// Ending signals that other systems do not have or ignore by default.
#[cfg(target_os = "linux")]
fn ending_here() -> impl Iterator<Item = c_int> {
    [libc::SIGIO, libc::SIGPWR, libc::SIGSTKFLT]
        .into_iter()
        .chain(libc::SIGRTMIN()..=libc::SIGRTMAX())
}

#[cfg(not(target_os = "linux"))]
fn ending_here() -> impl Iterator<Item = c_int> {
    std::iter::empty()
}

/// Receives the handled signals. When several wait, they come in the order of this list.
pub struct SignalStream(Vec<(ReceivedSignal, Stream)>);

impl SignalStream {
    /// From here on these signals have no effect of their own. Needs a running tokio runtime.
    pub fn new() -> io::Result<Self> {
        let ending = ENDING.into_iter().chain(ending_here()).map(|number| {
            let exit_code = u8::try_from(128 + number).unwrap_or(u8::MAX);
            (number, ReceivedSignal::End { exit_code })
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

    /// The next signal. Cancel-safe: dropped before it is ready, it has taken none.
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

/// Stops this program as Ctrl-Z in the terminal would: with its whole process group, because the shell waits for all of
/// it. Returns when it was continued, or at once where the system does not stop it: SIGTSTP is ignored, or no shell could
/// continue the group. SIGSTOP would stop it there too, for ever.
pub fn suspend() -> io::Result<()> {
    if is_ignored(libc::SIGTSTP) {
        return Ok(());
    }
    let handler = set_disposition(libc::SIGTSTP, &default_disposition())?;
    let stopped = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
    set_disposition(libc::SIGTSTP, &handler)?;
    Ok(stopped?)
}

/// Exits without waiting for any other thread, even one that holds standard output.
pub fn exit_at_once(code: u8) -> ! {
    // SAFETY: no memory is touched; the process ends in this call.
    unsafe { libc::_exit(c_int::from(code)) }
}

/// True for a signal that whoever started this program had it ignore: it stays ignored, as under nohup(1).
fn is_ignored(signal: c_int) -> bool {
    disposition(signal).is_ok_and(|action| action.sa_sigaction == libc::SIG_IGN)
}

fn default_disposition() -> libc::sigaction {
    // SAFETY: integers, an empty mask and an absent function: zeros are valid, and SIG_DFL is zero.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = libc::SIG_DFL;
    action
}

fn disposition(signal: c_int) -> io::Result<libc::sigaction> {
    exchange(signal, ptr::null())
}

/// Sets a disposition and returns the one before.
fn set_disposition(signal: c_int, action: &libc::sigaction) -> io::Result<libc::sigaction> {
    exchange(signal, action)
}

fn exchange(signal: c_int, action: *const libc::sigaction) -> io::Result<libc::sigaction> {
    let mut before = default_disposition();
    // SAFETY: `action` is null or a disposition that the system gave or that is the default; `before` is writable.
    match unsafe { libc::sigaction(signal, action, &raw mut before) } {
        0 => Ok(before),
        _ => Err(io::Error::last_os_error()),
    }
}
