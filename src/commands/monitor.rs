//! The monitor: starts the threads, takes over the terminal, runs the event loop and performs its effects.

use crate::app::{App, Effect, Event};
use crate::cli::FilterArgs;
use crate::cli::values::{interval, source};
use crate::config::Settings;
use crate::event_loop::{self, EffectHandler, EventChannels};
use crate::model::poll_request::PollRequest;
use crate::model::socket::SocketSource;
use crate::os::check::{CheckContext, Checker};
use crate::os::free::{FreeWorker, ProbeBackend, WorkerCommand};
use crate::os::inspector::Inspector;
use crate::os::poller::SocketPoller;
use crate::os::sampler::Sampler;
use crate::os::signals::{self, ReceivedSignal, SignalStream};
use crate::os::sockets::DumpScope;
use crate::os::{descriptors, environment, now};
use crate::table::query::FILTER_SYNTAX;
use crate::terminal::{self, Screen, TerminalGuard};
use anyhow::{Context, bail};
use clap::{Args, Command, CommandFactory as _};
use std::io::{self, Stdout};
use std::sync::mpsc::Receiver;
use std::time::Duration;
use tokio::sync::mpsc;

mod watchdog;

/// Descriptors that the monitor opens at most, beside handles of processes.
const DESCRIPTORS: usize = 28;

#[derive(Args)]
#[command(after_help = after_help())]
pub struct MonitorArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Poll interval in seconds, 0.1 to 3600
    #[arg(short = 'n', value_name = "SECS", default_value = "1", allow_negative_numbers = true, value_parser = interval)]
    interval: Duration,
    /// Draw with ASCII only
    #[arg(long)]
    ascii: bool,
    /// Never stop a process
    #[arg(long)]
    read_only: bool,
    #[arg(long, hide = true, value_parser = source)]
    source: Option<SocketSource>,
}

impl MonitorArgs {
    /// Returns the settings by flags; environment variables are not read here.
    pub fn settings(&self) -> anyhow::Result<Settings> {
        Ok(Settings {
            interval: self.interval,
            filter: self.filter.text()?,
            all: self.filter.all,
            is_ascii: self.ascii,
            is_read_only: self.read_only,
            ..Settings::default()
        })
    }
}

fn after_help() -> String {
    let syntax = FILTER_SYNTAX
        .iter()
        .map(|(word, meaning)| format!("  {word:<42}  {meaning}\n"));
    format!(
        "\
Examples:
  portmon                  every local endpoint, live
  portmon 62893            one port
  portmon 49152-           dynamic ports only
  portmon postgres,redis   rows with either word
  portmon -- kill          filter by a word that looks like a command

Filter words (rows must match every word; several ports are alternatives):
{}
Exit status:
  0      quit normally
  2      error
  128+n  terminated by signal n",
        syntax.collect::<String>()
    )
}

/// Time after which a program continued in the background suspends itself again.
const BACKGROUND: Duration = Duration::from_millis(500);

/// Runs the monitor until it quits.
pub fn run(options: &MonitorArgs) -> anyhow::Result<u8> {
    let settings = options.settings()?.with_variables(std::env::var_os);
    if !terminal::is_interactive() {
        let parser = super::CommandLine::command();
        let names: Vec<&str> = parser.get_subcommands().map(Command::get_name).collect();
        bail!(
            "no terminal here; for scripts: portmon {}",
            names.join(", ")
        );
    }
    if !descriptors::can_open(DESCRIPTORS) {
        bail!("too few file descriptors: the monitor needs {DESCRIPTORS} (ulimit -n)");
    }
    let runtime = watchdog::runtime().context("cannot start the async runtime")?;
    let exit_code = watchdog::start().context("cannot start the watchdog")?;
    let code = runtime.block_on(run_monitor(settings, options.source, exit_code));
    // A thread blocked in a call must not keep the process alive.
    runtime.shutdown_background();
    code
}

async fn run_monitor(
    settings: Settings,
    source: Option<SocketSource>,
    exit_code: Receiver<u8>,
) -> anyhow::Result<u8> {
    // First of all: once the terminal is taken over, a signal must not kill the process.
    let signals = SignalStream::new().context("cannot receive signals")?;
    let (change_sender, changes) = mpsc::channel(1);
    let (inspection_sender, inspections) = mpsc::channel(4);
    let (report_sender, answers) = mpsc::channel(1);
    let (event_sender, freeing) = mpsc::unbounded_channel();
    let environment = environment::read();
    let request = PollRequest::every(settings.interval);
    let ephemeral = environment.ephemeral;
    let context = CheckContext::new(&environment, source);
    let poller = move || SocketPoller::new(ephemeral, source, DumpScope::All.without_bound());
    let sampler =
        Sampler::start(request, poller, change_sender).context("cannot start the sampler")?;
    let guard = TerminalGuard::enter()?;
    let size = crossterm::terminal::size().context("cannot get the size of the terminal")?;
    let mut screen = Screen::new(io::stdout(), size);
    let mut workers = Workers {
        sampler,
        inspector: Inspector::start(inspection_sender).context("cannot start the inspector")?,
        checker: Checker::start(context, report_sender).context("cannot start the checker")?,
        free_worker: FreeWorker::start(event_sender, move || ProbeBackend::of_system(source))
            .context("cannot start the worker that frees ports")?,
        guard,
        exit_code,
    };
    let sources = EventChannels {
        signals: forward_signals(signals),
        inspections: Some(inspections),
        answers: Some(answers),
        freeing: Some(freeing),
        samples: Some(changes),
        input: Box::pin(crossterm::event::EventStream::new()),
    };
    let app = App::new(environment, settings, screen.size(), now());
    event_loop::run(app, sources, &mut workers, &mut screen).await
}

/// Turns signals into events, so that the loop does not depend on the system.
fn forward_signals(mut signals: SignalStream) -> mpsc::Receiver<Event> {
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        loop {
            let event = match signals.next().await {
                ReceivedSignal::Terminate { exit_code } => Event::Stop(exit_code),
                ReceivedSignal::Suspend => Event::Suspend,
                ReceivedSignal::Continue => Event::Continued,
            };
            if sender.send(event).await.is_err() {
                return;
            }
        }
    });
    receiver
}

/// Everything outside the app that effects act on.
struct Workers {
    sampler: Sampler,
    inspector: Inspector,
    checker: Checker,
    free_worker: FreeWorker,
    guard: TerminalGuard,
    /// Exit code of a signal that ends the program while `suspend` blocks the loop.
    exit_code: Receiver<u8>,
}

impl EffectHandler<Stdout> for Workers {
    fn perform(
        &mut self,
        effect: Effect,
        screen: &mut Screen<Stdout>,
    ) -> io::Result<Option<Event>> {
        match effect {
            // Ends the loop before it gets here.
            Effect::Quit(_) => {}
            Effect::Suspend => return self.suspend(),
            // Continued after SIGSTOP, in the background.
            Effect::Redraw if terminal::is_in_background() => return self.suspend(),
            Effect::Redraw => {
                self.guard.resume()?;
                let (width, height) = crossterm::terminal::size()?;
                // The loop resets the screen.
                let resize = crossterm::event::Event::Resize(width, height);
                return Ok(Some(Event::Input(resize)));
            }
            Effect::Copy(text) => screen.copy(&text)?,
            Effect::Sample(request) => self.sampler.request(request),
            Effect::Inspect(request) => self.inspector.inspect(request),
            Effect::Check(question) => self.checker.ask(question),
            Effect::OpenHandles(processes) => {
                self.free_worker.send(WorkerCommand::OpenHandles(processes));
            }
            Effect::Free(command) => self.free_worker.send(WorkerCommand::Perform(command)),
            Effect::CloseHandles => self.free_worker.send(WorkerCommand::Release),
        }
        Ok(None)
    }

    fn is_terminal_gone(&self) -> bool {
        terminal::is_gone()
    }
}

impl Workers {
    /// Restores the terminal and suspends the process, as Ctrl-Z in a shell; returns when it is continued.
    ///
    /// Continued in the background it suspends itself again, unless a signal ends it, as `kill %1` does.
    fn suspend(&mut self) -> io::Result<Option<Event>> {
        self.guard.suspend();
        loop {
            // Where a process cannot suspend itself, this returns at once.
            let _ = signals::suspend();
            if !terminal::is_in_background() {
                break;
            }
            if let Ok(code) = self.exit_code.recv_timeout(BACKGROUND) {
                return Ok(Some(Event::Stop(code)));
            }
        }
        self.guard.resume()?;
        Ok(Some(Event::Continued))
    }
}
