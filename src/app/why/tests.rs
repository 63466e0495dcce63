use super::*;
use crate::app::testing::{Stage, setup};
use crate::app::{Event, Setup};
use crate::model::checking::testing::port;
use crate::model::testing::socket;

fn question(protocol: Protocol, port: u16, connects: bool) -> Question {
    Question {
        protocol,
        port,
        address: None,
        connects,
    }
}

fn tcp(port: u16) -> Question {
    question(Protocol::Tcp, port, false)
}

fn answer(question: Question) -> Event {
    let evidence = port(question.port).with(|evidence| evidence.question = question);
    Event::Checked(Box::new(Answer::of(evidence)))
}

fn asked(effects: &[Effect]) -> Vec<Question> {
    let question = |effect: &Effect| match effect {
        Effect::Check(question) => Some(*question),
        _ => None,
    };
    effects.iter().filter_map(question).collect()
}

fn dialog(stage: &Stage) -> &WhyDialog {
    match &stage.app.overlay {
        Overlay::Why(dialog) => dialog,
        overlay => panic!("a dialog: {overlay:?}"),
    }
}

#[test]
fn w_asks_about_the_local_port_of_the_row() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:51324").to("127.0.0.1:3000")]);
    assert_eq!(asked(&stage.keys("w")), [tcp(51324)]);
    let mut stage = Stage::with(vec![socket("0.0.0.0:5353").udp()]);
    assert_eq!(
        asked(&stage.keys("w")),
        [question(Protocol::Udp, 5353, false)]
    );
}

#[test]
fn with_an_empty_table_it_is_the_port_of_the_filter_or_none() {
    let filtered = |filter: &str| {
        let setup = Setup {
            filter: filter.to_owned(),
            is_read_only: true,
            ..setup()
        };
        let mut stage = Stage::new(setup, (80, 24));
        stage.look(vec![socket("127.0.0.1:4000")]);
        stage
    };
    assert_eq!(asked(&filtered("3000").keys("w")), [tcp(3000)]);
    let mut stage = filtered("postgres");
    assert_eq!(asked(&stage.keys("w")), []);
    assert!(matches!(stage.app.overlay, Overlay::None));
}

#[test]
fn only_the_answer_to_its_own_question_is_taken() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000")]);
    stage.keys("w");
    stage.event(answer(tcp(4000)));
    assert!(dialog(&stage).is_awaiting && dialog(&stage).answer.is_none());
    stage.event(answer(tcp(3000)));
    assert!(!dialog(&stage).is_awaiting && dialog(&stage).answer.is_some());
}

#[test]
fn c_connects_once_and_only_when_something_was_answered() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000")]);
    stage.keys("w");
    assert_eq!(asked(&stage.keys("c")), []);
    stage.event(answer(tcp(3000)));
    let connecting = question(Protocol::Tcp, 3000, true);
    assert_eq!(asked(&stage.keys("c")), [connecting]);
    assert!(dialog(&stage).answer.is_some(), "the first answer stands");
    assert_eq!(asked(&stage.keys("c")), []);
    stage.event(answer(connecting));
    assert_eq!(asked(&stage.keys("c")), []);
    assert!(!dialog(&stage).is_awaiting);
}

#[test]
fn movement_scrolls_and_every_other_key_closes() {
    let mut stage = Stage::with(vec![socket("127.0.0.1:3000")]);
    for key in [KeyCode::Esc, KeyCode::Char('q'), KeyCode::Char('x')] {
        stage.keys("w");
        stage.keys("jjk");
        assert_eq!(dialog(&stage).scroll, 1);
        assert_eq!(stage.key(key), []);
        assert!(matches!(stage.app.overlay, Overlay::None), "{key:?}");
    }
}
