use super::*;
use crate::model::environment::PidNamespaceProblem;
use crate::model::socket::{Family, NotFoundCause, Protocol};
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
    pids_problem: Option<PidNamespaceProblem>,
    words: &[&str],
) -> ListOutput {
    let environment = Environment {
        pids_problem,
        ..Environment::default()
    };
    let filter: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| *word != "--json")
        .collect();
    let parsed = query::parse_finished(&filter.join(" "));
    let request = ListRequest {
        filter: Filter {
            query: parsed.query.exact(),
            ..Filter::default()
        },
        hint: parsed.hint,
        as_json: words.contains(&"--json"),
        endpoints: sockets.into_iter().map(SocketBuilder::endpoint).collect(),
        problems,
        taken: moment(0.0),
    };
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let outcome = print(request, &environment, &mut out, &mut errors);
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
fn no_row_in_tables_that_were_read_is_no_rows() {
    let printed = printed(vec![socket("127.0.0.1:1")], vec![], &["3000"]);
    assert_eq!(printed.outcome, ListOutcome::NoRows);
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
        let expected = "portmon: filter: unknown field \"foo\": searching for it as text\n";
        assert_eq!(printed.errors, expected);
    }
}

#[test]
fn hidden_owners_are_noted_only_if_they_matter() {
    let one = "portmon: 1 owner hidden (sudo shows it)\n";
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
fn owners_that_were_not_found_are_counted_by_their_cause() {
    let counts = |hidden, shown_by_sudo, not_found, not_looked_up| NotFoundCounts {
        hidden,
        shown_by_sudo,
        not_found,
        not_looked_up,
    };
    let cases = [
        (counts(0, 0, 0, 0), None),
        (counts(1, 0, 0, 0), Some("1 owner hidden")),
        (counts(2, 1, 0, 0), Some("2 owners hidden (sudo shows 1)")),
        (
            counts(2, 2, 1, 0),
            Some("2 owners hidden (sudo shows them), 1 not found"),
        ),
        (counts(0, 0, 2, 0), Some("2 owners not found")),
        (
            counts(0, 0, 0, 1),
            Some("1 owner not looked up (too many open files)"),
        ),
    ];
    for (counts, expected) in cases {
        let note = wording::owners_not_found(&counts);
        assert_eq!(note.as_deref(), expected, "{counts:?}");
    }
}

#[test]
fn an_owner_outside_of_reach_is_not_called_hidden() {
    use NotFoundCause::{MissingPtrace, NoProcess, OtherUser, OutOfDescriptors};
    let mut counts = NotFoundCounts::default();
    for cause in [OtherUser, MissingPtrace, NoProcess, OutOfDescriptors] {
        let owners = Owners::from(cause);
        counts.change(owners.not_found().expect("no owner"), 1);
    }
    let expected = NotFoundCounts {
        hidden: 2,
        shown_by_sudo: 1,
        not_found: 1,
        not_looked_up: 1,
    };
    assert_eq!(counts, expected);
}

#[test]
fn foreign_pids_are_a_problem_but_every_table_is_read() {
    let problem = PidNamespaceProblem::NotShown;
    let printed = |words: &[&str]| printed_with(Vec::new(), Vec::new(), Some(problem), words);
    let (text, sentence) = (printed(&[]), wording::pids_problem(problem));
    assert_eq!(
        (text.outcome, text.errors),
        (ListOutcome::NoRows, format!("portmon: {sentence}\n"))
    );
    let json: serde_json::Value = serde_json::from_str(&printed(&["--json"]).out).expect("JSON");
    assert_eq!(json["problems"], serde_json::json!([sentence]));
}
