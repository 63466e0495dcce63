//! Drives an app in tests: events in, effects out.

use crate::app::{App, Effect, Event};
use crate::config::Settings;
use crate::free::testing;
use crate::free::{ExecCommand, ExecResult, KillRequest, SignalError, Target};
use crate::model::environment::Environment;
use crate::model::port::{BindOutcome, EphemeralRange};
use crate::model::process::{
    InspectRequest, Inspection, Pid, Process, ProcessId, ProcessTree, Requester, Signal, Supervisor,
};
use crate::model::testing::{SocketBuilder, instant, moment, process, snapshot, socket};
use crate::tracker::{Changes, Tracker};
use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};
use std::sync::Arc;

pub fn environment() -> Environment {
    Environment {
        host: "build-07".to_owned(),
        uid: Some(1000),
        home: Some("/home/dev".to_owned()),
        ephemeral: EphemeralRange {
            first: 32768,
            last: 60999,
        },
        self_pids: vec![Pid(9000), Pid(1)],
        executable: Some("/home/dev/.cargo/bin/portmon".to_owned()),
        ..Environment::default()
    }
}

pub fn node() -> Arc<Process> {
    process(4242, "node").command("node server.js").build()
}

/// `node` listening on port 3000.
pub fn listener() -> SocketBuilder {
    socket("127.0.0.1:3000").owner(&node())
}

/// What is sent: the port, the signal and its targets.
pub fn sent(effects: &[Effect]) -> Vec<(u16, Signal, Vec<ProcessId>)> {
    let requests = effects.iter().filter_map(|effect| match effect {
        Effect::Free(ExecCommand::Send(requests)) => Some(requests),
        _ => None,
    });
    let facts = requests.flatten().map(|request| {
        let targets = request.targets().iter().map(Target::id).collect();
        (request.port().number, request.signal(), targets)
    });
    facts.collect()
}

/// The answer that the process of a request has already exited.
pub fn not_sent(request: &KillRequest) -> Event {
    let error = SignalError::AlreadyExited(node());
    Event::Freeing(testing::event(request.id(), 0.5, testing::not_sent(error)))
}

/// An inspection that found nothing.
pub fn inspection(request: InspectRequest) -> Inspection {
    Inspection {
        candidates: Vec::new(),
        request,
        described: Vec::new(),
        trees: Vec::new(),
        exit_statuses: Vec::new(),
        supervisor: Supervisor::default(),
        addresses: Vec::new(),
        unused: None,
    }
}

/// An app, the tracker that feeds it and the seconds that have passed.
pub struct AppHarness {
    pub app: App,
    tracker: Tracker,
    pub seconds: f64,
    /// True if a dialog that asks about processes is answered at once that nothing is known.
    pub answers_inspections: bool,
}

impl AppHarness {
    pub fn new(size: (u16, u16)) -> Self {
        Self::start(environment(), Settings::default(), size)
    }

    pub fn start(environment: Environment, settings: Settings, size: (u16, u16)) -> Self {
        let tracker = Tracker::new(environment.ephemeral, instant(0.0));
        Self {
            app: App::new(environment, settings, size, moment(0.0)),
            tracker,
            seconds: 0.0,
            answers_inspections: true,
        }
    }

    /// An app in a terminal of 80x24 that has polled these sockets.
    pub fn with(sockets: Vec<SocketBuilder>) -> Self {
        let mut harness = Self::new((80, 24));
        harness.poll(sockets);
        harness
    }

    /// The dialog about port 3000 of `node`, with live buttons.
    pub fn asking() -> Self {
        let mut harness = Self::with(vec![listener()]);
        harness.keys("x");
        harness.wait(1.0);
        harness
    }

    /// A poll sees these sockets.
    pub fn poll(&mut self, sockets: Vec<SocketBuilder>) -> Vec<Effect> {
        self.poll_with(sockets, |_| {})
    }

    /// A poll sees these sockets, and `change` adds more to it.
    pub fn poll_with(
        &mut self,
        sockets: Vec<SocketBuilder>,
        change: impl FnOnce(&mut Changes),
    ) -> Vec<Effect> {
        let mut changes = self.tracker.apply_snapshot(snapshot(self.seconds, sockets));
        change(&mut changes);
        self.event(Event::Sampled(changes))
    }

    pub fn wait(&mut self, seconds: f64) -> Vec<Effect> {
        self.seconds += seconds;
        self.event(Event::Due)
    }

    pub fn event(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = self.app.update(event, instant(self.seconds));
        if self.answers_inspections && last_request(&effects, Requester::Dialog).is_some() {
            let answer = self.inspection_for(&effects, Vec::new());
            effects.extend(self.event(answer));
        }
        if self.answers_inspections
            && let Some(request) = last_request(&effects, Requester::Restart)
        {
            effects.extend(self.event(Event::Inspected(inspection(request))));
        }
        while self.app.listing.is_filtering() {
            effects.extend(self.app.update(Event::Due, instant(self.seconds)));
        }
        self.app.on_drawn(instant(self.seconds), true);
        effects
    }

    pub fn key(&mut self, code: KeyCode) -> Vec<Effect> {
        self.event(Event::Input(TerminalEvent::Key(KeyEvent::new(
            code,
            KeyModifiers::NONE,
        ))))
    }

    pub fn ctrl(&mut self, letter: char) -> Vec<Effect> {
        let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        self.event(Event::Input(TerminalEvent::Key(key)))
    }

    /// Types letter by letter; returns the effects of all.
    pub fn keys(&mut self, letters: &str) -> Vec<Effect> {
        letters
            .chars()
            .flat_map(|letter| self.key(KeyCode::Char(letter)))
            .collect()
    }

    /// Answers the request for an inspection among these effects.
    pub fn answer_inspection(
        &mut self,
        effects: &[Effect],
        trees: Vec<ProcessTree>,
    ) -> Vec<Effect> {
        let answer = self.inspection_for(effects, trees);
        self.event(answer)
    }

    #[expect(clippy::unused_self, reason = "called like the other methods")]
    pub fn inspection_for(&self, effects: &[Effect], trees: Vec<ProcessTree>) -> Event {
        let request =
            last_request(effects, Requester::Dialog).expect("a request for an inspection");
        Event::Inspected(Inspection {
            trees,
            ..inspection(request)
        })
    }

    pub fn paste(&mut self, text: &str) -> Vec<Effect> {
        self.event(Event::Input(TerminalEvent::Paste(text.to_owned())))
    }

    /// Answers the question for one port with `y`.
    pub fn confirm(&mut self) -> KillRequest {
        let effects = self.keys("y");
        match effects.as_slice() {
            [Effect::Free(ExecCommand::Send(requests)), ..] if requests.len() == 1 => {
                requests[0].clone()
            }
            _ => panic!("one request: {effects:?}"),
        }
    }

    /// Frees the port under the cursor, which stays free until that counts. The dialog stays open.
    pub fn free(&mut self) {
        let request = self.free_unsettled();
        self.poll_freed(&request, 2.1);
    }

    /// Frees the port under the cursor until it is watched: its owner exits, and every bind that the app asks for succeeds.
    pub fn free_unsettled(&mut self) -> KillRequest {
        self.keys("x");
        self.wait(1.0);
        let request = self.confirm();
        self.free_event(&request, testing::sent(Vec::new()));
        let effects = self.poll_freed(&request, 0.5);
        let [Effect::Free(ExecCommand::TryBind(_, addresses))] = effects.as_slice() else {
            panic!("a bind: {effects:?}")
        };
        let bound = testing::probed(addresses, &BindOutcome::Bound, &BindOutcome::Bound);
        self.free_event(&request, bound);
        request
    }

    /// Time passes, and a poll of the port sees that its owners have exited and no socket is left.
    fn poll_freed(&mut self, request: &KillRequest, seconds: f64) -> Vec<Effect> {
        self.seconds += seconds;
        let ended = request.targets().iter().map(Target::id).collect();
        self.free_event(request, testing::polled(Vec::new(), ended))
    }

    /// The executor reports a result.
    pub fn free_event(&mut self, request: &KillRequest, result: ExecResult) -> Vec<Effect> {
        let event = testing::event(request.id(), self.seconds, result);
        self.event(Event::Freeing(event))
    }

    /// Text of the notice.
    pub fn notice(&self) -> &str {
        let notice = self.app.notice.as_ref();
        notice.map_or("", |notice| &notice.text)
    }

    /// Local address of the row under the cursor.
    pub fn cursor(&self) -> String {
        self.app
            .current_row()
            .map_or_else(String::new, |row| row.endpoint.socket.local.to_string())
    }

    /// Local addresses of the rows on the screen.
    pub fn rows(&self) -> Vec<String> {
        self.app
            .listing
            .shown_rows()
            .map(|row| row.endpoint.socket.local.to_string())
            .collect()
    }
}

/// The last request of this requester for an inspection.
pub fn last_request(effects: &[Effect], requester: Requester) -> Option<InspectRequest> {
    effects.iter().rev().find_map(|effect| match effect {
        Effect::Inspect(request) if request.requester == requester => Some(request.clone()),
        _ => None,
    })
}
