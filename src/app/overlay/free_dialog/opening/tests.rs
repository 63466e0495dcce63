use crate::app::overlay::free_dialog::{DialogPhase, FreeDialog};
use crate::app::testing::AppHarness;
use crate::app::{Effect, Overlay};
use crate::model::port::Port;
use crate::model::process::{InspectRequest, Process, Requester};
use crate::model::socket::{Protocol, State};
use crate::model::testing::{SocketBuilder, process, socket};
use crate::wording;
use std::sync::Arc;

fn node() -> Arc<Process> {
    process(4242, "node").command("node server.js").build()
}

fn listener() -> SocketBuilder {
    socket("127.0.0.1:3000")
}

/// The dialog about a listener whose owner is pending, on the screen long enough to be answered.
fn waiting() -> AppHarness {
    let mut harness = AppHarness::with(vec![listener().pending(), socket("127.0.0.1:4000")]);
    harness.keys("x");
    harness.wait(1.0);
    harness
}

fn dialog(harness: &AppHarness) -> &FreeDialog {
    match &harness.app.overlay {
        Overlay::Freeing(dialog) => dialog,
        overlay => panic!("a dialog: {overlay:?}"),
    }
}

/// What the dialog asks about, or explains, and whether an answer counts.
fn said(harness: &AppHarness) -> (Vec<String>, bool) {
    let dialog = dialog(harness);
    let words = match &dialog.phase {
        DialogPhase::Confirming(prompt) => {
            let ports = prompt.plans.iter();
            ports
                .map(|one| format!("free {}?", one.port.number))
                .collect()
        }
        DialogPhase::Explaining(explanation) => wording::explanation_lines(explanation, None),
        DialogPhase::Running(freeing) => panic!("nothing was answered: {freeing:?}"),
    };
    (words, dialog.is_armed(harness.app.now))
}

fn words(line: &str) -> Vec<String> {
    vec![line.to_owned()]
}

const PENDING: &str = "the owner of 127.0.0.1:3000 is still being looked up; the question follows as soon as it is found.";
const CLOSED: &str = "already closed: there is nothing to stop.";

#[test]
fn the_question_opens_as_soon_as_the_owners_are_known() {
    let mut harness = waiting();
    assert_eq!(said(&harness), (words(PENDING), true));
    let before = harness.rows();

    let sockets = vec![
        listener().owner(&node()),
        socket("127.0.0.1:4000"),
        socket("127.0.0.1:80"),
    ];
    let effects = harness.poll(sockets);
    let subject = InspectRequest {
        requester: Requester::Dialog,
        endpoint: listener().endpoint().id(),
        processes: vec![node().id],
        port: Some(Port {
            protocol: Protocol::Tcp,
            number: 3000,
        }),
        ports: Vec::new(),
        unused_near: None,
    };
    let expected = [
        Effect::OpenHandles(vec![node().id]),
        Effect::Inspect(subject),
    ];
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
    harness.poll(vec![listener().owner(&node())]);
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
    assert_eq!(harness.poll(vec![listener().pending()]), []);
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
    harness.poll(vec![listener().owner(&node())]);
    assert!(matches!(harness.app.overlay, Overlay::None));
}

#[test]
fn while_paused_a_finished_lookup_opens_the_question() {
    let later = || vec![listener().owner(&node()), socket("127.0.0.1:80")];
    for (sockets, expected) in [
        (later(), "free 3000?"),
        (vec![socket("127.0.0.1:80")], CLOSED),
    ] {
        let mut harness = AppHarness::with(vec![
            listener().pending(),
            socket("127.0.0.1:4000").pending(),
        ]);
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
    use crate::model::socket::{Owners, State};
    let mut harness = AppHarness::with(vec![listener().pending()]);
    harness.keys("p");
    harness.seconds = 1.0;
    harness.poll(vec![listener().state(State::Closed).owner(&node())]);
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
    let mut harness = AppHarness::with(vec![listener().owner(&node())]);
    let effects = harness.keys("x");
    let asks_now = |effect: &Effect| matches!(effect, Effect::Sample(request) if request.poll_now);
    assert!(effects.iter().any(asks_now), "{effects:?}");
    let holders = |harness: &AppHarness| match &dialog(harness).phase {
        DialogPhase::Confirming(prompt) => prompt.process_ids().len(),
        other => panic!("a question: {other:?}"),
    };
    assert_eq!(holders(&harness), 1);
    harness.poll(vec![listener().owner(&node()), bound(7)]);
    assert_eq!(
        (
            holders(&harness),
            dialog(&harness).is_armed(harness.app.now)
        ),
        (2, false)
    );
    harness.wait(1.0);
    harness.poll(vec![listener().owner(&node()), bound(7), bound(8)]);
    assert_eq!(
        (
            holders(&harness),
            dialog(&harness).is_armed(harness.app.now)
        ),
        (2, true)
    );
}

#[test]
fn each_owner_is_inspected_with_its_own_port() {
    let python = process(5000, "python3").build();
    let mut harness = AppHarness::with(vec![
        listener().owner(&node()),
        socket("127.0.0.1:4000").owner(&python),
    ]);
    harness.keys(" j x");
    let subject = dialog(&harness)
        .inspect_request
        .clone()
        .expect("a question");
    let port = |number| {
        Some(Port {
            protocol: Protocol::Tcp,
            number,
        })
    };
    let ports = [node().id, python.id].map(|holder| subject.port_of(holder));
    assert_eq!((subject.port, ports), (None, [port(3000), port(4000)]));
}

#[test]
fn what_else_closes_is_updated_until_the_buttons_are_live() {
    let own = || listener().owner(&node());
    let other = |port: u16| socket(&format!("127.0.0.1:{port}"));
    let pending = (4000..4004).map(|port| other(port).pending());
    let mut harness = AppHarness::with([own()].into_iter().chain(pending).collect());
    harness.keys("x");
    let closes = |harness: &AppHarness| {
        let DialogPhase::Confirming(prompt) = &dialog(harness).phase else {
            panic!("a question");
        };
        let closes = &prompt.preview.also_closes;
        (closes.ports.len(), closes.pending, prompt.typed_port())
    };
    assert_eq!(closes(&harness), (0, 4, None));
    let found = (4000..4004).map(|port| other(port).owner(&node()));
    harness.poll([own()].into_iter().chain(found).collect());
    assert_eq!(closes(&harness), (4, 0, Some(3000)));
}
