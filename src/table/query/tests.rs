use super::*;
use crate::model::port::EphemeralRange;
use crate::model::socket::{Endpoint, SocketRole, State};
use crate::model::testing::{SocketBuilder, instant, moment, process, socket};
use crate::table::fields::FIELDS;
use crate::table::row::ChangeMark;
use std::collections::BTreeSet;

mod matching;
mod typing;

const CONTEXT: fn() -> DisplayContext<'static> = || DisplayContext {
    now: moment(0.0),
    home: Some("/home/dev"),
    ephemeral: EphemeralRange {
        first: 32768,
        last: 60999,
    },
    is_ascii: false,
};

fn connection(role: SocketRole, socket: SocketBuilder) -> Endpoint {
    let mut endpoint = socket.endpoint();
    endpoint.relation.role = role;
    endpoint
}

/// The rows that the tables below name, each by one letter.
///
/// N node listens on *:3000, S and C are a connection to it (server, client side), V vite on [::1]:5173, P postgres on
/// 127.0.0.1:5432, W a hidden listener of root on 0.0.0.0:5432, U a UDP socket on 127.0.0.1:5353, D debugpy on
/// 127.0.0.1:62893, B bound to 10.0.0.5:300 and not listening, T a TIME_WAIT of 127.0.0.1:5432.
fn rows() -> Vec<(char, Row)> {
    let node = process(4242, "node")
        .command("node /srv/node_modules/.bin/next dev")
        .directory("/home/dev/code/shop")
        .build();
    let chrome = process(942, "chrome").build();
    let vite = process(3977, "node").command("node /x/vite dev").build();
    let postgres = process(812, "postgres").user(70, "postgres").build();
    let worker = process(813, "postgres").parent(812).build();
    let python = process(9130, "Python 3").build();
    let mut all = socket("[::]:3000").owner(&node).endpoint();
    all.socket.v6only = Some(false);
    let server = socket("127.0.0.1:3000").to("127.0.0.1:51324");
    let client = socket("127.0.0.1:51324").to("127.0.0.1:3000");
    let shared = socket("127.0.0.1:5432").owners(&[&postgres, &worker]);
    let left = socket("127.0.0.1:5432").to("127.0.0.1:41000");
    let left = left.state(State::TimeWait).without_owner();
    let bound = socket("10.0.0.5:300").state(State::Bound);
    let endpoints = [
        ('N', all),
        ('S', connection(SocketRole::Server, server.owner(&node))),
        ('C', connection(SocketRole::Client, client.owner(&chrome))),
        ('V', socket("[::1]:5173").owner(&vite).endpoint()),
        ('P', shared.user(70, "postgres").endpoint()),
        ('W', socket("0.0.0.0:5432").user(0, "root").endpoint()),
        ('U', socket("127.0.0.1:5353").udp().endpoint()),
        ('D', socket("127.0.0.1:62893").owner(&python).endpoint()),
        ('B', bound.endpoint()),
        ('T', connection(SocketRole::Server, left)),
    ];
    endpoints
        .map(|(name, endpoint)| (name, Row::from(endpoint)))
        .into()
}

fn has_port(port: u16) -> bool {
    rows().iter().any(|(_, row)| {
        let socket = &row.endpoint.socket;
        socket.port() == port || socket.remote.is_some_and(|remote| remote.port() == port)
    })
}

/// The names of the rows that a query matches, in any order.
fn matched(query: &Query) -> BTreeSet<char> {
    let mut rows = rows();
    rows.retain(|(_, row)| query.matches(row, &CONTEXT()));
    rows.into_iter().map(|(name, _)| name).collect()
}

fn named(rows: &str) -> BTreeSet<char> {
    rows.chars().collect()
}

const ALL: &str = "NSCVPWUDBT";

#[test]
fn typed_digits_are_an_existing_port_or_else_a_prefix() {
    let cases = [
        ("3", "NSCB"),
        ("30", "NSCB"),
        ("300", "B"),
        ("3000", "NSC"),
        ("62", "D"),
    ];
    for (text, expected) in cases {
        let query = parse(text).query.resolved(&has_port);
        assert_eq!(matched(&query), named(expected), "{text}");
    }
}

#[test]
fn an_only_v6_wildcard_does_not_hold_an_ipv4_address() {
    let mut endpoint = socket("[::]:3000").endpoint();
    endpoint.socket.v6only = Some(true);
    let row = Row::from(endpoint);
    let found = ["127.0.0.1:3000", "[::1]:3000", "localhost:3000"]
        .map(|text| parse(text).query.matches(&row, &CONTEXT()));
    assert_eq!(found, [false, true, true]);
}

#[test]
fn an_exact_port_and_the_sole_port_are_recognized() {
    let cases = [
        ("", false, None),
        ("3000", true, Some(3000)),
        (":3000", true, Some(3000)),
        ("127.0.0.1:3000", true, Some(3000)),
        ("http://localhost:3000/", true, Some(3000)),
        ("port:3000", true, Some(3000)),
        ("3000 node", true, None),
        ("3000,5432", true, None),
        ("rport:3000", true, None),
        ("!3000", false, None),
        ("300*", false, None),
        ("3000-3999", false, None),
        ("port:dynamic", false, None),
        ("node", false, None),
    ];
    for (text, names, meant) in cases {
        let query = parse(text).query.exact();
        let found = (query.names_exact_port(), query.sole_local_port());
        assert_eq!(found, (names, meant), "{text}");
    }
    let typed = parse("3000").query;
    let found = (typed.names_exact_port(), typed.sole_local_port());
    assert_eq!(found, (false, None));
}

#[test]
fn typed_digits_count_until_a_row_has_that_port() {
    let typed = parse("300").query;
    let digits = [true, false].map(|is_there| typed.resolved(&|_| is_there).sole_digits());
    assert_eq!(digits, [None, Some(300)]);
    for text in ["300 node", "rport:300*", "300-399", "node"] {
        let query = parse(text).query.resolved(&|_| false);
        assert_eq!(query.sole_digits(), None, "{text}");
    }
}

#[test]
fn a_protocol_is_meant_only_by_a_single_endpoint() {
    let cases = [
        ("3000/udp", Some(Protocol::Udp)),
        ("3000", None),
        ("proto:udp", None),
        ("3000/udp node", None),
    ];
    for (text, meant) in cases {
        assert_eq!(parse(text).query.exact().sole_protocol(), meant, "{text}");
    }
}

#[test]
fn the_best_match_is_what_holds_the_port() {
    let cases = [
        ("3000", "NSC"),
        ("5432", "PWT"),
        ("51324", "CS"),
        (":3000", "NS"),
        ("node", "NVS"),
        ("port:300*", "NBS"),
        ("", "NVPWDUBSTC"),
    ];
    for (text, expected) in cases {
        let query = parse(text).query.exact();
        let mut found = rows();
        found.retain(|(_, row)| query.matches(row, &CONTEXT()));
        found.sort_by_key(|(_, row)| query.rank(row));
        let order: String = found.iter().map(|(name, _)| name).collect();
        assert_eq!(order, expected, "{text}");
    }
    let (_, mut gone) = rows().remove(0);
    gone.change_mark = ChangeMark::Closed(instant(0.0));
    assert_eq!(parse("3000").query.rank(&gone), Rank::Rest);
}

#[test]
fn enter_never_hides_a_row_that_was_shown() {
    let cases = [
        ("3000", "3000"),
        ("300", "300"),
        ("30", "30*"),
        ("7777", "7777"),
        ("node 30|62 :51", "node 30*|62* :51"),
        ("!30", "!30*"),
        ("port:30,62", "port:30,62"),
        ("\"30\"", "\"30\""),
        ("http://x/30,30", "http://x/30,30"),
        ("030", "030*"),
        ("99999", "99999"),
        ("30 30", "30* 30*"),
    ];
    let shows_prefix = |digits: &str| ["30", "62"].contains(&digits);
    for (text, expected) in cases {
        let accepted = committed(text, &has_port, &shows_prefix);
        assert_eq!(accepted, expected, "{text}");
    }
}

#[test]
fn an_unknown_field_is_text_with_a_hint() {
    let hint = |text: &str| parse(text).hint;
    let expected = "unknown field \"cmd\": searching for it as text".to_owned();
    assert_eq!(hint("node cmd:vite"), Some(expected));
    assert_eq!(hint("port:3000 \"cmd:vite\" 127.0.0.1:80 ::1"), None);
    assert!(hint("http://shop.test:3000").is_some_and(|hint| hint.contains("port 3000")));
}

#[test]
fn the_words_name_every_key_and_no_other() {
    let named: BTreeSet<&str> = FILTER_SYNTAX
        .iter()
        .flat_map(|(words, _)| words.split_whitespace())
        .filter_map(|word| word.strip_suffix(':'))
        .collect();
    let keys: BTreeSet<&str> = FIELDS
        .iter()
        .filter_map(|field| Some(field.key?.0))
        .collect();
    assert_eq!(named, keys);
}

#[test]
fn every_syntax_example_is_valid() {
    for (words, _) in FILTER_SYNTAX {
        let is_key = words.ends_with(':');
        assert!(is_key || parse_finished(words).error.is_none(), "{words}");
    }
}
