//! The monitor: puts the threads, the terminal and the loop together and carries out the loop's effects.

use crate::app::{App, Effect, Event, Setup};
use crate::cli::MonitorOptions;
use crate::event_loop::{self, Machine, Sources};
use crate::model::Moment;
use crate::model::request::Request;
use crate::model::source::Source;
use crate::os::checking::{Checker, Means};
use crate::os::eye::Eye;
use crate::os::freeing::{Freer, Senses};
use crate::os::inspector::Inspector;
use crate::os::machine;
use crate::os::sampler::Sampler;
use crate::os::signals::{self, Signal, Signals};
use crate::os::sockets::{Demand, Extent};
use crate::terminal::{self, Guard, Screen};
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
    if !terminal::is_there() {
        bail!("no terminal here; for scripts: portmon list, watch, check, free, wait");
    }
    let setup = Setup {
        filter: options.filter.clone(),
        interval: options.interval,
        all: options.all,
        is_ascii: options.ascii,
        is_read_only: options.read_only,
        ..Setup::of(machine::facts())
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime to be had")?;
    let ending = watchdog::start().context("the watchdog could not be started")?;
    let code = runtime.block_on(attend(setup, options.source, ending));
    // A thread that waits in a call must not keep a program that was told to end.
    runtime.shutdown_background();
    code
}

async fn attend(setup: Setup, source: Option<Source>, ending: Receiver<u8>) -> anyhow::Result<u8> {
    // Before the terminal is taken over: from then on a signal must not end the program by itself.
    let signals = Signals::new().context("signals cannot be received")?;
    let (changes, samples) = mpsc::channel(1);
    let (kin, inspections) = mpsc::channel(4);
    let (checks, answers) = mpsc::channel(1);
    let (happenings, freeing) = mpsc::unbounded_channel();
    let request = Request::every(setup.interval);
    let ephemeral = setup.ephemeral;
    let means = Means {
        source,
        ephemeral,
        is_root: setup.is_root,
    };
    let eye = move || {
        let demand = Demand {
            extent: Extent::Everything,
            with_bound: false,
        };
        Eye::new(ephemeral, source, demand)
    };
    let looking =
        Sampler::start(request, eye, changes).context("the sampler could not be started")?;
    let guard = Guard::enter()?;
    let mut screen = Screen::of_terminal()?;
    let mut running = Running {
        sampler: looking,
        inspector: Inspector::start(kin).context("the inspector could not be started")?,
        checker: Checker::start(means, checks).context("the checker could not be started")?,
        freer: Freer::start(happenings, move || Senses::of_machine(source))
            .context("the freer could not be started")?,
        guard,
        ending,
    };
    let sources = Sources {
        signals: forward(signals),
        inspections: Some(inspections),
        answers: Some(answers),
        freeing: Some(freeing),
        samples: Some(samples),
        input: crossterm::event::EventStream::new(),
    };
    let app = App::new(
        setup,
        screen.size(),
        Moment {
            instant: Instant::now(),
            wall: SystemTime::now(),
        },
    );
    event_loop::run(app, sources, &mut running, &mut screen).await
}

/// Signals as events, so that the loop knows nothing of systems.
fn forward(mut signals: Signals) -> mpsc::Receiver<Event> {
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        loop {
            let event = match signals.next().await {
                Signal::End { exit_code } => Event::Stop(exit_code),
                Signal::Suspend => Event::Suspend,
                Signal::Continue => Event::Continued,
            };
            if sender.send(event).await.is_err() {
                return;
            }
        }
    });
    receiver
}

/// Everything outside the loop that an effect can reach.
struct Running {
    sampler: Sampler,
    inspector: Inspector,
    checker: Checker,
    freer: Freer,
    guard: Guard,
    /// Receives the exit code of a signal that ends the program.
    ending: Receiver<u8>,
}

impl Machine<Stdout> for Running {
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
            Effect::Repaint if terminal::is_in_background() => return self.suspend(),
            Effect::Repaint => {
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
            Effect::Hold(processes) => self.freer.hold(&processes),
            Effect::Free(step) => self.freer.perform(step),
            Effect::LetGo => self.freer.release(),
        }
        Ok(None)
    }

    fn is_terminal_gone(&self) -> bool {
        terminal::is_gone()
    }
}

impl Running {
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

impl Setup {
    /// The machine's part of the setup; the rest is as it is without any flag.
    pub fn of(machine: machine::Machine) -> Self {
        Self {
            host: machine.host,
            is_ssh: machine.is_ssh,
            is_root: machine.is_root,
            me: machine.me,
            home: machine.home,
            ephemeral: machine.ephemeral,
            lineage: machine.lineage,
            pids_problem: machine.pids_problem,
            executable: machine.executable.map(|path| path.display().to_string()),
            interval: Duration::from_secs(1),
            filter: String::new(),
            all: false,
            is_ascii: false,
            has_colour: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
            is_read_only: false,
        }
    }
}
