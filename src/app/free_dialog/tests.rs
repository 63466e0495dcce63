//! What the keys of the dialog do to the question, before anything is sent.

use super::*;
use crate::app::testing::Stage;
use crate::app::{Effect, Overlay};
use crate::model::freeing::{SIGNALS, Signal, Target, Targets};
use crate::model::inspection::Kin;
use crate::model::process::{Process, ProcessId};
use crate::model::provenance::Provenance;
use crate::model::testing::{SocketBuilder, process, socket};
use std::sync::Arc;

fn node() -> Arc<Process> {
    process(4242, "node").build()
}

fn vite() -> Arc<Process> {
    process(4300, "vite").build()
}

fn listener() -> SocketBuilder {
    socket("127.0.0.1:3000").owner(&node())
}

/// node on 3000 and vite on 4000.
fn two() -> Vec<SocketBuilder> {
    vec![listener(), socket("127.0.0.1:4000").owner(&vite())]
}

/// The dialog about this one row, with live buttons.
fn asked(row: SocketBuilder, ancestors: &[Arc<Process>]) -> Stage {
    let mut stage = Stage::with(vec![row]);
    let effects = stage.keys("x");
    let kin = Kin {
        process: node().id,
        ancestors: ancestors.to_vec(),
        descendants: Vec::new(),
        condition: None,
        group: Vec::new(),
        restrictions: Vec::new(),
        provenance: Provenance::default(),
    };
    stage.answer(&effects, vec![kin]);
    stage.wait(0.3);
    stage
}

fn asking(stage: &Stage) -> &Asking {
    match &stage.app.overlay {
        Overlay::Freeing(dialog) => match &dialog.phase {
            Phase::Asking(asking) => asking,
            other => panic!("a question: {other:?}"),
        },
        other => panic!("a dialog: {other:?}"),
    }
}

fn focused(stage: &Stage) -> Button {
    match &stage.app.overlay {
        Overlay::Freeing(dialog) => dialog.buttons()[dialog.focus],
        other => panic!("a dialog: {other:?}"),
    }
}

fn is_closed(stage: &Stage) -> bool {
    matches!(stage.app.overlay, Overlay::None)
}

/// What is sent: the port, the signal and whom it goes to.
fn sent(effects: &[Effect]) -> Vec<(u16, Signal, Vec<ProcessId>)> {
    let orders = effects.iter().filter_map(|effect| match effect {
        Effect::Free(Step::Send(orders)) => Some(orders),
        _ => None,
    });
    let facts = orders.flatten().map(|order| {
        let targets = order.targets().iter().map(Target::id).collect();
        (order.port(), order.signal(), targets)
    });
    facts.collect()
}

#[test]
fn p_goes_up_from_parent_to_parent_and_back_to_the_holder() {
    let (npm, make) = (process(3970, "npm").build(), process(3960, "make").build());
    let mut stage = asked(listener(), &[npm.clone(), make.clone()]);
    let round = [
        Targets::Parent(npm.id),
        Targets::Parent(make.id),
        Targets::Topmost,
        Targets::Parent(npm.id),
    ];
    for targets in round {
        stage.keys("p");
        assert_eq!(asking(&stage).targets, targets);
        stage.wait(0.3);
    }
    let effects = stage.keys("y");
    assert_eq!(sent(&effects), [(3000, Signal::Terminate, vec![npm.id])]);
}

#[test]
fn in_the_menu_of_signals_only_its_letters_count_and_y_once_the_choice_could_be_read() {
    let mut stage = asked(listener(), &[]);
    assert_eq!(stage.keys("sk"), [], "a choice sends nothing");
    let chosen = asking(&stage);
    assert_eq!((chosen.signal, chosen.is_choosing), (Signal::Kill, false));
    assert_eq!(stage.keys("y"), [], "not read yet");
    stage.wait(0.3);
    let effects = stage.keys("y");
    assert_eq!(sent(&effects), [(3000, Signal::Kill, vec![node().id])]);

    for letter in ["y", "a", "s", "p"] {
        let mut stage = asked(listener(), &[process(3970, "npm").build()]);
        stage.keys("s");
        stage.wait(0.3);
        assert_eq!(sent(&stage.keys(letter)), []);
        assert!(is_closed(&stage), "{letter}");
    }
}

#[test]
fn a_key_of_the_dialog_that_is_not_offered_neither_cancels_nor_reaches_the_table() {
    for letter in ["a", "g", "p", "c", "l", "I", "K"] {
        let mut stage = asked(listener(), &[]);
        assert_eq!(stage.keys(letter), [], "{letter}");
        assert!(!is_closed(&stage), "{letter}");
    }
}

#[test]
fn every_signal_of_the_menu_has_a_letter_of_its_own_that_no_cancelling_key_is() {
    let letters: Vec<char> = SIGNALS.iter().copied().map(letter_of).collect();
    for (signal, letter) in SIGNALS.iter().zip(&letters) {
        assert_eq!(signal_of(*letter), Some(*signal));
        assert!(!"nq".contains(*letter), "{signal}");
    }
}

#[test]
fn the_mark_of_a_row_that_closes_is_forgotten() {
    let mut stage = Stage::with(two());
    stage.keys("  ");
    assert_eq!(stage.app.selection.marks(), 2);
    stage.seconds = 1.0;
    stage.look(vec![listener()]);
    assert_eq!(stage.app.selection.marks(), 1);
    // What comes in its place is another one, and was not marked.
    stage.seconds = 2.0;
    let next = socket("127.0.0.1:4000").mark(7).owner(&vite());
    stage.look(vec![listener(), next]);
    stage.keys("x");
    stage.wait(1.0);
    let effects = stage.keys("y");
    assert_eq!(sent(&effects), [(3000, Signal::Terminate, vec![node().id])]);
}

#[test]
fn marked_rows_that_the_filter_hides_are_not_freed_and_stay_marked() {
    let mut stage = Stage::with(two());
    stage.keys("  4000");
    stage.key(KeyCode::Enter);
    stage.keys("x");
    stage.wait(1.0);
    let effects = stage.keys("y");
    assert_eq!(sent(&effects), [(4000, Signal::Terminate, vec![vite().id])]);
    assert_eq!(stage.app.selection.marks(), 2);
}

#[test]
fn marked_rows_are_freed_together_and_each_port_once() {
    let mut table = two();
    table.push(socket("[::1]:3000").owner(&node()));
    let mut stage = Stage::with(table);
    stage.keys("   x");
    stage.wait(1.0);
    let effects = stage.keys("y");
    let expected = [
        (3000, Signal::Terminate, vec![node().id]),
        (4000, Signal::Terminate, vec![vite().id]),
    ];
    assert_eq!(sent(&effects), expected);
}

#[test]
fn enter_presses_the_button_that_has_the_focus() {
    let mut stage = asked(listener(), &[]);
    let round = [Button::End, Button::Signals, Button::Cancel];
    for button in round {
        stage.key(KeyCode::Right);
        assert_eq!(focused(&stage), button);
    }
    stage.key(KeyCode::Left);
    assert_eq!(focused(&stage), Button::Signals);
    stage.key(KeyCode::Enter);
    assert!(asking(&stage).is_choosing);
    assert_eq!(
        focused(&stage),
        Button::Cancel,
        "what has changed is harmless again"
    );
    stage.wait(0.3);
    stage.key(KeyCode::Tab);
    stage.key(KeyCode::Enter);
    stage.wait(0.3);
    stage.key(KeyCode::Tab);
    let effects = stage.key(KeyCode::Enter);
    assert_eq!(sent(&effects), [(3000, Signal::Terminate, vec![node().id])]);
}

/// The dialog about the port of another user's process, with live buttons.
fn foreign() -> Stage {
    let java = process(4242, "java").user(1001, "ops").build();
    asked(socket("127.0.0.1:3000").owner(&java), &[])
}

#[test]
fn where_the_port_must_be_typed_digits_are_taken_and_only_the_right_ones_end_it() {
    let mut stage = foreign();
    for (digit, typed, button) in [
        ("300", "300", Button::Cancel),
        ("0", "3000", Button::End),
        ("1", "30001", Button::Cancel),
    ] {
        stage.keys(digit);
        let now = (asking(&stage).typed.as_str(), focused(&stage));
        assert_eq!(now, (typed, button));
    }
    // No port has six digits, so a sixth one is a wrong key.
    stage.keys("2");
    assert!(is_closed(&stage));
    let mut stage = foreign();
    stage.keys("3001");
    stage.key(KeyCode::Backspace);
    stage.keys("0");
    let effects = stage.key(KeyCode::Enter);
    assert_eq!(sent(&effects), [(3000, Signal::Terminate, vec![node().id])]);
}

#[test]
fn where_the_port_must_be_typed_no_other_answer_ends_anything() {
    type Answer<'a> = &'a dyn Fn(&mut Stage) -> Vec<Effect>;
    let answers: [Answer; 4] = [
        &|stage| stage.keys("y"),
        &|stage| stage.key(KeyCode::Enter),
        &|stage| {
            stage.keys("300");
            stage.key(KeyCode::Enter)
        },
        &|stage| stage.keys("3000y"),
    ];
    let stays = [true, false, true, true];
    for (answer, stays) in answers.into_iter().zip(stays) {
        let mut stage = foreign();
        assert_eq!(sent(&answer(&mut stage)), []);
        assert_eq!(is_closed(&stage), !stays);
    }
    // Wherever the focus is, the port must stand there.
    let mut stage = foreign();
    stage.key(KeyCode::Tab);
    assert_eq!(focused(&stage), Button::End);
    assert_eq!(stage.key(KeyCode::Enter), []);
    assert!(!is_closed(&stage));
}

#[test]
fn what_was_typed_for_other_processes_is_forgotten() {
    let java = process(4242, "java").user(1001, "ops").build();
    let worker = process(4243, "java").user(1001, "ops").parent(4242).build();
    let mut stage = asked(socket("127.0.0.1:3000").owners(&[&java, &worker]), &[]);
    stage.keys("3000a");
    let asked = asking(&stage);
    assert_eq!((asked.targets, asked.typed.as_str()), (Targets::All, ""));
}
