//! A live monitor of localhost ports: which process holds which port, what opened, changed and closed, and a safe way
//! to free a port.
//!
//! # Map
//!
//! Everything that happens is an [`Event`](app::Event), everything to be done is an [`Effect`](app::Effect). Between them
//! are only values.
//!
//! ```text
//!  os::sampler ───── Changes ─────┐                                ┌─ PollRequest ────> os::sampler
//!  os::inspector ─── Inspection ──┤             ┌─────────────┐    ├─ InspectRequest ─> os::inspector
//!  os::check ─────── CheckReport ─┼── Event ──> │ App::update │ ───┼─ CheckRequest ───> os::check
//!  os::free ──────── ExecEvent ───┤             └──────┬──────┘    ├─ ExecCommand ────> os::free
//!  os::signals, terminal input ───┘                    │ &App      └─ Copy, Redraw ───> terminal
//!                                                      └──> ui::draw ──> terminal::Screen
//! ```
//!
//! | module | does |
//! | --- | --- |
//! | [`model`] | describes sockets, processes, ports, supervisors and the environment |
//! | [`tracker`] | compares one poll with the next: opened, changed, replaced, closed |
//! | [`free`] | frees a port: preview, plan, confirmation, state machine, verdict |
//! | [`check`] | finds out why a port can or cannot be used: findings, reasons, report |
//! | [`wording`] | writes every sentence, duration and number |
//! | [`table`] | makes rows of sockets: fields, filter language, order |
//! | [`config`] | turns flags and environment variables into settings |
//! | [`app`] | handles events: keys, cursor, filter, dialogs |
//! | [`ui`] | draws the app into a buffer |
//! | [`os`] | touches the machine, and is the only module that does |
//! | [`report`] | prints what commands find: text, JSON, CSV |
//! | [`cli`], `commands` | parse the command line; put a command together and run it |
//! | [`event_loop`], [`terminal`] | await events and perform effects; own the terminal |
//!
//! Which module may use which is a table in `architecture_tests`. The pure modules (`model`, `tracker`, `free`, `check`,
//! `wording`, `table`, `app`, `ui`) use no clock, file, thread or channel. Facts come from below, words are added above:
//! no decision is read back from a text.
//!
//! # A poll
//!
//! [`SocketPoller`](os::poller::SocketPoller) polls. [`os::sockets`] reads every socket from the kernel, the [`tracker`]
//! compares them with the poll before, [`os::owners`] finds and caches the owners of new sockets, and [`os::processes`]
//! describes each owner once. The result is [`Changes`](tracker::Changes). The sampler's thread polls for the screen;
//! `watch`, `list` and freeing poll for themselves.
//!
//! # Where to look
//!
//! * **a wrong verdict**: `free::state_machine` decides it: `request_log` says what still holds the port, `evaluate` and
//!   `poll_verdict` what follows. Its sentence is in `wording::verdict`.
//! * **a wrong answer of `check`**: `check::report` puts the reasons together, from the findings that `os::check` collects.
//! * **a missing or wrong owner**: [`os::owners`]; which one of several a row shows: `topmost_first` in `model::process`.
//! * **a process that is named as `probably`**, or is not: [`os::candidates`].
//! * **a slow poll**: with many sockets [`os::sockets`]; with many processes [`os::owners`] (`pid_table`, `search`,
//!   `verification`). `cargo bench --bench sampler` shows it.
//! * **a column that is cut or missing**: `ui::table::columns` and `ui::table`.
//! * **a sentence**: [`wording`]; one of `check`: [`wording::check`]. The texts of keys and buttons stand with them, in
//!   `app::keymap::command` and the free dialog's `buttons`.
//! * **a terminal left in raw mode**: [`os::signals`], [`terminal`], the watchdog in `commands::monitor`.
//!
//! # How to add
//!
//! * **a column**, a sort key or a word of the filter: a [`Column`](table::fields::Column), its entry at the same place
//!   of [`FIELDS`](table::fields::FIELDS), its shape in `ui::table::columns`. A filter key also has a line in
//!   [`FILTER_SYNTAX`](table::query::FILTER_SYNTAX) and in the README.
//! * **a key**: a line in `app::keymap::command`, which also defines its command, and its row in the README; the compiler
//!   leads to the place that carries the command out.
//! * **a button** of the free dialog: a line among the `Button`s of `app::keymap::command`, its arm in `offer` of the
//!   dialog's `buttons` (when it is offered, its text, what it does), its row in the README.
//! * **a role** in `roles!` of [`ui::theme`] with its style without color. **A theme**: an entry in `THEMES` with the
//!   styles that differ from those; [`Settings`](config::Settings) name the one in use.
//! * **a command**: a file in `commands` with its arguments and what it does, its `mod`, its variant of `Command`, its row
//!   in the README; what it prints is in [`report`] and [`wording`].
//! * **a service name**: a line in `assets/services.tsv`.
//! * **a launcher or interpreter**, whose arguments say what WHAT shows: a line in `assets/launchers.tsv`, and a case in the
//!   tests of `table::description::program`.
//! * **a source of sockets**: a [`SocketSource`](model::socket::SocketSource), its line in `os::sockets::sources` and a
//!   file that reports each socket as a [`RawSocket`](model::socket::RawSocket).
//! * **a system**: a file beside those of the other systems, in each folder of `os` that has one file a system.
//!
//! A rule that is broken fails a test in `architecture_tests`, which names the file.
//!
//! # Glossary
//!
//! | word | meaning |
//! | --- | --- |
//! | socket, endpoint | one kernel socket; a socket with its owners, which a row shows |
//! | listener, connection, bound socket | TCP in LISTEN; a socket with a remote end; bound but not listening |
//! | owner | a process that has the socket open; *hidden* if this user may not see it |
//! | candidate | a process that probably owns a socket whose owner was not found; never an owner |
//! | poll, dump | reading the tables once; one reply of the kernel with all sockets of a table |
//! | snapshot, change | the tables at one moment; what differs between two polls |
//! | inode, cookie | the kernel's numbers of a socket; the cookie is never reused |
//! | owner hint | what a source reports about the owner: its inode or pid |
//! | process id | pid and start time, which no other process shares |
//! | supervisor | what restarts a process: a systemd unit, a container engine, a parent that respawns |
//! | target, preview, plan, confirmation | a process to be signaled; what the question shows; what would be done; the user's consent |
//! | disposition | what a process does with a signal: default, ignored, caught, blocked |
//! | verdict, outcome | what became of the port; what became of one process |
//! | bind probe, connect probe | trying a bind; trying a connect |
//! | finding, reason | one fact found; why a port cannot be used |
//! | protected | never stopped: init, kernel threads, portmon and its ancestors |
//! | history | who had a port before |

pub mod app;
pub mod check;
pub mod cli;
pub mod config;
pub mod event_loop;
pub mod free;
pub mod model;
pub mod os;
pub mod report;
pub mod table;
pub mod terminal;
pub mod tracker;
pub mod ui;
pub mod wording;

mod commands;

#[cfg(test)]
mod architecture_tests;

use crate::cli::EarlyExit;
use crate::commands::{CommandLine, EXIT_ERROR};
use std::io::{self, Write};

/// Runs the command that the command line asks for and returns the exit code.
pub fn run(words: impl IntoIterator<Item = std::ffi::OsString>) -> u8 {
    os::descriptors::raise_limit();
    let result = match cli::parse::<CommandLine>(words) {
        Ok(command_line) => command_line.run(),
        Err(EarlyExit::Output(text)) => commands::print(&text).map(|()| 0),
        Err(EarlyExit::UsageError(line)) => Err(anyhow::Error::msg(line)),
    };
    result.unwrap_or_else(|error| {
        // Standard error may be closed.
        let _ = writeln!(io::stderr(), "portmon: {error:#}");
        EXIT_ERROR
    })
}
