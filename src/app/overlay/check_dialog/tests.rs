use super::*;
use crate::app::Event;
use crate::app::testing::{AppHarness, environment};
use crate::check::testing::port;
use crate::config::Settings;
use crate::model::testing::socket;
use crossterm::event::KeyCode;

fn tcp(port: u16) -> CheckRequest {
    CheckRequest {
        spec: PortSpec::tcp(port),
        connects: false,
    }
}

fn report(request: CheckRequest) -> Event {
    let findings = port(request.spec.port).with(|findings| findings.request = request);
    Event::Checked(Box::new(CheckReport::of(findings)))
}

fn requested(effects: &[Effect]) -> Vec<CheckRequest> {
    let request = |effect: &Effect| match effect {
        Effect::Check(request) => Some(*request),
        _ => None,
    };
    effects.iter().filter_map(request).collect()
}

fn dialog(harness: &AppHarness) -> &CheckDialog {
    match &harness.app.overlay {
        Overlay::Check(dialog) => dialog,
        overlay => panic!("a dialog: {overlay:?}"),
    }
}

#[test]
fn w_checks_the_local_port_of_the_row() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:51324").to("127.0.0.1:3000")]);
    assert_eq!(requested(&harness.keys("w")), [tcp(51324)]);
    let mut harness = AppHarness::with(vec![socket("0.0.0.0:5353").udp()]);
    let checked = requested(&harness.keys("w"));
    let protocols: Vec<Protocol> = checked.iter().map(|one| one.spec.protocol).collect();
    assert_eq!(protocols, [Protocol::Udp]);
}

#[test]
fn with_an_empty_table_w_checks_the_filtered_port() {
    let filtered = |filter: &str| {
        let settings = Settings {
            filter: filter.to_owned(),
            is_read_only: true,
            ..Settings::default()
        };
        let mut harness = AppHarness::start(environment(), settings, (80, 24));
        harness.poll(vec![socket("127.0.0.1:4000")]);
        harness
    };
    assert_eq!(requested(&filtered("3000").keys("w")), [tcp(3000)]);
    let mut harness = filtered("postgres");
    assert_eq!(requested(&harness.keys("w")), []);
    assert!(matches!(harness.app.overlay, Overlay::None));
}

#[test]
fn only_the_answer_to_its_own_question_is_taken() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000")]);
    harness.keys("w");
    harness.event(report(tcp(4000)));
    assert!(dialog(&harness).is_pending() && dialog(&harness).report.is_none());
    harness.event(report(tcp(3000)));
    assert!(!dialog(&harness).is_pending() && dialog(&harness).report.is_some());
}

#[test]
fn c_connects_once_and_only_when_something_was_answered() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000")]);
    harness.keys("w");
    assert_eq!(requested(&harness.keys("c")), []);
    harness.event(report(tcp(3000)));
    let connecting = CheckRequest {
        connects: true,
        ..tcp(3000)
    };
    assert_eq!(requested(&harness.keys("c")), [connecting]);
    assert!(dialog(&harness).report.is_some(), "the first report stays");
    assert_eq!(requested(&harness.keys("c")), []);
    harness.event(report(connecting));
    assert_eq!(requested(&harness.keys("c")), []);
    assert!(!dialog(&harness).is_pending());
}

#[test]
fn movement_scrolls_and_every_other_key_closes() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:3000")]);
    for key in [KeyCode::Esc, KeyCode::Char('q'), KeyCode::Char('x')] {
        harness.keys("w");
        harness.keys("jjk");
        assert_eq!(dialog(&harness).scroll, 1);
        assert_eq!(harness.key(key), []);
        assert!(matches!(harness.app.overlay, Overlay::None), "{key:?}");
    }
}
