use crate::app::Event;
use crate::app::testing::AppHarness;
use crate::model::process::ExitStatus;
use crate::model::process::{InspectRequest, Inspection, Process, Requester};
use crate::model::testing::{process, socket};
use crate::ui::tests::{details, message};
use crossterm::event::KeyCode;
use std::sync::Arc;

fn debugpy() -> Arc<Process> {
    process(9130, "python3")
        .command("python3 -m debugpy")
        .directory("/home/dev/code/api")
        .build()
}

#[test]
fn a_free_port_shows_its_last_owner_and_when_it_closed() {
    let mut harness = AppHarness::with(vec![]);
    harness.seconds = 1.0;
    harness.poll(vec![socket("127.0.0.1:62893").owner(&debugpy())]);
    harness.seconds = 73.0;
    harness.poll(vec![]);
    harness.wait(3.0);
    harness.keys("62893");
    insta::assert_snapshot!(message(&harness), @"nothing on 62893 now · last: python3 9130 (debugpy · ~/code/api), closed 3 s ago, was open for 72 s · Esc clears the text");
    harness.key(KeyCode::Enter);
    harness.wait(59.0);
    insta::assert_snapshot!(message(&harness), @"nothing on 62893 now · last: python3 9130 (debugpy · ~/code/api), closed 62 s ago, was open for 72 s · Y copies its restart command · Esc clears the text");
    harness.wait(120.0);
    insta::assert_snapshot!(message(&harness), @"nothing on 62893 now · last: python3 9130 (debugpy · ~/code/api), closed 3 min 2 s ago, was open for 72 s · Y copies its restart command · Esc clears the text");
}

#[test]
fn the_exit_status_is_shown_as_far_as_known() {
    let mut harness = AppHarness::with(vec![socket("127.0.0.1:62893").owner(&debugpy())]);
    let id = debugpy().id;
    let learn = |harness: &mut AppHarness, exit_status| {
        let request = InspectRequest {
            unowned: Vec::new(),
            requester: Requester::History,
            endpoint: socket("127.0.0.1:1").build().id,
            processes: vec![id],
            port: None,
            ports: Vec::new(),
            unused_near: None,
        };
        harness.event(Event::Inspected(Inspection {
            candidates: Vec::new(),
            request,
            described: Vec::new(),
            trees: Vec::new(),
            exit_statuses: vec![(id, exit_status)],
            supervisor: crate::model::process::Supervisor::default(),
            addresses: Vec::new(),
            unused: None,
        }));
    };
    harness.keys("i");
    insta::assert_snapshot!(details(&harness, &["started"]), @"started: 2026-01-31T09:00:00Z · up 1 h");
    harness.seconds = 1.0;
    harness.poll(vec![]);
    insta::assert_snapshot!(details(&harness, &["started"]), @"started: 2026-01-31T09:00:00Z");
    learn(&mut harness, ExitStatus::StillRunning);
    harness.wait(2.0);
    insta::assert_snapshot!(details(&harness, &["closed"]), @"closed: 2 s ago · still running");
    harness.wait(10.0);
    harness.keys("62893");
    harness.key(KeyCode::Enter);
    insta::assert_snapshot!(message(&harness), @"nothing on 62893 now · last: python3 9130 (debugpy · ~/code/api), closed 12 s ago, was open for at most 1 h 1 min · still running · Y copies its restart command · Esc clears the text");
    learn(&mut harness, ExitStatus::Ended);
    insta::assert_snapshot!(message(&harness), @"nothing on 62893 now · last: python3 9130 (debugpy · ~/code/api), closed 12 s ago, was open for at most 1 h 1 min · exited · Y copies its restart command · Esc clears the text");

    let mut harness = AppHarness::with(vec![socket("127.0.0.1:62893").owner(&debugpy())]);
    harness.free();
    harness.poll(vec![]);
    harness.key(KeyCode::Esc);
    harness.wait(5.0);
    harness.keys("62893");
    insta::assert_snapshot!(message(&harness), @"nothing on 62893 now · last: python3 9130 (debugpy · ~/code/api), closed 5 s ago, was open for at most 1 h 1 min · ended 0.5 s after portmon sent SIGTERM · Esc clears the text");
}

#[test]
fn an_unknown_owner_is_described_by_what_is_known() {
    let twins = [
        process(1, "gunicorn").build(),
        process(2, "gunicorn").build(),
    ];
    let sockets = [
        socket("127.0.0.1:80").user(0, "root"),
        socket("127.0.0.1:80").pending(),
        socket("127.0.0.1:80").without_owner(),
        socket("127.0.0.1:80").udp().owner(&twins[0]),
        socket("127.0.0.1:80").owners(&[&twins[0], &twins[1]]),
    ];
    let messages = sockets.map(|socket| {
        let mut harness = AppHarness::with(vec![socket]);
        harness.poll(vec![]);
        harness.wait(5.0);
        harness.keys("80");
        harness.key(KeyCode::Enter);
        message(&harness)
    });
    insta::assert_snapshot!(messages.join("\n"), @"
    nothing on 80 now · last: a hidden process of root, closed 5 s ago · Esc clears the text
    nothing on 80 now · last: an unidentified process of dev, closed 5 s ago · Esc clears the text
    nothing on 80 now · last: no process (the kernel), closed 5 s ago · Esc clears the text
    nothing on 80 now · last: gunicorn 1 (gunicorn) (udp), closed 5 s ago, was open for at most 1 h · Esc clears the text
    nothing on 80 now · last: gunicorn 1 ×2 (gunicorn), closed 5 s ago, was open for at most 1 h · Esc clears the text
    ");
}

#[test]
fn pids_in_place_of_ports_are_offered_as_pids() {
    let (node, vite) = (
        process(4242, "node").build(),
        process(70_000, "vite").build(),
    );
    let sockets = || {
        vec![
            socket("127.0.0.1:3000").owner(&node),
            socket("127.0.0.1:9229").owner(&node),
            socket("127.0.0.1:5173").owner(&vite),
        ]
    };
    let offer = |text: &str| {
        let mut harness = AppHarness::with(sockets());
        harness.keys(text);
        let offer = message(&harness);
        harness.key(KeyCode::Enter);
        (offer, harness.app.filter_box.text.clone())
    };
    let named = |offer: &str, filter: &str| (offer.to_owned(), filter.to_owned());
    let cases = [
        (
            "4242",
            "no port 4242 · process 4242 (node) holds 3000 and 9229 · Enter: pid:4242",
            "pid:4242",
        ),
        (
            "70000",
            "no port 70000 · process 70000 (vite) holds 5173 · Enter: pid:70000",
            "pid:70000",
        ),
    ];
    for (text, expected, filter) in cases {
        assert_eq!(offer(text), named(expected, filter));
    }
    let (several, filter) = offer("/70000 4242");
    assert!(several.starts_with("no port 70000 or 4242 · process 70000 (vite) and"));
    assert_eq!(filter, "pid:70000,4242");
    // A number that is no pid waits for its port.
    assert_eq!(offer("4243").1, "4243");
}

#[test]
fn an_accepted_number_that_is_a_pid_is_offered_too() {
    let node = process(4242, "node").build();
    let mut harness = AppHarness::with(vec![]);
    harness.keys("4242");
    harness.key(KeyCode::Enter);
    harness.seconds = 1.0;
    harness.poll(vec![socket("127.0.0.1:3000").owner(&node)]);
    assert_eq!(
        message(&harness),
        "no port 4242 · process 4242 (node) holds 3000 · Enter: pid:4242"
    );
    harness.key(KeyCode::Enter);
    assert_eq!(harness.app.filter_box.text, "pid:4242");
}

#[test]
fn details_of_a_listener_name_a_different_previous_owner() {
    let mut harness = AppHarness::new((160, 40));
    harness.poll(vec![socket("127.0.0.1:3000").owner(&debugpy())]);
    harness.keys("i");
    harness.seconds = 1.0;
    harness.poll(vec![]);
    harness.seconds = 61.0;
    harness.poll(vec![
        socket("127.0.0.1:3000").owner_hint(2).owner(&debugpy()),
    ]);
    assert_eq!(details(&harness, &["previous"]), "");
    harness.seconds = 62.0;
    harness.poll(vec![]);
    harness.seconds = 182.0;
    let node = process(7, "node").build();
    harness.poll(vec![socket("127.0.0.1:3000").owner_hint(3).owner(&node)]);
    harness.wait(60.0);
    insta::assert_snapshot!(details(&harness, &["previous"]), @"previous: python3 9130 (debugpy · ~/code/api), closed 3 min ago, was open for 1 s");
}
