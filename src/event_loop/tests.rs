use super::*;
use crate::app::testing::setup;
use crate::model::testing::{SocketBuilder, snapshot, socket};
use crate::model::tracker::Tracker;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::mpsc::{self, Sender, UnboundedSender};

/// Input that a test types.
struct Typed(mpsc::Receiver<TerminalEvent>);

impl Stream for Typed {
    type Item = io::Result<TerminalEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|event| event.map(Ok))
    }
}

/// A terminal that keeps what is written to it, and at a write lets go of a sender that was handed to it.
#[derive(Clone, Default)]
struct Paper {
    bytes: Rc<RefCell<Vec<u8>>>,
    dropped_at_write: Rc<RefCell<Option<Sender<Changes>>>>,
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.dropped_at_write.take();
        self.bytes.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn length(&self) -> usize {
        self.bytes.borrow().len()
    }

    /// How many times these words were written.
    fn count(&self, words: &str) -> usize {
        String::from_utf8_lossy(&self.bytes.borrow())
            .matches(words)
            .count()
    }
}

/// Notes the effects and carries out none.
#[derive(Default)]
struct Noted {
    effects: Vec<Effect>,
    is_gone: bool,
}

impl Machine<Paper> for Noted {
    fn perform(&mut self, effect: Effect, _: &mut Screen<Paper>) -> io::Result<Option<Event>> {
        self.effects.push(effect);
        Ok(None)
    }

    fn is_terminal_gone(&self) -> bool {
        self.is_gone
    }
}

struct Wires {
    samples: Sender<Changes>,
    inspections: Sender<Inspection>,
    freeing: UnboundedSender<Happening>,
    answers: Sender<Box<Answer>>,
    signals: Sender<Event>,
    input: Sender<TerminalEvent>,
    written: Paper,
    tracker: Tracker,
}

impl Wires {
    /// So many seconds pass, and a look sees these sockets.
    async fn look(&mut self, seconds: u64, sockets: Vec<SocketBuilder>) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        let mut look = snapshot(0.0, sockets);
        look.taken = look.taken.at(now());
        let changes = self.tracker.absorb(look);
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

    /// Under paused time this returns when everything else has nothing left to do.
    async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Runs the loop beside a script until it ends, and gives its exit code.
async fn run_with<F: Future<Output = ()>>(
    mut machine: Noted,
    script: impl FnOnce(Wires) -> F,
) -> u8 {
    let written = Paper::default();
    let (samples_in, samples) = mpsc::channel(1);
    let (signals_in, signals) = mpsc::channel(4);
    let (input_in, input) = mpsc::channel(64);
    let (inspections_in, inspections) = mpsc::channel(1);
    let (freeing_in, freeing) = mpsc::unbounded_channel();
    let (answers_in, answers) = mpsc::channel(1);
    let sources = Sources {
        signals,
        inspections: Some(inspections),
        answers: Some(answers),
        freeing: Some(freeing),
        samples: Some(samples),
        input: Typed(input),
    };
    let mut screen = Screen::new(written.clone(), 80, 24);
    let clock = crate::model::Moment {
        instant: now(),
        wall: crate::model::testing::moment(0.0).wall,
    };
    let app = App::new(setup(), (80, 24), clock);
    let tracker = Tracker::new(setup().ephemeral, now());
    let wires = Wires {
        samples: samples_in,
        inspections: inspections_in,
        freeing: freeing_in,
        answers: answers_in,
        signals: signals_in,
        input: input_in,
        written,
        tracker,
    };
    let (code, ()) = tokio::join!(run(app, sources, &mut machine, &mut screen), script(wires));
    code.expect("the loop ends well")
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_while_nothing_changes() {
    let code = run_with(Noted::default(), async |mut wires: Wires| {
        let sockets = || {
            vec![
                socket("127.0.0.1:3000").without_owner(),
                socket("127.0.0.1:4000").without_owner(),
            ]
        };
        wires.look(0, sockets()).await;
        // Without an owner a row shows how long it was watched; from a minute on that changes once a minute.
        wires.look(61, sockets()).await;
        let before = wires.written.length();
        for _ in 0..30 {
            wires.look(1, sockets()).await;
        }
        assert_eq!(wires.written.length(), before);
        wires.look(60, sockets()).await;
        assert!(wires.written.length() > before, "the age grew by a minute");
        wires.key('q').await;
    })
    .await;
    assert_eq!(code, 0);
}

#[tokio::test(start_paused = true)]
async fn a_signal_ends_it_with_its_code() {
    let code = run_with(Noted::default(), async |wires: Wires| {
        wires
            .signals
            .send(Event::Stop(143))
            .await
            .expect("the loop runs");
    })
    .await;
    assert_eq!(code, 143);
}

#[tokio::test(start_paused = true)]
async fn input_that_ends_ends_the_program() {
    let code = run_with(Noted::default(), async |wires: Wires| {
        drop(wires.input);
        wires.samples.closed().await;
    })
    .await;
    assert_eq!(code, HANGUP);
}

#[tokio::test(start_paused = true)]
async fn a_terminal_that_went_away_is_noticed_at_the_next_look() {
    let machine = Noted {
        is_gone: true,
        ..Noted::default()
    };
    let code = run_with(machine, async |mut wires: Wires| {
        wires.look(0, Vec::new()).await;
    })
    .await;
    assert_eq!(code, HANGUP);
}

/// What is said of the sampler that ended.
const LOST: &str = "the look at the sockets ended";

#[tokio::test(start_paused = true)]
async fn a_sampler_that_ends_is_said_once_and_the_keys_go_on() {
    let code = run_with(Noted::default(), async |mut wires: Wires| {
        wires.look(0, Vec::new()).await;
        drop(wires.samples);
        let settled = async || tokio::time::sleep(Duration::from_millis(1)).await;
        settled().await;
        assert_eq!(wires.written.count(LOST), 1);
        for letter in ['j', 'k', 'q'] {
            let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
            let key = TerminalEvent::Key(key);
            wires.input.send(key).await.expect("the loop runs");
            settled().await;
        }
        assert_eq!(wires.written.count(LOST), 1);
    })
    .await;
    assert_eq!(code, 0);
}

/// The channel is then closed and empty before the loop waits for it again.
#[tokio::test(start_paused = true)]
async fn a_sampler_that_ends_while_the_screen_is_drawn_is_said_too() {
    let code = run_with(Noted::default(), async |mut wires: Wires| {
        wires.look(0, Vec::new()).await;
        let (unused, _receiver) = mpsc::channel(1);
        let samples = std::mem::replace(&mut wires.samples, unused);
        wires.written.dropped_at_write.replace(Some(samples));
        let resized = TerminalEvent::Resize(90, 24);
        wires.input.send(resized).await.expect("the loop runs");
        wires.settle().await;
        assert_eq!(wires.written.count(LOST), 1);
        wires.key('q').await;
    })
    .await;
    assert_eq!(code, 0);
}

#[tokio::test(start_paused = true)]
async fn an_inspector_that_ends_is_said_once() {
    let code = run_with(Noted::default(), async |mut wires: Wires| {
        wires.look(0, Vec::new()).await;
        let (unused, _receiver) = mpsc::channel(1);
        drop(std::mem::replace(&mut wires.inspections, unused));
        wires.settle().await;
        assert_eq!(wires.written.count("the look at processes ended"), 1);
        wires.key('q').await;
    })
    .await;
    assert_eq!(code, 0);
}

#[tokio::test(start_paused = true)]
async fn a_freer_that_ends_is_said_once() {
    let code = run_with(Noted::default(), async |mut wires: Wires| {
        wires.look(0, Vec::new()).await;
        let (unused, _receiver) = mpsc::unbounded_channel();
        drop(std::mem::replace(&mut wires.freeing, unused));
        wires.settle().await;
        assert_eq!(wires.written.count("the freeing of ports ended"), 1);
        wires.key('q').await;
    })
    .await;
    assert_eq!(code, 0);
}

#[tokio::test(start_paused = true)]
async fn a_checker_that_ends_is_said_once() {
    let code = run_with(Noted::default(), async |mut wires: Wires| {
        wires.look(0, Vec::new()).await;
        let (unused, _receiver) = mpsc::channel(1);
        drop(std::mem::replace(&mut wires.answers, unused));
        wires.settle().await;
        assert_eq!(wires.written.count("the checking of ports ended"), 1);
        wires.key('q').await;
    })
    .await;
    assert_eq!(code, 0);
}
