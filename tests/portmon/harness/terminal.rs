//! A terminal with a program in it: tests press keys and read the screen.
//!
//! Nothing here sleeps until something has happened: a wait has a condition, which is checked after every output.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use portable_pty::{MasterPty, PtyPair, PtySize, native_pty_system};
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{Action, tcflow};

use crate::harness::display::Display;
use crate::harness::emulator::{Emulator, Frames, TIMEOUT};
use crate::harness::launch::Launch;

pub type Writer = Arc<Mutex<Box<dyn Write + Send>>>;

pub struct Terminal {
    /// `None` once the terminal is gone.
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Writer,
    emulator: Arc<Emulator>,
    pid: Pid,
    modes_before: String,
}

impl Terminal {
    /// Starts portmon in 80x24, polling five times a second.
    pub fn portmon(arguments: &[&str]) -> Self {
        Self::start(Launch::portmon(arguments))
    }

    pub fn start(start: Launch) -> Self {
        let PtyPair { master, slave } = native_pty_system()
            .openpty(pty_size(start.columns, start.lines))
            .expect("a pseudo-terminal");
        let modes_before = modes(&*master);
        let child = slave.spawn_command(start.command()).expect(start.program);
        // A copy of the slave here would keep the reader running.
        drop(slave);

        let pid = child.process_id().and_then(|id| i32::try_from(id).ok());
        let writer: Writer = Arc::new(Mutex::new(master.take_writer().expect("a writer")));
        let reader = master.try_clone_reader().expect("a reader");
        let emulator = Emulator::start((start.columns, start.lines), reader, &writer);
        emulator.await_exit_of(child);
        Self {
            master: Some(master),
            writer,
            emulator,
            pid: pid.and_then(Pid::from_raw).expect("a pid"),
            modes_before,
        }
    }

    pub fn keys(&self, keys: &str) {
        let mut writer = self.writer.lock().expect("the writer");
        writer.write_all(keys.as_bytes()).expect("keys are taken");
        writer.flush().expect("keys are taken");
    }

    /// Types with a pause after each key, for tests of the pause.
    pub fn type_slowly(&self, keys: &str, pause: Duration) {
        for key in keys.chars() {
            self.keys(&key.to_string());
            thread::sleep(pause);
        }
    }

    /// Pastes as a terminal does, once the program has asked for bracketed paste.
    pub fn paste(&self, text: &str) {
        self.wait_for("bracketed paste", Display::is_bracketing_pastes);
        self.keys(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Reports the focus, once the program has asked for reports.
    pub fn focus(&self, is_here: bool) {
        self.wait_for("focus reports", Display::is_reporting_focus);
        self.keys(if is_here { "\x1b[I" } else { "\x1b[O" });
    }

    /// Presses `key` as soon as `button` is in the dialog and not dim.
    pub fn press_when_armed(&self, button: &str, key: &str) {
        let what = format!("{button:?} to be armed");
        self.wait_for(&what, |display| display.is_armed(button));
        self.keys(key);
    }

    pub fn resize(&self, columns: u16, lines: u16) {
        // The emulator first: the program may draw at once.
        self.emulator.resize(columns, lines);
        self.master()
            .resize(pty_size(columns, lines))
            .expect("a resize");
    }

    pub fn display(&self) -> Display {
        self.emulator.display()
    }

    /// All output of the program, with its escape sequences.
    pub fn written(&self) -> Vec<u8> {
        self.emulator.written()
    }

    pub fn frames(&self) -> Frames {
        self.emulator.frames()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).expect("the program runs");
    }

    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// The foreground process group.
    pub fn foreground(&self) -> Pid {
        let group = self.master().process_group_leader();
        group.and_then(Pid::from_raw).expect("a foreground group")
    }

    /// Stops output by flow control, as a hung line does: from now on a write blocks.
    pub fn stop_output(&self) {
        tcflow(self.slave(), Action::OOff).expect("output is stopped");
    }

    /// Stops reading and fills the terminal: from now on a write blocks, until [`resume_reading`](Self::resume_reading).
    pub fn stop_reading(&self) {
        let mut slave = self.slave();
        self.emulator.stop_reading();
        slave.write_all(b"x").expect("a first output");
        self.emulator.wait_until_stopped();
        loop {
            match slave.write(&[b'x'; 4096]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub fn resume_reading(&self) {
        self.emulator.resume_reading();
    }

    /// The program's side of the terminal, opened without blocking.
    fn slave(&self) -> File {
        let path = self.master().tty_name().expect("the name of the terminal");
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
        let flags = i32::try_from(flags).expect("flags");
        let mut options = OpenOptions::new();
        options.write(true).custom_flags(flags);
        options.open(&path).expect("the terminal can be opened")
    }

    /// Waits for a display that satisfies `accepts`, and returns it.
    pub fn wait_for(&self, what: &str, accepts: impl Fn(&Display) -> bool) -> Display {
        let mut found = None;
        self.emulator.wait(what, |state| {
            found = Some(state.display()).filter(|display| accepts(display));
            found.is_some()
        });
        found.expect("waited for")
    }

    /// Waits for the exit of the program, whether or not its output was read.
    pub fn wait_for_end(&self) {
        self.emulator
            .wait("the end of the program", |state| state.exit.is_some());
    }

    /// Waits for the exit of the program and for the last of its output.
    pub fn wait_for_exit(&self) -> u32 {
        let mut exit = None;
        self.emulator.wait("the end of the program", |state| {
            exit = state.exit.clone().filter(|_| state.is_closed);
            exit.is_some()
        });
        let exit = exit.expect("waited for");
        assert_eq!(exit.signal(), None, "{}", self.display());
        exit.exit_code()
    }

    /// Asserts that the terminal is as it was before the program ran.
    pub fn assert_restored(&self) {
        let display = self.display();
        assert_eq!(display.leftovers(), Vec::<&str>::new(), "{display}");
        self.assert_modes_restored();
    }

    /// Asserts that the modes of the tty are as before, whatever the screen shows.
    pub fn assert_modes_restored(&self) {
        assert_eq!(modes(self.master()), self.modes_before, "modes of the tty");
    }

    /// Asserts that the program has changed the terminal: otherwise [`assert_restored`](Self::assert_restored) proves nothing.
    pub fn assert_raw(&self) {
        assert_ne!(self.display().leftovers(), Vec::<&str>::new());
        assert_ne!(modes(self.master()), self.modes_before, "modes of the tty");
    }

    /// Closes the terminal, as closing its window does, and waits for the exit of the program.
    pub fn hang_up(mut self) {
        let (columns, lines) = self.display().size();
        self.emulator.release_at_next_output();
        self.resize(columns - 1, lines);
        self.emulator.wait("some output", |state| state.is_closed);
        *self.writer.lock().expect("the writer") = Box::new(io::sink());
        self.master = None;
        // A child that another test forked while the terminal was opened has it open as well, until that test is over.
        self.emulator
            .wait_for(TIMEOUT * 4, "the end without a terminal", |state| {
                state.exit.is_some()
            });
    }

    fn master(&self) -> &dyn MasterPty {
        self.master.as_deref().expect("the terminal is there")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The program is not reaped before its exit is known, so the pid is still its own.
        if !self.emulator.has_exited() {
            kill_process(self.pid, Signal::KILL).ok();
        }
    }
}

fn pty_size(columns: u16, lines: u16) -> PtySize {
    PtySize {
        rows: lines,
        cols: columns,
        ..PtySize::default()
    }
}

/// All settings of the line discipline, as text.
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}
