use super::*;
use crate::model::address::Family;
use crate::model::endpoint::Protocol;
use crate::model::ports::EphemeralRange;
use crate::model::testing::{SocketBuilder, moment, socket};
use crate::table::query;

struct ListOutput {
    outcome: ListOutcome,
    out: String,
    errors: String,
}

fn printed(sockets: Vec<SocketBuilder>, problems: Vec<Problem>, words: &[&str]) -> ListOutput {
    printed_with(sockets, problems, None, words)
}

fn printed_with(
    sockets: Vec<SocketBuilder>,
    problems: Vec<Problem>,
    pids_problem: Option<&str>,
    words: &[&str],
) -> ListOutput {
    let result = ListInput {
        pids_problem: pids_problem.map(str::to_owned),
        taken: moment(0.0),
        endpoints: sockets.into_iter().map(SocketBuilder::endpoint).collect(),
        problems,
    };
    let context = DisplayContext {
        now: moment(0.0),
        home: None,
        ephemeral: EphemeralRange::IANA,
        is_ascii: false,
    };
    let as_json = words.contains(&"--json");
    let text: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| *word != "--json")
        .collect();
    let parsed = query::parse_finished(&text.join(" "));
    let request = ListRequest {
        filter: Filter {
            query: parsed.query.exact(),
            ..Filter::default()
        },
        hint: parsed.hint,
        as_json,
    };
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let outcome = print(result, request, &context, &mut out, &mut errors);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    ListOutput {
        outcome: outcome.expect("the rows are printed"),
        out: text(out),
        errors: text(errors),
    }
}

fn unread() -> Vec<Problem> {
    vec![Problem {
        protocol: Protocol::Tcp,
        family: Family::Ipv4,
        reason: "permission denied".to_owned(),
    }]
}

#[test]
fn no_row_among_tables_that_were_read_is_nothing() {
    let printed = printed(vec![socket("127.0.0.1:1")], vec![], &["3000"]);
    assert_eq!(printed.outcome, ListOutcome::Nothing);
    assert_eq!(printed.out, "");
}

#[test]
fn no_row_with_an_unread_table_is_unknown() {
    for words in [&["3000"][..], &["3000", "--json"]] {
        let printed = printed(vec![socket("127.0.0.1:1")], unread(), words);
        assert_eq!(printed.outcome, ListOutcome::Unknown, "{words:?}");
        assert_eq!(printed.errors.lines().count(), 1, "{}", printed.errors);
        assert!(printed.errors.contains("permission denied"));
        assert_eq!(printed.out.starts_with('{'), words.len() == 2);
    }
}

#[test]
fn rows_are_rows_although_a_table_could_not_be_read() {
    let printed = printed(vec![socket("127.0.0.1:3000")], unread(), &["3000"]);
    assert_eq!(printed.outcome, ListOutcome::Rows);
    assert!(printed.errors.contains("permission denied"));
}

#[test]
fn a_filter_hint_is_printed() {
    for words in [&["foo:1"][..], &["foo:1", "--json"]] {
        let printed = printed(Vec::new(), Vec::new(), words);
        let expected = "portmon: filter: foo: is no field; looking for it as text\n";
        assert_eq!(printed.errors, expected);
    }
}

#[test]
fn several_ports_that_no_row_has_are_said_to_be_meant_together() {
    let cases = [
        (
            "3000 3100",
            "portmon: filter: 3000 and 3100 must both match; either is 3000,3100\n",
        ),
        (
            "3000 3100 3200",
            "portmon: filter: 3000, 3100 and 3200 must all match; any of them is 3000,3100,3200\n",
        ),
        ("3000,3100", ""),
    ];
    for (text, expected) in cases {
        let printed = printed(vec![socket("127.0.0.1:1")], Vec::new(), &[text]);
        assert_eq!(printed.errors, expected, "{text}");
    }
}

#[test]
fn hidden_owners_are_said_only_where_they_matter() {
    let one = "portmon: 1 owner may not be seen by this user\n";
    // The owner of the first is hidden, the second has none.
    let cases = [
        ("1", one),
        ("2", ""),
        ("3", ""),
        ("node", one),
        ("proto:tcp 3", ""),
    ];
    for (text, expected) in cases {
        let sockets = vec![socket("127.0.0.1:1"), socket("127.0.0.1:2").without_owner()];
        let printed = printed(sockets, Vec::new(), &[text]);
        assert_eq!(printed.errors, expected, "{text}");
    }
}

#[test]
fn foreign_pids_are_told_and_leave_every_table_read() {
    let printed = |words: &[&str]| printed_with(Vec::new(), Vec::new(), Some("odd pids"), words);
    let text = printed(&[]);
    assert_eq!(
        (text.outcome, text.errors.as_str()),
        (ListOutcome::Nothing, "portmon: odd pids\n")
    );
    let json: serde_json::Value = serde_json::from_str(&printed(&["--json"]).out).expect("JSON");
    assert_eq!(json["problems"], serde_json::json!(["odd pids"]));
}
