use super::*;
use crate::app::testing::environment;
use crate::config::Settings;
use crate::model::testing::{SocketBuilder, snapshot, socket};
use crate::tracker::Tracker;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::mpsc::{self, Sender, UnboundedSender};

/// Input that a test types.
struct FakeInput(mpsc::Receiver<TerminalEvent>);

impl Stream for FakeInput {
    type Item = io::Result<TerminalEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|event| event.map(Ok))
    }
}

/// Terminal that records what is written to it, and drops a given sender at the first write.
#[derive(Clone, Default)]
struct RecordingWriter {
    bytes: Rc<RefCell<Vec<u8>>>,
    dropped_at_write: Rc<RefCell<Option<Sender<Changes>>>>,
}

impl Write for RecordingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.dropped_at_write.take();
        self.bytes.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl RecordingWriter {
    fn length(&self) -> usize {
        self.bytes.borrow().len()
    }

    /// Number of times that a text was written.
    fn count(&self, words: &str) -> usize {
        String::from_utf8_lossy(&self.bytes.borrow())
            .matches(words)
            .count()
    }
}

/// Records the effects and performs none.
#[derive(Default)]
struct RecordingHandler {
    effects: Vec<Effect>,
    is_gone: bool,
}

impl EffectHandler<RecordingWriter> for RecordingHandler {
    fn perform(
        &mut self,
        effect: Effect,
        _: &mut Screen<RecordingWriter>,
    ) -> io::Result<Option<Event>> {
        self.effects.push(effect);
        Ok(None)
    }

    fn is_terminal_gone(&self) -> bool {
        self.is_gone
    }
}

struct LoopHarness {
    samples: Sender<Changes>,
    inspections: Sender<Inspection>,
    freeing: UnboundedSender<ExecEvent>,
    answers: Sender<Box<CheckReport>>,
    signals: Sender<Event>,
    input: Sender<TerminalEvent>,
    written: RecordingWriter,
    tracker: Tracker,
}

impl LoopHarness {
    /// Advances the clock, then sends the changes of a poll with these sockets.
    async fn poll(&mut self, seconds: u64, sockets: Vec<SocketBuilder>) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        let mut snapshot = snapshot(0.0, sockets);
        snapshot.taken = snapshot.taken.at(now());
        let changes = self.tracker.apply_snapshot(snapshot);
        self.samples.send(changes).await.expect("the loop runs");
        self.settle().await;
    }

    async fn key(&self, letter: char) {
        let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
        self.input
            .send(TerminalEvent::Key(key))
            .await
            .expect("the loop runs");
        self.settle().await;
    }

    /// Returns once everything else is idle, as the clock is paused.
    async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Runs the loop beside a script and returns its exit code.
async fn run_with<F: Future<Output = ()>>(
    mut handler: RecordingHandler,
    script: impl FnOnce(LoopHarness) -> F,
) -> u8 {
    let written = RecordingWriter::default();
    let (samples_in, samples) = mpsc::channel(1);
    let (signals_in, signals) = mpsc::channel(4);
    let (input_in, input) = mpsc::channel(64);
    let (inspections_in, inspections) = mpsc::channel(1);
    let (freeing_in, freeing) = mpsc::unbounded_channel();
    let (answers_in, answers) = mpsc::channel(1);
    let sources = EventChannels {
        signals,
        inspections: Some(inspections),
        answers: Some(answers),
        freeing: Some(freeing),
        samples: Some(samples),
        input: Box::pin(FakeInput(input)),
    };
    let mut screen = Screen::new(written.clone(), (80, 24));
    let clock = crate::model::Moment {
        instant: now(),
        wall: crate::model::testing::moment(0.0).wall,
    };
    let app = App::new(environment(), Settings::default(), (80, 24), clock);
    let tracker = Tracker::new(environment().ephemeral, now());
    let harness = LoopHarness {
        samples: samples_in,
        inspections: inspections_in,
        freeing: freeing_in,
        answers: answers_in,
        signals: signals_in,
        input: input_in,
        written,
        tracker,
    };
    let (code, ()) = tokio::join!(
        run(app, sources, &mut handler, &mut screen),
        script(harness)
    );
    code.expect("the loop succeeds")
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_while_nothing_changes() {
    let code = run_with(
        RecordingHandler::default(),
        async |mut harness: LoopHarness| {
            let sockets = || {
                vec![
                    socket("127.0.0.1:3000").without_owner(),
                    socket("127.0.0.1:4000").without_owner(),
                ]
            };
            harness.poll(0, sockets()).await;
            // Without an owner a row shows how long it was watched, from a minute on in minutes.
            harness.poll(61, sockets()).await;
            let before = harness.written.length();
            for _ in 0..30 {
                harness.poll(1, sockets()).await;
            }
            assert_eq!(harness.written.length(), before);
            harness.poll(60, sockets()).await;
            assert!(
                harness.written.length() > before,
                "the age is a minute more"
            );
            harness.key('q').await;
        },
    )
    .await;
    assert_eq!(code, 0);
}

#[tokio::test(start_paused = true)]
async fn a_signal_ends_the_loop_with_its_exit_code() {
    let code = run_with(RecordingHandler::default(), async |harness: LoopHarness| {
        harness
            .signals
            .send(Event::Stop(143))
            .await
            .expect("the loop runs");
    })
    .await;
    assert_eq!(code, 143);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_input_ends_the_loop() {
    let code = run_with(RecordingHandler::default(), async |harness: LoopHarness| {
        drop(harness.input);
        harness.samples.closed().await;
    })
    .await;
    assert_eq!(code, EXIT_HANGUP);
}

#[tokio::test(start_paused = true)]
async fn a_vanished_terminal_is_noticed_at_the_next_poll() {
    let handler = RecordingHandler {
        is_gone: true,
        ..RecordingHandler::default()
    };
    let code = run_with(handler, async |mut harness: LoopHarness| {
        harness.poll(0, Vec::new()).await;
    })
    .await;
    assert_eq!(code, EXIT_HANGUP);
}

/// Report of a lost sampler.
const LOST: &str = "the socket poller stopped";

#[tokio::test(start_paused = true)]
async fn a_lost_sampler_is_reported_once_and_keys_still_work() {
    let code = run_with(
        RecordingHandler::default(),
        async |mut harness: LoopHarness| {
            harness.poll(0, Vec::new()).await;
            drop(harness.samples);
            let settled = async || tokio::time::sleep(Duration::from_millis(1)).await;
            settled().await;
            assert_eq!(harness.written.count(LOST), 1);
            for letter in ['j', 'k', 'q'] {
                let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
                let key = TerminalEvent::Key(key);
                harness.input.send(key).await.expect("the loop runs");
                settled().await;
            }
            assert_eq!(harness.written.count(LOST), 1);
        },
    )
    .await;
    assert_eq!(code, 0);
}

/// The channel is closed and empty before the loop waits for it again.
#[tokio::test(start_paused = true)]
async fn a_sampler_lost_during_a_draw_is_reported() {
    let code = run_with(
        RecordingHandler::default(),
        async |mut harness: LoopHarness| {
            harness.poll(0, Vec::new()).await;
            let (unused, _receiver) = mpsc::channel(1);
            let samples = std::mem::replace(&mut harness.samples, unused);
            harness.written.dropped_at_write.replace(Some(samples));
            let resized = TerminalEvent::Resize(90, 24);
            harness.input.send(resized).await.expect("the loop runs");
            harness.settle().await;
            assert_eq!(harness.written.count(LOST), 1);
            harness.key('q').await;
        },
    )
    .await;
    assert_eq!(code, 0);
}

/// Ends one source while the loop runs.
async fn assert_loss_is_reported(end: fn(&mut LoopHarness), report: &str) {
    let code = run_with(
        RecordingHandler::default(),
        async |mut harness: LoopHarness| {
            harness.poll(0, Vec::new()).await;
            end(&mut harness);
            harness.settle().await;
            assert_eq!(harness.written.count(report), 1, "{report}");
            harness.key('q').await;
        },
    )
    .await;
    assert_eq!(code, 0);
}

#[tokio::test(start_paused = true)]
async fn every_lost_worker_is_reported_once() {
    let inspector: fn(&mut LoopHarness) = |harness| harness.inspections = mpsc::channel(1).0;
    let free_worker: fn(&mut LoopHarness) = |harness| harness.freeing = mpsc::unbounded_channel().0;
    let checker: fn(&mut LoopHarness) = |harness| harness.answers = mpsc::channel(1).0;
    for (end, report) in [
        (inspector, "the process inspector stopped"),
        (free_worker, "the worker that frees ports stopped"),
        (checker, "the port checker stopped"),
    ] {
        assert_loss_is_reported(end, report).await;
    }
}
