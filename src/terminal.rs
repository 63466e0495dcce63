//! Enters the terminal and leaves it as it was, whatever happens.
//!
//! Leaving is tied to a guard, to the panic hook and to every way the event loop can end. Nothing here panics when the
//! terminal is gone: then there is nothing left to restore.

use anyhow::Context;
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange,
};
use crossterm::style::ResetColor;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{clipboard::CopyToClipboard, execute, queue};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::io::{self, IsTerminal, Stdout, Write};

/// The alternate screen in raw mode, for as long as it lives.
pub struct TerminalGuard {
    is_suspended: bool,
}

impl TerminalGuard {
    /// Takes over the terminal. The panic hook gives it back before the message is printed.
    pub fn enter() -> anyhow::Result<Self> {
        // crossterm resets every attribute where NO_COLOR is set, the reverse of the cursor's row too; the plain theme
        // sets no colour, so nothing is lost by telling it to write what it is given.
        crossterm::style::force_color_output(true);
        enter_raw_mode().context("the terminal could not be set up")?;
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore_terminal();
            before(panic);
        }));
        Ok(Self {
            is_suspended: false,
        })
    }

    /// Gives the terminal back while the program is stopped; [`resume`](Self::resume) takes it over again.
    pub fn suspend(&mut self) {
        restore_terminal();
        self.is_suspended = true;
    }

    pub fn resume(&mut self) -> io::Result<()> {
        self.is_suspended = false;
        enter_raw_mode()
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        if !self.is_suspended {
            restore_terminal();
        }
    }
}

/// Whether there is a terminal at both ends.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Drops what was typed and not read yet: keys that were meant for something else must not answer a question.
#[cfg(unix)]
pub fn discard_typed_ahead() {
    // Without a terminal nothing was typed.
    let _ = rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush);
}

/// std has no way to do it on Windows.
#[cfg(not(unix))]
pub fn discard_typed_ahead() {}

/// Whether the terminal that was there has gone away, which no event tells.
#[cfg(unix)]
pub fn is_gone() -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let stdin = io::stdin();
    let mut watched = [PollFd::new(&stdin, PollFlags::empty())];
    let now = rustix::event::Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
    poll(&mut watched, Some(&now)).is_ok() && watched.iter().any(|fd| fd.revents().intersects(gone))
}

/// On Windows closing the console ends the program by itself.
#[cfg(not(unix))]
pub fn is_gone() -> bool {
    false
}

/// Whether the terminal belongs to another job. Changing its modes from there would stop this program (SIGTTOU).
#[cfg(unix)]
pub fn is_in_background() -> bool {
    let foreground = rustix::termios::tcgetpgrp(io::stdin());
    foreground.is_ok_and(|group| group != rustix::process::getpgrp())
}

/// Windows has no job control.
#[cfg(not(unix))]
pub fn is_in_background() -> bool {
    false
}

/// Discards output that the terminal does not take, and restores its modes. Neither waits for anything.
///
/// A blocked write continues where that made room, so that the blocked thread may still restore the screen.
pub fn discard_output() {
    if !is_in_background() {
        forget_output();
        let _ = disable_raw_mode();
    }
}

#[cfg(unix)]
fn forget_output() {
    let _ = rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::OFlush);
}

/// A console of Windows keeps no output back.
#[cfg(not(unix))]
fn forget_output() {}

fn enter_raw_mode() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        EnableFocusChange,
        Hide,
        Clear(ClearType::All)
    )
}

/// Errors are of no use here: either the terminal is gone, or the next call may still work.
fn restore_terminal() {
    let _ = execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        DisableFocusChange,
        DisableBracketedPaste,
        ResetColor,
        Show,
        LeaveAlternateScreen
    );
    // In the background the modes are those of the job that has the terminal.
    if !is_in_background() {
        let _ = disable_raw_mode();
    }
}

/// What is on the screen, so that only what differs is written, and nothing when nothing does.
pub struct Screen<W: Write> {
    backend: CrosstermBackend<W>,
    shown: Buffer,
    cursor: Option<Position>,
}

impl Screen<Stdout> {
    /// A screen of the terminal's size, which must be clear.
    pub fn of_terminal() -> anyhow::Result<Self> {
        let (width, height) =
            crossterm::terminal::size().context("the terminal does not tell its size")?;
        Ok(Self::new(io::stdout(), width, height))
    }
}

impl<W: Write> Screen<W> {
    pub fn new(writer: W, width: u16, height: u16) -> Self {
        let shown = Buffer::empty(Rect::new(0, 0, width, height));
        Self {
            backend: CrosstermBackend::new(writer),
            shown,
            cursor: None,
        }
    }

    pub fn size(&self) -> (u16, u16) {
        (self.shown.area.width, self.shown.area.height)
    }

    /// Takes the terminal for cleared, at this size.
    pub fn reset(&mut self, width: u16, height: u16) -> io::Result<()> {
        self.shown = Buffer::empty(Rect::new(0, 0, width, height));
        self.cursor = None;
        queue!(self.backend, Hide, Clear(ClearType::All), MoveTo(0, 0))
    }

    /// Writes what differs from what is shown, as one update that the terminal shows at once.
    pub fn show(&mut self, next: Buffer, cursor: Option<Position>) -> io::Result<()> {
        let updates = self.shown.diff(&next);
        if updates.is_empty() && cursor == self.cursor {
            return Ok(());
        }
        queue!(self.backend, BeginSynchronizedUpdate)?;
        self.backend.draw(updates.into_iter())?;
        match cursor {
            Some(position) => queue!(self.backend, MoveTo(position.x, position.y), Show)?,
            None if self.cursor.is_some() => queue!(self.backend, Hide)?,
            None => {}
        }
        queue!(self.backend, EndSynchronizedUpdate)?;
        Write::flush(&mut self.backend)?;
        (self.shown, self.cursor) = (next, cursor);
        Ok(())
    }

    /// Hands text to the clipboard of whoever looks at this terminal, over ssh too (OSC 52).
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(self.backend, CopyToClipboard::to_clipboard_from(text))
    }
}
