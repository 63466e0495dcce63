//! What the keys of the dialog do to the question, before anything is sent.

use super::*;
use crate::app::testing::{AppHarness, inspection, last_request, listener, node, sent};
use crate::app::{Effect, Event, Overlay};
use crate::free::TargetSet;
use crate::model::process::{Process, ProcessTree, Requester, Signal};
use crate::model::testing::{SocketBuilder, process, process_tree, socket};
use crossterm::event::KeyCode;
use std::sync::Arc;

fn vite() -> Arc<Process> {
    process(4300, "vite").build()
}

/// node on 3000 and vite on 4000.
fn two() -> Vec<SocketBuilder> {
    vec![listener(), socket("127.0.0.1:4000").owner(&vite())]
}

/// The dialog about this one row, with live buttons.
fn asked(row: SocketBuilder, ancestors: &[Arc<Process>]) -> AppHarness {
    let mut harness = AppHarness::with(vec![row]);
    let effects = harness.keys("x");
    let tree = ProcessTree {
        ancestors: ancestors.to_vec(),
        ..process_tree(node().id)
    };
    harness.answer_inspection(&effects, vec![tree]);
    harness.wait(0.3);
    harness
}

fn dialog(harness: &AppHarness) -> &FreeDialog {
    harness.app.overlay.free_dialog().expect("a dialog")
}

fn prompt(harness: &AppHarness) -> &ConfirmPrompt {
    dialog(harness).phase.prompt().expect("a question")
}

/// The button in brackets.
fn focused(harness: &AppHarness) -> String {
    dialog(harness).phase.buttons()[dialog(harness).focus]
        .label
        .clone()
}

fn is_closed(harness: &AppHarness) -> bool {
    matches!(harness.app.overlay, Overlay::None)
}

#[test]
fn the_question_names_the_program_that_runs_now() {
    let mut harness = AppHarness::with(vec![listener()]);
    harness.answers_inspections = false;
    let effects = harness.keys("x");
    let request = last_request(&effects, Requester::Dialog).expect("a question");
    let now = process(4242, "sleep").command("sleep 60").build();
    harness.event(Event::Inspected(Inspection {
        described: vec![now.clone()],
        ..inspection(request)
    }));
    let named: Vec<&Arc<Process>> = prompt(&harness).preview.ports[0]
        .tree
        .iter()
        .map(|node| &node.process)
        .collect();
    assert_eq!(named, [&now]);
    harness.wait(0.3);
    let request = harness.confirm();
    assert_eq!(request.targets()[0].process, now);
}

#[test]
fn p_adds_parent_after_parent_and_goes_back_to_the_owner() {
    let (npm, make) = (process(3970, "npm").build(), process(3960, "make").build());
    let mut harness = asked(listener(), &[npm.clone(), make.clone()]);
    let round = [
        TargetSet::WithAncestors(npm.id),
        TargetSet::WithAncestors(make.id),
        TargetSet::Topmost,
        TargetSet::WithAncestors(npm.id),
    ];
    for targets in round {
        harness.keys("p");
        assert_eq!(prompt(&harness).preview.targets, targets);
        harness.wait(0.3);
    }
    let effects = harness.keys("y");
    let both = vec![node().id, npm.id];
    assert_eq!(sent(&effects), [(3000, Signal::Terminate, both)]);
}

#[test]
fn y_sends_the_chosen_signal_only_once_the_choice_was_shown() {
    let mut harness = asked(listener(), &[]);
    assert_eq!(harness.keys("sk"), [], "a choice sends nothing");
    let chosen = prompt(&harness);
    assert_eq!(
        (chosen.preview.signal, chosen.is_choosing_signal),
        (Signal::Kill, false)
    );
    assert_eq!(harness.keys("y"), [], "not read yet");
    harness.wait(0.3);
    let effects = harness.keys("y");
    assert_eq!(sent(&effects), [(3000, Signal::Kill, vec![node().id])]);

    for letter in ["y", "a", "s", "p"] {
        let mut harness = asked(listener(), &[process(3970, "npm").build()]);
        harness.keys("s");
        harness.wait(0.3);
        assert_eq!(sent(&harness.keys(letter)), []);
        assert!(is_closed(&harness), "{letter}");
    }
}

#[test]
fn an_unavailable_dialog_key_does_nothing() {
    for letter in ["a", "g", "p", "c", "l", "I", "K"] {
        let mut harness = asked(listener(), &[]);
        assert_eq!(harness.keys(letter), [], "{letter}");
        assert!(!is_closed(&harness), "{letter}");
    }
}

#[test]
fn the_mark_of_a_row_that_closes_is_forgotten() {
    let mut harness = AppHarness::with(two());
    harness.keys("  ");
    assert_eq!(harness.app.selection.marked_count(), 2);
    harness.seconds = 1.0;
    harness.poll(vec![listener()]);
    assert_eq!(harness.app.selection.marked_count(), 1);
    // What comes in its place is another one, and was not marked.
    harness.seconds = 2.0;
    let next = socket("127.0.0.1:4000").owner_hint(7).owner(&vite());
    harness.poll(vec![listener(), next]);
    harness.keys("x");
    harness.wait(1.0);
    let effects = harness.keys("y");
    assert_eq!(sent(&effects), [(3000, Signal::Terminate, vec![node().id])]);
}

#[test]
fn marked_rows_hidden_by_the_filter_are_not_freed() {
    let mut harness = AppHarness::with(two());
    harness.keys("  4000");
    harness.key(KeyCode::Enter);
    harness.keys("x");
    harness.wait(1.0);
    let effects = harness.keys("y");
    assert_eq!(sent(&effects), [(4000, Signal::Terminate, vec![vite().id])]);
    assert_eq!(harness.app.selection.marked_count(), 2);
}

#[test]
fn marked_rows_are_freed_together_and_each_port_once() {
    let mut table = two();
    table.push(socket("[::1]:3000").owner(&node()));
    let mut harness = AppHarness::with(table);
    harness.keys("   x");
    harness.wait(1.0);
    let effects = harness.keys("y");
    let expected = [
        (3000, Signal::Terminate, vec![node().id]),
        (4000, Signal::Terminate, vec![vite().id]),
    ];
    assert_eq!(sent(&effects), expected);
}

#[test]
fn enter_presses_the_button_that_has_the_focus() {
    let mut harness = asked(listener(), &[]);
    let round = ["y stop it (SIGTERM)", "s signal", "Cancel"];
    for button in round {
        harness.key(KeyCode::Right);
        assert_eq!(focused(&harness), button);
    }
    harness.key(KeyCode::Left);
    assert_eq!(focused(&harness), "s signal");
    harness.key(KeyCode::Enter);
    assert!(prompt(&harness).is_choosing_signal);
    assert_eq!(
        focused(&harness),
        "Cancel",
        "what has changed is harmless again"
    );
    harness.wait(0.3);
    harness.key(KeyCode::Tab);
    harness.key(KeyCode::Enter);
    harness.wait(0.3);
    harness.key(KeyCode::Tab);
    let effects = harness.key(KeyCode::Enter);
    assert_eq!(sent(&effects), [(3000, Signal::Terminate, vec![node().id])]);
}

/// The dialog about the port of another user's process, with live buttons.
fn foreign() -> AppHarness {
    let java = process(4242, "java").user(1001, "ops").build();
    asked(socket("127.0.0.1:3000").owner(&java), &[])
}

#[test]
fn only_the_right_port_confirms_a_typed_confirmation() {
    let mut harness = foreign();
    for (digit, typed, button) in [
        ("300", "300", "Cancel"),
        ("0", "3000", "stop it (SIGTERM)"),
        ("1", "30001", "Cancel"),
    ] {
        harness.keys(digit);
        let now = (prompt(&harness).typed.clone(), focused(&harness));
        assert_eq!(now, (typed.to_owned(), button.to_owned()));
    }
    // No port has six digits, so a sixth one is a wrong key.
    harness.keys("2");
    assert!(is_closed(&harness));
    let mut harness = foreign();
    harness.keys("3001");
    harness.key(KeyCode::Backspace);
    harness.keys("0");
    let effects = harness.key(KeyCode::Enter);
    assert_eq!(sent(&effects), [(3000, Signal::Terminate, vec![node().id])]);
}

#[test]
fn a_typed_confirmation_accepts_no_other_answer() {
    type Answer<'a> = &'a dyn Fn(&mut AppHarness) -> Vec<Effect>;
    let answers: [Answer; 4] = [
        &|harness| harness.keys("y"),
        &|harness| harness.key(KeyCode::Enter),
        &|harness| {
            harness.keys("300");
            harness.key(KeyCode::Enter)
        },
        &|harness| harness.keys("3000y"),
    ];
    let stays = [true, false, true, true];
    for (answer, stays) in answers.into_iter().zip(stays) {
        let mut harness = foreign();
        assert_eq!(sent(&answer(&mut harness)), []);
        assert_eq!(is_closed(&harness), !stays);
    }
    // Wherever the focus is, the port must stand there.
    let mut harness = foreign();
    harness.key(KeyCode::Tab);
    assert_eq!(focused(&harness), "stop it (SIGTERM)");
    assert_eq!(harness.key(KeyCode::Enter), []);
    assert!(!is_closed(&harness));
}

#[test]
fn what_was_typed_for_other_processes_is_forgotten() {
    let java = process(4242, "java").user(1001, "ops").build();
    let worker = process(4243, "java").user(1001, "ops").parent(4242).build();
    let mut harness = asked(socket("127.0.0.1:3000").owners(&[&java, &worker]), &[]);
    harness.keys("3000a");
    let asked = prompt(&harness);
    assert_eq!(
        (asked.preview.targets, asked.typed.as_str()),
        (TargetSet::All, "")
    );
}
