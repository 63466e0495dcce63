//! The monitor: puts the threads, the terminal and the loop together and carries out the loop's effects.

use crate::app::{App, Effect, Event};
use crate::cli::MonitorOptions;
use crate::config::Settings;
use crate::event_loop::{self, EffectHandler, EventChannels};
use crate::model::Moment;
use crate::model::poll_request::PollRequest;
use crate::model::socket_source::SocketSource;
use crate::os::check::{CheckContext, Checker};
use crate::os::environment;
use crate::os::free::{FreeWorker, ProbeBackend};
use crate::os::inspector::Inspector;
use crate::os::poller::SocketPoller;
use crate::os::sampler::Sampler;
use crate::os::signals::{self, ReceivedSignal, SignalStream};
use crate::os::sockets::{DumpRequest, DumpScope};
use crate::terminal::{self, Screen, TerminalGuard};
use anyhow::{Context, bail};
use std::io::{self, Stdout};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc;

mod watchdog;

/// Time in the background after which the program stops again.
const BACKGROUND: Duration = Duration::from_millis(500);

/// Runs the monitor until it is left, and tells the exit code.
pub fn run(options: &MonitorOptions) -> anyhow::Result<u8> {
    if !terminal::is_interactive() {
        bail!("no terminal here; for scripts: portmon list, watch, check, free, wait");
    }
    let settings = Settings {
        interval: options.interval,
        filter: options.filter.clone(),
        all: options.all,
        is_ascii: options.ascii,
        has_color: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        is_read_only: options.read_only,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime to be had")?;
    let ending = watchdog::start().context("the watchdog could not be started")?;
    let code = runtime.block_on(run_monitor(settings, options.source, ending));
    // A thread that waits in a call must not keep a program that was told to end.
    runtime.shutdown_background();
    code
}

async fn run_monitor(
    settings: Settings,
    source: Option<SocketSource>,
    ending: Receiver<u8>,
) -> anyhow::Result<u8> {
    // Before the terminal is taken over: from then on a signal must not end the program by itself.
    let signals = SignalStream::new().context("signals cannot be received")?;
    let (change_sender, changes) = mpsc::channel(1);
    let (inspection_sender, inspections) = mpsc::channel(4);
    let (report_sender, answers) = mpsc::channel(1);
    let (event_sender, freeing) = mpsc::unbounded_channel();
    let environment = environment::read();
    let request = PollRequest::every(settings.interval);
    let ephemeral = environment.ephemeral;
    let context = CheckContext {
        source,
        ephemeral,
        is_root: environment.is_root,
    };
    let poller = move || {
        let request = DumpRequest {
            scope: DumpScope::All,
            with_bound: false,
        };
        SocketPoller::new(ephemeral, source, request)
    };
    let sampler = Sampler::start(request, poller, change_sender)
        .context("the sampler could not be started")?;
    let guard = TerminalGuard::enter()?;
    let mut screen = Screen::of_terminal()?;
    let mut workers = Workers {
        sampler,
        inspector: Inspector::start(inspection_sender)
            .context("the inspector could not be started")?,
        checker: Checker::start(context, report_sender)
            .context("the checker could not be started")?,
        free_worker: FreeWorker::start(event_sender, move || ProbeBackend::of_system(source))
            .context("the freer could not be started")?,
        guard,
        ending,
    };
    let sources = EventChannels {
        signals: forward_signals(signals),
        inspections: Some(inspections),
        answers: Some(answers),
        freeing: Some(freeing),
        samples: Some(changes),
        input: crossterm::event::EventStream::new(),
    };
    let app = App::new(
        environment,
        settings,
        screen.size(),
        Moment {
            instant: Instant::now(),
            wall: SystemTime::now(),
        },
    );
    event_loop::run(app, sources, &mut workers, &mut screen).await
}

/// Signals as events, so that the loop knows nothing of systems.
fn forward_signals(mut signals: SignalStream) -> mpsc::Receiver<Event> {
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        loop {
            let event = match signals.next().await {
                ReceivedSignal::End { exit_code } => Event::Stop(exit_code),
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

/// Everything outside the loop that an effect can reach.
struct Workers {
    sampler: Sampler,
    inspector: Inspector,
    checker: Checker,
    free_worker: FreeWorker,
    guard: TerminalGuard,
    /// Receives the exit code of a signal that ends the program.
    ending: Receiver<u8>,
}

impl EffectHandler<Stdout> for Workers {
    fn perform(
        &mut self,
        effect: Effect,
        screen: &mut Screen<Stdout>,
    ) -> io::Result<Option<Event>> {
        match effect {
            // The loop ends with it.
            Effect::Quit(_) => {}
            Effect::Suspend => return self.suspend(),
            // Continued after SIGSTOP, but in the background.
            Effect::Redraw if terminal::is_in_background() => return self.suspend(),
            Effect::Redraw => {
                self.guard.resume()?;
                let (width, height) = crossterm::terminal::size()?;
                let resize = crossterm::event::Event::Resize(width, height);
                screen.reset(width, height)?;
                return Ok(Some(Event::Input(resize)));
            }
            Effect::Copy(text) => screen.copy(&text)?,
            Effect::Sample(request) => self.sampler.request(request),
            Effect::Inspect(subject) => self.inspector.inspect(subject),
            Effect::Check(question) => self.checker.ask(question),
            Effect::Hold(processes) => self.free_worker.open_handles(&processes),
            Effect::Free(step) => self.free_worker.perform(step),
            Effect::Release => self.free_worker.release(),
        }
        Ok(None)
    }

    fn is_terminal_gone(&self) -> bool {
        terminal::is_gone()
    }
}

impl Workers {
    /// Gives the terminal back and stops, as the shell's Ctrl-Z would; goes on here when it is continued.
    ///
    /// Continued in the background it stops again, unless that was for a signal to end it, as `kill %1` does.
    fn suspend(&mut self) -> io::Result<Option<Event>> {
        self.guard.suspend();
        loop {
            // Where the program cannot be stopped it just goes on.
            let _ = signals::suspend();
            if !terminal::is_in_background() {
                break;
            }
            if let Ok(code) = self.ending.recv_timeout(BACKGROUND) {
                return Ok(Some(Event::Stop(code)));
            }
        }
        self.guard.resume()?;
        Ok(Some(Event::Continued))
    }
}
