//! Terminals of Unix, by termios(3) and poll(2).

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::getpgrp;
use rustix::termios::{QueueSelector, tcflush, tcgetpgrp};
use std::io::stdin;

/// Discards input that was typed and not read yet: keys meant for something else must not answer a question.
pub fn discard_typed_ahead() {
    // Without a terminal nothing was typed.
    let _ = tcflush(stdin(), QueueSelector::IFlush);
}

/// Discards output that was written and that the terminal has not taken.
pub fn discard_unsent_output() {
    let _ = tcflush(stdin(), QueueSelector::OFlush);
}

/// True if the terminal has gone away, which no event reports.
pub fn is_gone() -> bool {
    let stdin = stdin();
    let mut watched = [PollFd::new(&stdin, PollFlags::empty())];
    let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
    poll(&mut watched, Some(&Timespec::default())).is_ok()
        && watched.iter().any(|fd| fd.revents().intersects(gone))
}

/// True if another job has the terminal. Changing its modes from the background would stop this program (SIGTTOU).
pub fn is_in_background() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|group| group != getpgrp())
}
