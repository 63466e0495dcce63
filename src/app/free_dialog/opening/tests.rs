use crate::app::free_dialog::{FreeDialog, Phase};
use crate::app::testing::Stage;
use crate::app::{Effect, Overlay};
use crate::model::endpoint::{Protocol, State};
use crate::model::freeing::Port;
use crate::model::inspection::{Asker, Subject};
use crate::model::process::Process;
use crate::model::testing::{SocketBuilder, process, socket};
use std::sync::Arc;

fn node() -> Arc<Process> {
    process(4242, "node").command("node server.js").build()
}

fn listener() -> SocketBuilder {
    socket("127.0.0.1:3000")
}

/// The dialog about a listener whose holder is sought, on the screen long enough to be answered.
fn waiting() -> Stage {
    let mut stage = Stage::with(vec![listener().sought(), socket("127.0.0.1:4000")]);
    stage.keys("x");
    stage.wait(1.0);
    stage
}

fn dialog(stage: &Stage) -> &FreeDialog {
    match &stage.app.overlay {
        Overlay::Freeing(dialog) => dialog,
        overlay => panic!("a dialog: {overlay:?}"),
    }
}

/// What the dialog asks about, or explains, and whether an answer counts.
fn said(stage: &Stage) -> (Vec<String>, bool) {
    let dialog = dialog(stage);
    let words = match &dialog.phase {
        Phase::Asking(asking) => {
            let ports = asking.proposals.iter();
            ports.map(|one| format!("free {}?", one.port)).collect()
        }
        Phase::Explaining(explanation) => explanation.lines.clone(),
        Phase::Working(freeing) => panic!("nothing was answered: {freeing:?}"),
    };
    (words, dialog.is_armed(stage.app.now))
}

fn words(line: &str) -> Vec<String> {
    vec![line.to_owned()]
}

const SOUGHT: &str = "who holds 127.0.0.1:3000 is still being looked for; the question comes as soon as it is known.";
const CLOSED: &str = "already closed: nothing is left to end.";

#[test]
fn the_question_comes_as_soon_as_the_holders_are_known() {
    let mut stage = waiting();
    assert_eq!(said(&stage), (words(SOUGHT), true));
    let before = stage.rows();

    let sockets = vec![
        listener().owner(&node()),
        socket("127.0.0.1:4000"),
        socket("127.0.0.1:80"),
    ];
    let effects = stage.look(sockets);
    let subject = Subject {
        asker: Asker::Dialog,
        endpoint: listener().endpoint().id(),
        processes: vec![node().id],
        port: Some(Port {
            protocol: Protocol::Tcp,
            number: 3000,
        }),
        ports: Vec::new(),
        unused_near: None,
    };
    let expected = [Effect::Hold(vec![node().id]), Effect::Inspect(subject)];
    assert_eq!(effects, expected);
    assert_eq!(said(&stage), (words("free 3000?"), false));
    assert_eq!(
        (stage.cursor(), stage.rows()),
        ("127.0.0.1:3000".to_owned(), before),
        "nothing has moved"
    );
}

#[test]
fn the_question_that_comes_is_answered_only_after_it_could_be_read() {
    let mut stage = waiting();
    stage.look(vec![listener().owner(&node())]);
    stage.wait(0.2);
    assert_eq!(stage.keys("y\r"), []);
    assert_eq!(said(&stage), (words("free 3000?"), false));
    stage.wait(0.2);
    let effects = stage.keys("y");
    assert!(
        matches!(effects.as_slice(), [Effect::Free(_)]),
        "{effects:?}"
    );
}

#[test]
fn a_look_that_does_not_find_the_holders_changes_nothing() {
    let mut stage = waiting();
    assert_eq!(stage.look(vec![listener().sought()]), []);
    assert_eq!(said(&stage), (words(SOUGHT), true));
}

#[test]
fn a_row_that_closes_while_its_holders_are_sought_is_said_to_be_closed() {
    let mut stage = waiting();
    assert_eq!(stage.look(vec![socket("127.0.0.1:4000")]), []);
    assert_eq!(said(&stage), (words(CLOSED), false));
}

#[test]
fn a_question_that_was_closed_does_not_come_back() {
    let mut stage = waiting();
    stage.keys("n");
    stage.look(vec![listener().owner(&node())]);
    assert!(matches!(stage.app.overlay, Overlay::None));
}

#[test]
fn in_a_pause_the_question_comes_too_and_nothing_else_moves() {
    let later = || vec![listener().owner(&node()), socket("127.0.0.1:80")];
    for (sockets, expected) in [
        (later(), "free 3000?"),
        (vec![socket("127.0.0.1:80")], CLOSED),
    ] {
        let mut stage = Stage::with(vec![listener().sought(), socket("127.0.0.1:4000").sought()]);
        stage.keys("px");
        stage.seconds = 1.0;
        stage.look(sockets);
        assert_eq!(said(&stage), (words(expected), false));
        stage.wait(1.0);
        stage.keys("n");
        assert_eq!(stage.rows(), ["127.0.0.1:3000", "127.0.0.1:4000"]);
    }
}

#[test]
fn in_a_pause_a_search_that_ends_leaves_the_state_as_it_was() {
    use crate::model::endpoint::{Owners, State};
    let mut stage = Stage::with(vec![listener().sought()]);
    stage.keys("p");
    stage.seconds = 1.0;
    stage.look(vec![listener().state(State::Closed).owner(&node())]);
    let socket = &stage.app.current().expect("the row").endpoint.socket;
    assert_eq!(
        (socket.state, socket.owners.clone()),
        (Some(State::Listen), Owners::Known(Arc::from([node()])))
    );
}

#[test]
fn what_a_look_finds_before_the_buttons_are_live_is_asked_about_and_nothing_later() {
    let bound = |number: u64| {
        let socket = socket("127.0.0.1:3000").state(State::Bound).mark(number);
        socket.owner(&process(u32::try_from(number).expect("small"), "binder").build())
    };
    let mut stage = Stage::with(vec![listener().owner(&node())]);
    let effects = stage.keys("x");
    let asks_now = |effect: &Effect| matches!(effect, Effect::Sample(request) if request.look_now);
    assert!(effects.iter().any(asks_now), "{effects:?}");
    let holders = |stage: &Stage| match &dialog(stage).phase {
        Phase::Asking(asking) => asking.process_ids().len(),
        other => panic!("a question: {other:?}"),
    };
    assert_eq!(holders(&stage), 1);
    stage.look(vec![listener().owner(&node()), bound(7)]);
    assert_eq!(
        (holders(&stage), dialog(&stage).is_armed(stage.app.now)),
        (2, false)
    );
    stage.wait(1.0);
    stage.look(vec![listener().owner(&node()), bound(7), bound(8)]);
    assert_eq!(
        (holders(&stage), dialog(&stage).is_armed(stage.app.now)),
        (2, true)
    );
}

#[test]
fn each_holder_is_asked_about_with_its_own_port() {
    let python = process(5000, "python3").build();
    let mut stage = Stage::with(vec![
        listener().owner(&node()),
        socket("127.0.0.1:4000").owner(&python),
    ]);
    stage.keys(" j x");
    let subject = dialog(&stage).subject.clone().expect("a question");
    let port = |number| {
        Some(Port {
            protocol: Protocol::Tcp,
            number,
        })
    };
    let ports = [node().id, python.id].map(|holder| subject.port_of(holder));
    assert_eq!((subject.port, ports), (None, [port(3000), port(4000)]));
}
