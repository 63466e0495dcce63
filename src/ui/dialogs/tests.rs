use crate::app::testing::AppHarness;
use crate::app::{Effect, Event};
use crate::check::testing::{V4, port};
use crate::check::{CheckReport, Findings};
use crate::free::testing::not_sent;
use crate::free::{ExecCommand, SignalError};
use crate::model::process::{Process, ProcessTree, Restriction};
use crate::model::snapshot::Problem;
use crate::model::socket::{Family, Protocol};
use crate::model::testing::{instant, process, process_tree, socket};
use crate::ui::shows_all_targets;
use crate::ui::tests::{dialog, drawn, harness, shows, text};
use crossterm::event::Event as TerminalEvent;
use ratatui::style::Modifier;
use std::sync::Arc;

#[test]
fn help_begins_with_the_keys_of_the_table() {
    let mut harness = harness((80, 12));
    harness.keys("?");
    insta::assert_snapshot!(text(&harness), @"
    ┌ Help · ↑ ↓ scroll · Esc close ───────────────────────────────────────────────┐
    │ Keys                                                                         │
    │   ↑ k               up                                                       │
    │   ↓ j               down                                                     │
    │   PgUp Ctrl-B       page up                                                  │
    │   PgDn Ctrl-F       page down                                                │
    │   Ctrl-U            half a page up                                           │
    │   Ctrl-D            half a page down                                         │
    │   Home g            first row                                                │
    │   End G             last row                                                 │
    │   n                 next changed row                                         │
    └──────────────────────────────────────────────────────────────────────────────┘
    ");
}

#[test]
fn the_dialog_names_targets_and_dims_unarmed_buttons() {
    let mut harness = harness((80, 24));
    harness.keys("x");
    insta::assert_snapshot!(dialog(&harness), @"
    ┌ Free port 3000 on build-07? ───────────────────────────────────────────────┐
    │ Stops        node 4242   next dev · ~/code/shop   dev   up 1h              │
    │ Also closes  1 connection                                                  │
    │ Started by   …                                                             │
    │                                                                            │
    │ [ Cancel ]   y stop it (SIGTERM)     s signal                              │
    └────────────────────────────────────────────────────────────────────────────┘
    ");
    // The `C` of `Cancel`.
    let is_dim = |harness: &AppHarness| {
        let buffer = drawn(harness);
        let mut cells = buffer.content.iter().rev();
        let cell = cells.find(|cell| cell.symbol() == "C").expect("the button");
        cell.modifier.contains(Modifier::DIM)
    };
    assert!(is_dim(&harness));
    harness.wait(1.0);
    assert!(!is_dim(&harness));
}

#[test]
fn a_low_dialog_has_nine_lines_and_says_if_some_do_not_fit() {
    let master = process(100, "gunicorn").user(0, "root").build();
    let workers: Vec<_> = (101..120)
        .map(|pid| process(pid, "gunicorn").user(0, "root").parent(100).build())
        .collect();
    let holders: Vec<_> = std::iter::once(&master).chain(&workers).collect();
    let mut harness = AppHarness::new((80, 12));
    harness.poll(vec![socket("127.0.0.1:8000").owners(&holders)]);
    harness.keys("x");
    harness.wait(1.0);
    harness.keys("a");
    insta::assert_snapshot!(dialog(&harness), @"
    ┌ Free port 8000 on build-07? ───────────────────────────────────────────────┐
    │ Stops        20 processes: gunicorn 100, gunicorn 101, gunicorn 102,       │
    │              gunicorn 103, gunicorn 104, gunicorn 105, gunicorn 106,       │
    │              gunicorn 107, gunicorn 108, gunicorn 109, gunicorn 110,       │
    │              gunicorn 111, gunicorn 112, gunicorn 113, gunicorn 114,       │
    │              … more (use a taller terminal)                                │
    │ Confirm      Type 8000, then Enter, to confirm: _                          │
    │ [ Cancel ]   stop 20 (SIGTERM)     a topmost only     s signal             │
    └────────────────────────────────────────────────────────────────────────────┘
    ");
}

#[test]
fn many_targets_share_lines_and_name_their_addresses() {
    let one = process(11, "vite").build();
    let two = process(12, "node").build();
    let mut harness = AppHarness::with(vec![
        socket("127.0.0.1:5173").owner(&one),
        socket("[::1]:5173").owner(&two),
    ]);
    harness.keys("x");
    insta::assert_snapshot!(dialog(&harness), @"
    ┌ Free port 5173 on build-07? ───────────────────────────────────────────────┐
    │ Stops        vite 11   on 127.0.0.1   vite   dev   up 1h                   │
    │              node 12   on ::1   node   dev   up 1h                         │
    │ Also closes  no other port                                                 │
    │ Started by   …                                                             │
    │                                                                            │
    │ [ Cancel ]   y stop 2 (SIGTERM)     s signal                               │
    └────────────────────────────────────────────────────────────────────────────┘
    ");
    let twins: Vec<_> = (1..9)
        .map(|pid| process(pid + 100, "worker").build())
        .collect();
    let mut harness = AppHarness::with(vec![
        socket("127.0.0.1:80").owners(&twins.iter().collect::<Vec<_>>()),
    ]);
    harness.keys("x");
    insta::assert_snapshot!(dialog(&harness), @"
    ┌ Free port 80 on build-07? ─────────────────────────────────────────────────┐
    │ Stops        8 processes: worker 101, worker 102, worker 103, worker 104,  │
    │              worker 105, worker 106, worker 107, worker 108                │
    │ Also closes  no other port                                                 │
    │ Started by   …                                                             │
    │                                                                            │
    │ [ Cancel ]   y stop 8 (SIGTERM)     s signal                               │
    └────────────────────────────────────────────────────────────────────────────┘
    ");
}

#[test]
fn the_dialog_names_what_it_cannot_see_and_may_not_signal() {
    let node = process(4242, "node").build();
    let shells: Vec<_> = (0..2)
        .map(|place| process(4300 + place, "sh").user(0, "root").build())
        .collect();
    let restriction = |process: &Arc<Process>| Restriction {
        process: process.id,
        no_fds: true,
        no_signal: true,
    };
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:5173").owner(&node)]);
    let effects = harness.keys("x");
    let tree = ProcessTree {
        ancestors: shells[..1].to_vec(),
        group: [std::slice::from_ref(&node), &shells[..]].concat(),
        restrictions: shells.iter().map(restriction).collect(),
        ..process_tree(node.id)
    };
    harness.answer_inspection(&effects, vec![tree]);
    harness.wait(0.3);
    insta::assert_snapshot!(dialog(&harness), @"
    ┌ Free port 5173 on build-07? ───────────────────────────────────────────────┐
    │ Stops        node 4242   node   dev   up 1h                                │
    │ Also closes  nothing else                                                  │
    │ Started by   sh 4300   sh   root   up 1h                                   │
    │                                                                            │
    │ [ Cancel ]   y stop it (SIGTERM)     g group (3)     p and sh 4300         │
    │   s signal                                                                 │
    └────────────────────────────────────────────────────────────────────────────┘
    ");
    harness.keys("g");
    harness.wait(0.3);
    insta::assert_snapshot!(dialog(&harness), @"
    ┌ Free port 5173 on build-07? ───────────────────────────────────────────────┐
    │ Stops        node 4242   node   dev   up 1h                                │
    │              sh 4300   not an owner (same process group)   sh   root       │
    │              up 1h                                                         │
    │              sh 4301   not an owner (same process group)   sh   root       │
    │              up 1h                                                         │
    │ Also closes  2 of these 3 belong to other users; what else they hold is    │
    │              unknown                                                       │
    │ Started by   init, or a parent that has exited                             │
    │ Warning      sh 4300 of root and 1 more belong to other users              │
    │              Nothing would be sent for :5173: you are not permitted to     │
    │              signal 2 of these 3 processes, including sh 4300 of root      │
    │ Confirm      Type 5173, then Enter, to confirm: _                          │
    │                                                                            │
    │ [ Cancel ]   stop 3 (SIGTERM)     g owner only     p and sh 4300           │
    │   s signal                                                                 │
    └────────────────────────────────────────────────────────────────────────────┘
    ");
    harness.keys("p");
    harness.wait(0.3);
    insta::assert_snapshot!(dialog(&harness), @"
    ┌ Free port 5173 on build-07? ───────────────────────────────────────────────┐
    │ Stops        node 4242   node   dev   up 1h                                │
    │              sh 4300   not an owner (parent process)   sh   root   up 1h   │
    │ Also closes  sh 4300 belongs to root; what else it holds is unknown        │
    │ Started by   init, or a parent that has exited                             │
    │ Warning      sh 4300 belongs to root                                       │
    │              Nothing would be sent for :5173: you are not permitted to     │
    │              signal sh 4300 of root                                        │
    │ Confirm      Type 5173, then Enter, to confirm: _                          │
    │                                                                            │
    │ [ Cancel ]   stop 2 (SIGTERM)     g group (3)     p owner only             │
    │   s signal                                                                 │
    └────────────────────────────────────────────────────────────────────────────┘
    ");
}

#[test]
fn nothing_sent_does_not_read_as_if_the_port_were_free() {
    let node = process(4242, "node").build();
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:5001").owner(&node)]);
    harness.keys("x");
    harness.wait(1.0);
    let effects = harness.keys("y");
    let [Effect::Free(ExecCommand::Send(requests))] = effects.as_slice() else {
        panic!("one command: {effects:?}")
    };
    harness.free_event(&requests[0], not_sent(SignalError::AlreadyExited(node)));
    // The last poll still shows the process that has exited: not a word of who holds the port now.
    insta::assert_snapshot!(dialog(&harness), @"
    ┌ Port 5001 on build-07 ─────────────────────────────────────────────────────┐
    │ Nothing sent: node 4242 has already exited.                                │
    │                                                                            │
    │ [ Close ]   x ask again     w why                                          │
    └────────────────────────────────────────────────────────────────────────────┘
    ");
    harness.seconds = 1.0;
    let python = process(20688, "python3").build();
    harness.poll(vec![socket("127.0.0.1:5001").owner_hint(2).owner(&python)]);
    insta::assert_snapshot!(dialog(&harness), @"
    ┌ Port 5001 on build-07 ─────────────────────────────────────────────────────┐
    │ Nothing sent: node 4242 has already exited. :5001 is held by python3 20688 │
    │ now.                                                                       │
    │                                                                            │
    │ [ Close ]   x ask again     w why                                          │
    └────────────────────────────────────────────────────────────────────────────┘
    ");
}

#[test]
fn a_freed_port_says_how_long_it_is_still_watched() {
    let node = process(4242, "node").build();
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:5001").owner(&node)]);
    harness.free_unsettled();
    insta::assert_snapshot!(dialog(&harness), @"
    ┌ Port 5001 on build-07 ─────────────────────────────────────────────────────┐
    │ :5001 is free. node 4242 ended 0.5 s after SIGTERM. Watching for 2 s more… │
    │                                                                            │
    │ [ Close ]                                                                  │
    └────────────────────────────────────────────────────────────────────────────┘
    ");
    harness.wait(1.5);
    let text = dialog(&harness);
    assert!(text.contains("Watching for 1 s more…"), "{text}");
}

#[test]
fn the_smallest_screen_names_every_target() {
    let workers: Vec<_> = (10690..10693)
        .map(|pid| process(pid, "python3.11").build())
        .collect();
    let mut harness = AppHarness::new((40, 8));
    harness.poll(vec![
        socket("127.0.0.1:3300").owners(&workers.iter().collect::<Vec<_>>()),
    ]);
    harness.keys("x");
    insta::assert_snapshot!(text(&harness), @"
    ┌ Free port 3300 on build-07? ─────────┐
    │ Stops        3 processes: python3.11 │
    │              10690, python3.11       │
    │              10691, python3.11 10692 │
    │              … more (use a taller t… │
    │ [ Cancel ]   y stop 3 (SIGTERM)      │
    │   s signal                           │
    └──────────────────────────────────────┘
    ");
}

#[test]
fn confirm_is_offered_only_if_every_target_is_named() {
    let master = process(1000, "gunicorn").build();
    let workers = (1001..1121).map(|pid| process(pid, "gunicorn").parent(1000).build());
    let family: Vec<_> = std::iter::once(master).chain(workers).collect();
    let mut harness = AppHarness::new((80, 24));
    harness.poll(vec![
        socket("127.0.0.1:3300").owners(&family.iter().collect::<Vec<_>>()),
    ]);
    harness.keys("x");
    assert!(shows_all_targets(&harness.app), "the master alone");
    harness.wait(1.0);
    harness.keys("a");
    assert!(!shows_all_targets(&harness.app));
    harness.app.on_drawn(instant(harness.seconds), false);
    harness.wait(1.0);
    let shown = ["Not all targets fit", "stop 121"].map(|words| shows(&harness, words));
    assert_eq!(shown, [true, false], "{}", text(&harness));
    let effects = harness.keys("y");
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::Free(_)))
    );
    harness.keys("x");
    harness.wait(1.0);
    harness.keys("a");
    harness.event(Event::Input(TerminalEvent::Resize(80, 60)));
    assert!(shows_all_targets(&harness.app), "{}", text(&harness));
}

/// The check dialog with this report, on a screen of this height.
fn check_dialog(height: u16, change: impl FnOnce(Findings) -> Findings) -> String {
    let mut harness = harness((80, height));
    harness.keys("w");
    let findings = change(port(3000));
    harness.event(Event::Checked(Box::new(CheckReport::of(findings))));
    dialog(&harness)
}

#[test]
fn the_check_dialog_shows_verdict_reasons_and_bind_count() {
    let node = process(4242, "node").build();
    let listener = socket("127.0.0.1:3000").owner(&node);
    let dialog = check_dialog(24, |findings| findings.refused(&V4).sees(listener));
    insta::assert_snapshot!(dialog, @"
    ┌ Why :3000 ─────────────────────────────────────────────────────────────────┐
    │ HELD :3000 by node 4242 of dev on 127.0.0.1:3000                           │
    │                                                                            │
    │ · node 4242 of dev listens on 127.0.0.1:3000                               │
    │ · only IPv4 is taken: ::1 and :: can be bound                              │
    │                                                                            │
    │ tested with 8 binds, each closed immediately                               │
    │ c connect (may end a one-shot server)   Esc close                          │
    └────────────────────────────────────────────────────────────────────────────┘
    ");
}

#[test]
fn the_check_dialog_says_what_it_tries_until_it_has_a_report() {
    let mut harness = harness((80, 24));
    harness.keys("w");
    insta::assert_snapshot!(dialog(&harness), @"
    ┌ Why :3000 ─────────────────────────────────────────────────────────────────┐
    │ trying 8 binds…                                                            │
    │ Esc close                                                                  │
    └────────────────────────────────────────────────────────────────────────────┘
    ");
}

#[test]
fn the_check_dialog_on_a_low_screen_has_at_most_nine_lines() {
    let problem = Problem {
        protocol: Protocol::Udp,
        family: Family::Ipv4,
        reason: "out of memory".to_owned(),
    };
    let dialog = check_dialog(12, |findings| {
        findings.with(|findings| findings.problems = vec![problem; 9])
    });
    insta::assert_snapshot!(dialog, @"
    ┌ Why :3000 ─────────────────────────────────────────────────────────────────┐
    │ FREE :3000                                                                 │
    │ · cannot read udp4 sockets: out of memory                                  │
    │ · cannot read udp4 sockets: out of memory                                  │
    │ · cannot read udp4 sockets: out of memory                                  │
    │ · cannot read udp4 sockets: out of memory                                  │
    │ · cannot read udp4 sockets: out of memory                                  │
    │ ↑ ↓ 5 more   c connect (may end a one-shot server)   Esc close             │
    └────────────────────────────────────────────────────────────────────────────┘
    ");
}
