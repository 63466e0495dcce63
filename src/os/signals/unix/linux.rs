//! Signals that only Linux has (signal(7)).

use libc::c_int;

/// Returns the signals that end a program by default.
pub fn ending() -> impl Iterator<Item = c_int> {
    [libc::SIGIO, libc::SIGPWR, libc::SIGSTKFLT]
        .into_iter()
        .chain(libc::SIGRTMIN()..=libc::SIGRTMAX())
}
