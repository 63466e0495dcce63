use crate::app::overlay::free_dialog::{ConfirmPrompt, DialogPhase, FreeDialog};
use crate::app::testing::{AppHarness, listener, node, sent};
use crate::app::{Effect, Event, Overlay};
use crate::free::Warning;
use crate::model::port::Port;
use crate::model::process::{
    Engine, InspectRequest, Process, ProcessTree, Requester, Signal, Supervisor,
};
use crate::model::socket::{Owners, Protocol, State};
use crate::model::testing::{SocketBuilder, process, process_tree, socket, socket_candidates};
use crate::wording;
use crossterm::event::KeyCode;
use std::sync::Arc;

fn pending(port: u16) -> SocketBuilder {
    socket(&format!("127.0.0.1:{port}")).pending()
}

/// The dialog about a listener whose owner is pending, on the screen long enough to be answered.
fn waiting() -> AppHarness {
    let mut harness = AppHarness::with(vec![pending(3000), socket("127.0.0.1:4000")]);
    harness.keys("x");
    harness.wait(1.0);
    harness
}

fn dialog(harness: &AppHarness) -> &FreeDialog {
    harness.app.overlay.free_dialog().expect("a dialog")
}

fn prompt(harness: &AppHarness) -> &ConfirmPrompt {
    dialog(harness).phase.prompt().expect("a question")
}

fn is_armed(harness: &AppHarness) -> bool {
    dialog(harness).is_armed(harness.app.now)
}

/// What the dialog asks about, or explains, and whether an answer counts.
fn said(harness: &AppHarness) -> (Vec<String>, bool) {
    let words = match &dialog(harness).phase {
        DialogPhase::Confirming(prompt) => {
            let plans = prompt.plans.iter();
            plans
                .map(|plan| format!("free {}?", plan.port.number))
                .collect()
        }
        DialogPhase::Explaining(explanation) => wording::explanation_lines(explanation, None),
        DialogPhase::Running(batch) => panic!("nothing was answered: {batch:?}"),
    };
    (words, is_armed(harness))
}

fn words(line: &str) -> Vec<String> {
    vec![line.to_owned()]
}

fn tcp(number: u16) -> Port {
    Port {
        protocol: Protocol::Tcp,
        number,
    }
}

const PENDING: &str =
    "the owner of 127.0.0.1:3000 is still being looked up; portmon asks as soon as it is found.";
const CLOSED: &str = "already closed: there is nothing to stop.";

#[test]
fn the_question_opens_as_soon_as_the_owners_are_known() {
    let mut harness = waiting();
    assert_eq!(said(&harness), (words(PENDING), true));
    let before = harness.rows();

    let sockets = vec![listener(), socket("127.0.0.1:4000"), socket("127.0.0.1:80")];
    let effects = harness.poll(sockets);
    let (endpoint, owners) = (listener().endpoint().id(), vec![node().id]);
    let request = InspectRequest {
        port: Some(tcp(3000)),
        ..InspectRequest::new(Requester::Dialog, endpoint, owners.clone())
    };
    let expected = [Effect::OpenHandles(owners), Effect::Inspect(request)];
    assert_eq!(effects, expected);
    assert_eq!(said(&harness), (words("free 3000?"), false));
    assert_eq!(
        (harness.cursor(), harness.rows()),
        ("127.0.0.1:3000".to_owned(), before),
        "nothing has moved"
    );
}

#[test]
fn a_replaced_question_must_be_shown_before_it_is_answered() {
    let mut harness = waiting();
    harness.poll(vec![listener()]);
    harness.wait(0.2);
    assert_eq!(harness.keys("y\r"), []);
    assert_eq!(said(&harness), (words("free 3000?"), false));
    harness.wait(0.2);
    let effects = harness.keys("y");
    assert!(
        matches!(effects.as_slice(), [Effect::Free(_)]),
        "{effects:?}"
    );
}

#[test]
fn a_poll_that_finds_no_owners_changes_nothing() {
    let mut harness = waiting();
    assert_eq!(harness.poll(vec![pending(3000)]), []);
    assert_eq!(said(&harness), (words(PENDING), true));
}

#[test]
fn a_row_that_closes_during_owner_lookup_is_shown_closed() {
    let mut harness = waiting();
    assert_eq!(harness.poll(vec![socket("127.0.0.1:4000")]), []);
    assert_eq!(said(&harness), (words(CLOSED), false));
}

#[test]
fn a_question_that_was_closed_does_not_come_back() {
    let mut harness = waiting();
    harness.keys("n");
    harness.poll(vec![listener()]);
    assert!(matches!(harness.app.overlay, Overlay::None));
}

#[test]
fn while_paused_a_finished_lookup_opens_the_question() {
    let later = || vec![listener(), socket("127.0.0.1:80")];
    for (sockets, expected) in [
        (later(), "free 3000?"),
        (vec![socket("127.0.0.1:80")], CLOSED),
    ] {
        let mut harness = AppHarness::with(vec![pending(3000), pending(4000)]);
        harness.keys("px");
        harness.seconds = 1.0;
        harness.poll(sockets);
        assert_eq!(said(&harness), (words(expected), false));
        harness.wait(1.0);
        harness.keys("n");
        assert_eq!(harness.rows(), ["127.0.0.1:3000", "127.0.0.1:4000"]);
    }
}

#[test]
fn while_paused_a_finished_lookup_changes_only_the_owners() {
    let mut harness = AppHarness::with(vec![pending(3000)]);
    harness.keys("p");
    harness.seconds = 1.0;
    harness.poll(vec![listener().state(State::Closed)]);
    let socket = &harness.app.current_row().expect("the row").endpoint.socket;
    assert_eq!(
        (socket.state, socket.owners.clone()),
        (Some(State::Listen), Owners::Known(Arc::from([node()])))
    );
}

#[test]
fn polls_change_the_question_only_before_buttons_are_armed() {
    let bound = |number: u64| {
        let socket = socket("127.0.0.1:3000")
            .state(State::Bound)
            .owner_hint(number);
        socket.owner(&process(u32::try_from(number).expect("small"), "binder").build())
    };
    let mut harness = AppHarness::with(vec![listener()]);
    let effects = harness.keys("x");
    let asks_now = |effect: &Effect| matches!(effect, Effect::Sample(request) if request.poll_now);
    assert!(effects.iter().any(asks_now), "{effects:?}");
    let owners = |harness: &AppHarness| prompt(harness).process_ids().len();
    assert_eq!(owners(&harness), 1);
    harness.poll(vec![listener(), bound(7)]);
    assert_eq!((owners(&harness), is_armed(&harness)), (2, false));
    harness.wait(1.0);
    harness.poll(vec![listener(), bound(7), bound(8)]);
    assert_eq!((owners(&harness), is_armed(&harness)), (2, true));
}

#[test]
fn each_owner_is_inspected_with_its_own_port() {
    let python = process(5000, "python3").build();
    let mut harness = AppHarness::with(vec![listener(), socket("127.0.0.1:4000").owner(&python)]);
    harness.keys(" j x");
    let request = dialog(&harness).inspect_request.as_ref();
    let request = request.expect("a request");
    let ports = [node().id, python.id].map(|owner| request.port_of(owner));
    let expected = [Some(tcp(3000)), Some(tcp(4000))];
    assert_eq!((request.port, ports), (None, expected));
}

#[test]
fn what_else_closes_is_updated_until_the_buttons_are_live() {
    let mut harness = AppHarness::with(
        [listener()]
            .into_iter()
            .chain((4000..4004).map(pending))
            .collect(),
    );
    harness.keys("x");
    let closes = |harness: &AppHarness| {
        let closes = &prompt(harness).preview.also_closes;
        (
            closes.ports.len(),
            closes.pending,
            prompt(harness).preview.confirmation.accepts("3000"),
            prompt(harness).preview.confirmation.is_typed(),
        )
    };
    assert_eq!(closes(&harness), (0, 4, true, false));
    let found = (4000..4004).map(|port| pending(port).owner(&node()));
    harness.poll([listener()].into_iter().chain(found).collect());
    assert_eq!(closes(&harness), (4, 0, true, true));
}

/// The dialog about the port of user 1000 whose owner is hidden, as soon as its candidates are known.
fn asked_about_candidates(candidates: &[&Arc<Process>]) -> (AppHarness, Vec<Effect>) {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000")]);
    harness.answers_inspections = false;
    let effects = harness.keys("x");
    let Event::Inspected(mut inspection) = harness.inspection_for(&effects, Vec::new()) else {
        panic!("an inspection")
    };
    let [query] = inspection.request.unowned[..] else {
        panic!("one socket: {:?}", inspection.request)
    };
    inspection.candidates = vec![socket_candidates(query.socket, candidates)];
    let effects = harness.event(Event::Inspected(inspection));
    harness.wait(0.3);
    (harness, effects)
}

#[test]
fn a_candidate_is_signaled_once_its_pid_was_typed() {
    let (mut harness, effects) = asked_about_candidates(&[&node()]);
    assert_eq!(effects, [Effect::OpenHandles(vec![node().id])]);
    let typed = |harness: &mut AppHarness, text: &str| {
        harness.keys(text);
        let confirmed = prompt(harness).is_confirmed();
        for _ in text.chars() {
            harness.key(KeyCode::Backspace);
        }
        confirmed
    };
    assert!(!typed(&mut harness, "3000"), "the port is not enough");
    assert!(!typed(&mut harness, "1"));
    assert_eq!(harness.keys("y"), [], "a key is not enough");
    harness.keys("4242");
    let effects = harness.key(KeyCode::Enter);
    assert_eq!(sent(&effects), [(3000, Signal::Terminate, vec![node().id])]);
}

#[test]
fn of_several_candidates_only_the_typed_one_is_signaled() {
    let vite = process(4300, "vite").build();
    let (mut harness, _) = asked_about_candidates(&[&node(), &vite]);
    harness.keys("sk");
    harness.wait(0.3);
    harness.keys("4300");
    let effects = harness.key(KeyCode::Enter);
    assert_eq!(sent(&effects), [(3000, Signal::Kill, vec![vite.id])]);
}

#[test]
fn a_hidden_owner_without_candidates_stays_explained() {
    let (harness, effects) = asked_about_candidates(&[]);
    assert_eq!(effects, []);
    assert!(matches!(dialog(&harness).phase, DialogPhase::Explaining(_)));
}

#[test]
fn a_proxy_is_asked_about_once_its_engine_has_left_it_over() {
    let proxy = process(812, "docker-proxy").build();
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:8080").owner(&proxy)]);
    harness.answers_inspections = false;
    let effects = harness.keys("x");
    let is_explained = |harness: &AppHarness| dialog(harness).phase.prompt().is_none();
    assert!(is_explained(&harness));
    let tree = |left_over_from| ProcessTree {
        supervisor: Supervisor {
            left_over_from,
            ..Supervisor::default()
        },
        ..process_tree(proxy.id)
    };
    let kept = harness.answer_inspection(&effects, vec![tree(None)]);
    assert!(is_explained(&harness), "{kept:?}");

    harness.wait(1.0);
    harness.keys("n");
    let effects = harness.keys("x");
    let asked = harness.answer_inspection(&effects, vec![tree(Some(Engine::Docker))]);
    assert!(
        asked.contains(&Effect::OpenHandles(vec![proxy.id])),
        "{asked:?}"
    );
    harness.wait(0.5);
    assert!(!is_armed(&harness), "the engine is asked again");
    harness.answer_inspection(&asked, vec![tree(Some(Engine::Docker))]);
    harness.wait(0.5);
    assert_eq!(said(&harness), (words("free 8080?"), true));
    let warnings = prompt(&harness).preview.warnings.iter();
    let is_left_over = |warning: &Warning| matches!(warning, Warning::LeftOver(..));
    assert_eq!(warnings.filter(|one| is_left_over(one)).count(), 1);
}
