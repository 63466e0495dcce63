//! The emulator of a terminal: a thread reads the program's output and wakes the waiting test after every read.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use portable_pty::{Child, ExitStatus};
use vt100::{Callbacks, Parser};

use crate::harness::display::Display;
use crate::harness::terminal::Writer;

/// Time after which a test gives up waiting: longer than the slowest machine takes to start a program, since only a failing
/// test waits that long.
pub const TIMEOUT: Duration = Duration::from_mins(1);

const FRAME_END: &[u8] = b"\x1b[?2026l";

pub struct Emulator {
    state: Mutex<EmulatorState>,
    changed: Condvar,
}

pub struct EmulatorState {
    parser: Parser<TerminalRequests>,
    written: Vec<u8>,
    frames: Frames,
    last_frame: String,
    is_releasing: bool,
    reader: ReaderState,
    /// No more output can follow.
    pub is_closed: bool,
    pub exit: Option<ExitStatus>,
}

/// State of the thread that reads the program's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReaderState {
    Runs,
    /// Stops after the next output.
    Stopping,
    Stopped,
}

/// Numbers of synchronized updates.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frames {
    pub drawn: usize,
    /// Those that changed nothing on the screen.
    pub without_change: usize,
}

impl Emulator {
    pub fn start(size: (u16, u16), reader: Box<dyn Read + Send>, replies: &Writer) -> Arc<Self> {
        let (columns, rows) = (nonzero(size.0), nonzero(size.1));
        let emulator = Arc::new(Self {
            state: Mutex::new(EmulatorState {
                parser: Parser::new_with_callbacks(rows, columns, 0, TerminalRequests::default()),
                written: Vec::new(),
                frames: Frames::default(),
                last_frame: String::new(),
                is_releasing: false,
                reader: ReaderState::Runs,
                is_closed: false,
                exit: None,
            }),
            changed: Condvar::new(),
        });
        let (reading, replies) = (Arc::clone(&emulator), Arc::clone(replies));
        thread::spawn(move || reading.read(reader, &replies));
        emulator
    }

    fn read(&self, mut reader: Box<dyn Read + Send>, replies: &Writer) {
        let mut bytes = [0; 4096];
        // Linux reports the end of the program as an error, not as an end of file.
        while let Ok(count @ 1..) = reader.read(&mut bytes) {
            let reply = self.change(|state| state.take(bytes.get(..count).unwrap_or_default()));
            let mut writer = replies.lock().expect("the writer");
            // The program may have exited.
            writer.write_all(&reply).ok();
            drop(writer);
            if self.lock().is_releasing {
                break;
            }
            self.stop_if_asked();
        }
        drop(reader);
        self.change(|state| state.is_closed = true);
    }

    fn stop_if_asked(&self) {
        self.change(|state| {
            if state.reader == ReaderState::Stopping {
                state.reader = ReaderState::Stopped;
            }
        });
        let is_stopped = |state: &mut EmulatorState| state.reader == ReaderState::Stopped;
        let state = self.changed.wait_while(self.lock(), is_stopped);
        drop(state.expect("the state"));
    }

    pub fn await_exit_of(self: &Arc<Self>, mut child: Box<dyn Child + Send + Sync>) {
        let emulator = Arc::clone(self);
        thread::spawn(move || {
            let status = child.wait().expect("an exit status");
            emulator.change(|state| state.exit = Some(status));
        });
    }

    /// Waits until the state satisfies `accepts`.
    pub fn wait(&self, what: &str, accepts: impl FnMut(&EmulatorState) -> bool) {
        self.wait_for(TIMEOUT, what, accepts);
    }

    pub fn wait_for(
        &self,
        longest: Duration,
        what: &str,
        mut accepts: impl FnMut(&EmulatorState) -> bool,
    ) {
        let (state, timeout) = self
            .changed
            .wait_timeout_while(self.lock(), longest, |state| !accepts(state))
            .expect("the state");
        let display = state.display();
        let exit = state.exit.clone();
        drop(state);
        assert!(
            !timeout.timed_out(),
            "waited in vain for {what}; {exit:?}; the screen is\n{display}"
        );
    }

    pub fn resize(&self, columns: u16, lines: u16) {
        let (rows, columns) = (nonzero(lines), nonzero(columns));
        self.change(|state| state.parser.set_size(rows, columns));
    }

    /// Stops reading after the next output.
    pub fn stop_reading(&self) {
        self.change(|state| state.reader = ReaderState::Stopping);
    }

    pub fn wait_until_stopped(&self) {
        self.wait("reading to stop", |state| {
            state.reader == ReaderState::Stopped
        });
    }

    pub fn resume_reading(&self) {
        self.change(|state| state.reader = ReaderState::Runs);
    }

    /// Makes the reader close its copy of the terminal after the next output.
    pub fn release_at_next_output(&self) {
        self.change(|state| state.is_releasing = true);
    }

    pub fn display(&self) -> Display {
        self.lock().display()
    }

    pub fn written(&self) -> Vec<u8> {
        self.lock().written.clone()
    }

    pub fn frames(&self) -> Frames {
        self.lock().frames
    }

    pub fn has_exited(&self) -> bool {
        self.lock().exit.is_some()
    }

    fn change<T>(&self, change: impl FnOnce(&mut EmulatorState) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    fn lock(&self) -> MutexGuard<'_, EmulatorState> {
        self.state.lock().expect("the state")
    }
}

impl EmulatorState {
    pub fn display(&self) -> Display {
        let requests = self.parser.callbacks();
        Display::new(
            self.parser.screen().clone(),
            requests.clipboard.clone(),
            requests.is_reporting_focus,
        )
    }

    /// Shows what the program wrote and returns what the terminal answers.
    fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        for piece in bytes.split_inclusive(|byte| FRAME_END.last() == Some(byte)) {
            self.written.extend(piece);
            self.parser.process(piece);
            if self.written.ends_with(FRAME_END) {
                self.end_frame();
            }
        }
        std::mem::take(&mut self.parser.callbacks_mut().reply)
    }

    fn end_frame(&mut self) {
        let frame = self.parser.screen().state_formatted();
        self.frames.drawn += 1;
        self.frames.without_change += usize::from(frame == self.last_frame);
        self.last_frame = frame;
    }
}

/// Requests of a program to its terminal, besides text.
#[derive(Default)]
struct TerminalRequests {
    clipboard: Option<Vec<u8>>,
    is_reporting_focus: bool,
    reply: Vec<u8>,
}

impl Callbacks for TerminalRequests {
    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], base64: &[u8]) {
        self.clipboard = Some(base64.to_vec());
    }

    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        intermediate: Option<u8>,
        _: Option<u8>,
        parameters: &[&[u16]],
        last: char,
    ) {
        let reply = match (intermediate, parameters, last) {
            (None, [[6]], 'n') => {
                let (row, column) = screen.cursor_position();
                format!("\x1b[{};{}R", row + 1, column + 1)
            }
            (Some(b'?'), [[1004]], 'h' | 'l') => {
                self.is_reporting_focus = last == 'h';
                return;
            }
            (None, _, 'c') => "\x1b[?62c".to_owned(),
            _ => return,
        };
        self.reply.extend(reply.bytes());
    }
}

fn nonzero(cells: u16) -> NonZeroU16 {
    NonZeroU16::new(cells).expect("a terminal has cells")
}
