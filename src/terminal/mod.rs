//! Enters the alternate screen and restores the terminal, whatever happens.
//!
//! A guard, the panic hook and every way the event loop can end restore it. Nothing here panics when the terminal is gone:
//! then there is nothing to restore.

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
use std::io::{self, IsTerminal, Write};

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod system;

pub use system::{discard_typed_ahead, is_gone, is_in_background};

/// Keeps the terminal in raw mode on the alternate screen until it is dropped.
pub struct TerminalGuard {
    is_suspended: bool,
}

impl TerminalGuard {
    /// Takes over the terminal. A panic restores it before its message is printed.
    pub fn enter() -> anyhow::Result<Self> {
        // With NO_COLOR set, crossterm drops every attribute, even the reverse video of the cursor's row. The theme
        // `plain` sets no color, so force crossterm to write all attributes.
        crossterm::style::force_color_output(true);
        enter_raw_mode().context("cannot set up the terminal")?;
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore_terminal();
            before(panic);
        }));
        Ok(Self {
            is_suspended: false,
        })
    }

    /// Restores the terminal while the program is suspended; [`resume`](Self::resume) takes it over again.
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

/// True if standard input and output are both terminals.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Discards output that the terminal does not take, and leaves raw mode. Neither blocks.
///
/// Discarding unblocks a blocked write, so the thread that writes can still restore the screen.
pub fn discard_output() {
    if !is_in_background() {
        system::discard_unsent_output();
        let _ = disable_raw_mode();
    }
}

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

/// Ignores errors: either the terminal is gone, or the next call may still work.
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
    // In the background the modes belong to the foreground job.
    if !is_in_background() {
        let _ = disable_raw_mode();
    }
}

/// Remembers what the screen shows and writes only what differs.
pub struct Screen<W: Write> {
    backend: CrosstermBackend<W>,
    shown: Buffer,
    cursor: Option<Position>,
}

impl<W: Write> Screen<W> {
    /// Returns the screen of a clear terminal.
    pub fn new(writer: W, (width, height): (u16, u16)) -> Self {
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

    /// Clears the terminal and assumes this size.
    pub fn reset(&mut self, width: u16, height: u16) -> io::Result<()> {
        self.shown = Buffer::empty(Rect::new(0, 0, width, height));
        self.cursor = None;
        queue!(self.backend, Hide, Clear(ClearType::All), MoveTo(0, 0))
    }

    /// Writes the difference as one synchronized update; no byte if there is none.
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

    /// Copies text to the clipboard of the terminal's user, over ssh too (OSC 52).
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(self.backend, CopyToClipboard::to_clipboard_from(text))
    }
}
