//! A live monitor of localhost ports: which process holds which port, what opened, changed and closed, and a safe way
//! to free a stuck one.
//!
//! # The map
//!
//! What happens arrives as an [`Event`](app::Event), what must happen leaves as an [`Effect`](app::Effect), and between
//! them are only values.
//!
//! ```text
//!  os::sampler ── Changes ──┐                                      ┌── Request ──> os::sampler
//!  os::inspector ───────────┤             ┌────────────┐           ├── Subject ──> os::inspector
//!  os::check ────────────┤             │            │           ├── Question ─> os::check
//!  os::free ── Happening ┼── Event ──> │ App::update │ ─ Effect ┼── Step ─────> os::free
//!  os::signals ─────────────┤             └─────┬──────┘           └── Copy … ───> terminal
//!  the terminal's input ────┘                   │ &App
//!                                               └──> ui::draw ──> Buffer ──> terminal::Screen
//! ```
//!
//! | module | is | knows |
//! | --- | --- | --- |
//! | [`model`] | what exists: endpoints, processes | `free` (signals, ports) |
//! | [`tracker`] | what opens, changes and closes from one poll to the next | `model` |
//! | [`free`] | freeing a port: preview, plan, confirmation, state machine, verdict | `model` |
//! | [`check`] | checking a port: findings, reasons, report | `free`, `model` |
//! | [`table`] | rows as people see them: fields, filter language, order | `model` |
//! | [`app`] | what the program is doing: keys, cursor, dialogs | `table`, `model` |
//! | [`ui`] | the app drawn into a buffer | `app`, `table`, `model` |
//! | [`os`] | the only module that touches the machine | `model` |
//! | [`report`] | commands that print | `table`, `model` |
//!
//! `model`, `table`, `app` and `ui` read no clock and no file, start no thread and know no operating system. A test
//! (`architecture_tests`) reads the sources and holds them to it.
//!
//! # How to add …
//!
//! * **a column**, a sort key, a word of the filter: an entry in [`FIELDS`](table::fields::FIELDS), and for the table a
//!   shape in `ui::columns`.
//! * **a key**: an entry in [`BINDINGS`](app::keymap::BINDINGS) and, for something new, an arm in `app::commands`.
//!   Footer, help and the README's table follow.
//! * **a colour**: a role in [`ui::theme`], and its style in each of `THEMES`.
//! * **a command**: its words in `cli`, what it does in `commands`, what it prints in [`report`].
//! * **a service name**: a line in `assets/services.tsv`.
//! * **a source of sockets**: a file in `os/sockets/` that shows each socket as a
//!   [`RawSocket`](model::raw_socket::Sighting), and its name in [`SocketSource`](model::socket_source::Source).
//!
//! # A look
//!
//! [`os::poller::SocketPoller`] brings together what knows nothing of one another. [`os::sockets`] shows every socket as the kernel
//! tells it; the [tracker](tracker) compares it with the record it has and knows what is new; [`os::owners`] finds
//! who holds that, and keeps it; [`os::processes`] describes them, once. What comes out are
//! [`Changes`](tracker::Changes). The sampler's thread does so for the screen, `watch` for its lines, `list` once,
//! and the freeing for the one port it is about.

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

use crate::cli::{EarlyExit, Options};
use crate::commands::EXIT_ERROR;
use std::io::{self, Write};

/// Does what the command line asks and gives the exit code.
pub fn run(words: impl IntoIterator<Item = std::ffi::OsString>) -> u8 {
    let outcome = match cli::parse(words) {
        Ok(Options::Monitor(options)) => commands::monitor::run(&options),
        Ok(Options::List(options)) => commands::list::run(&options),
        Ok(Options::Watch(options)) => commands::watch::run(&options),
        Ok(Options::Free(options)) => commands::free::run(&options),
        Ok(Options::Wait(options)) => commands::wait::run(&options),
        Ok(Options::Unused(options)) => commands::unused::run(&options),
        Ok(Options::Check(options)) => commands::check::run(&options),
        Err(EarlyExit::Output(text)) => write_out(&text),
        Err(EarlyExit::UsageError(line)) => Err(anyhow::anyhow!(line)),
    };
    outcome.unwrap_or_else(|error| {
        // Standard error may be closed, and there is nobody left to tell.
        let _ = writeln!(io::stderr(), "portmon: {error:#}");
        EXIT_ERROR
    })
}

fn write_out(text: &str) -> anyhow::Result<u8> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(0),
    }
}
