use super::*;
use crate::model::port::EphemeralRange;
use crate::model::socket::{Endpoint, SocketRole, State};
use crate::model::testing::{SocketBuilder, instant, moment, process, socket};
use crate::table::query;

fn context() -> DisplayContext<'static> {
    DisplayContext {
        now: moment(0.0),
        home: None,
        ephemeral: EphemeralRange::IANA,
        is_ascii: false,
    }
}

fn connection(socket: SocketBuilder, is_local: bool) -> Endpoint {
    let mut endpoint = socket.endpoint();
    endpoint.relation.role = SocketRole::Client;
    endpoint.relation.is_local = is_local;
    endpoint
}

fn listing(changes: Vec<Change>) -> Listing {
    let mut listing = Listing::default();
    listing.apply(changes, instant(0.0), &context());
    listing
}

fn found(local: &str) -> Change {
    Change::Initial(socket(local).endpoint())
}

/// Each line as its mark and local address, rules as `--`.
fn lines(listing: &Listing) -> Vec<String> {
    let shown = |line: &TableLine| match line {
        TableLine::Rule(section, count) => format!("-- {section:?} {count}"),
        TableLine::Row(index) => {
            let row = listing.row(*index).expect("a line has a row");
            let change_mark = match row.change_mark {
                ChangeMark::None => "",
                ChangeMark::Opened(_) => "+",
                ChangeMark::Changed(_) => "~",
                ChangeMark::Replaced(_) => "=",
                ChangeMark::Closed(_) => "-",
            };
            format!("{change_mark}{}", row.endpoint.socket.local)
        }
    };
    listing.lines().iter().map(shown).collect()
}

fn show(listing: &mut Listing, filter: Filter) {
    listing.set_filter(filter);
    while listing.is_filtering() {
        listing.advance(&context());
    }
}

#[test]
fn bound_sockets_come_first_then_connections_by_port() {
    let client = connection(socket("127.0.0.1:50000").to("127.0.0.1:90"), true);
    let early = connection(socket("127.0.0.1:80").to("127.0.0.1:51000"), true);
    let listing = listing(vec![
        Change::Initial(client),
        found("[::1]:90"),
        found("127.0.0.1:80"),
        Change::Initial(early),
    ]);
    assert_eq!(
        lines(&listing),
        [
            "127.0.0.1:80",
            "[::1]:90",
            "-- Connected 2",
            "127.0.0.1:80",
            "127.0.0.1:50000"
        ]
    );
}

#[test]
fn change_marks_and_closed_rows_expire_after_three_seconds() {
    let endpoint = socket("127.0.0.1:2").endpoint();
    let mut listing = listing(vec![found("127.0.0.1:1"), found("127.0.0.1:3")]);
    let gone = socket("127.0.0.1:1").endpoint().id();
    listing.apply(
        vec![Change::Opened(endpoint), Change::Closed(gone)],
        instant(1.0),
        &context(),
    );
    assert_eq!(
        lines(&listing),
        ["-127.0.0.1:1", "+127.0.0.1:2", "127.0.0.1:3"]
    );
    assert_eq!(listing.next_expiry(), Some(instant(4.0)));
    listing.expire(instant(3.9), &context());
    assert_eq!(lines(&listing).len(), 3);
    listing.expire(instant(4.0), &context());
    assert_eq!(lines(&listing), ["127.0.0.1:2", "127.0.0.1:3"]);
    assert_eq!(listing.next_expiry(), None);
}

#[test]
fn a_replacement_takes_the_place_of_the_closed_row() {
    let old = socket("127.0.0.1:1").owner_hint(1).endpoint();
    let mut listing = listing(vec![Change::Initial(old.clone())]);
    let new = socket("127.0.0.1:1").owner_hint(2).endpoint();
    listing.apply(
        vec![Change::Replaced {
            gone: old.id(),
            endpoint: new,
        }],
        instant(1.0),
        &context(),
    );
    assert_eq!(lines(&listing), ["=127.0.0.1:1"]);
}

#[test]
fn closed_rows_do_not_count() {
    let id = socket("0.0.0.0:1").endpoint().id();
    let mut listing = listing(vec![found("0.0.0.0:1"), found("127.0.0.1:2")]);
    listing.apply(vec![Change::Closed(id)], instant(1.0), &context());
    let Counts {
        listening, exposed, ..
    } = *listing.counts();
    assert_eq!((listening, exposed), (1, 0));
}

#[test]
fn counts_are_the_same_whichever_way_the_rows_came() {
    let id = |local: &str| socket(local).endpoint().id();
    let mut detour = listing(vec![
        found("127.0.0.1:1"),
        found("0.0.0.0:2"),
        found("127.0.0.1:3"),
    ]);
    detour.apply(
        vec![Change::Changed(
            socket("0.0.0.0:2").state(State::Bound).endpoint(),
        )],
        instant(1.0),
        &context(),
    );
    detour.apply(
        vec![Change::Closed(id("127.0.0.1:3"))],
        instant(2.0),
        &context(),
    );
    detour.expire(instant(9.0), &context());
    let straight = listing(vec![
        found("127.0.0.1:1"),
        Change::Initial(socket("0.0.0.0:2").state(State::Bound).endpoint()),
    ]);
    let zeroless = |listing: &Listing| {
        let mut counts = listing.counts().clone();
        counts.forget_empty_ports();
        counts
    };
    assert_eq!(zeroless(&detour), zeroless(&straight));
}

#[test]
fn an_exact_port_shows_what_is_outside_the_scope_below_the_rest() {
    let remote = connection(socket("10.0.0.1:443").to("10.0.0.9:50000"), false);
    let mut listing = listing(vec![
        found("127.0.0.1:443"),
        found("127.0.0.1:80"),
        Change::Initial(remote),
    ]);
    assert_eq!(lines(&listing), ["127.0.0.1:80", "127.0.0.1:443"]);
    let query = query::parse_finished("443").query.exact();
    show(
        &mut listing,
        Filter {
            query,
            ..Filter::default()
        },
    );
    assert_eq!(
        lines(&listing),
        ["127.0.0.1:443", "-- OutOfScope 1", "10.0.0.1:443"]
    );
    let chips = Chips::from_iter([Chip::All]);
    show(
        &mut listing,
        Filter {
            chips,
            ..Filter::default()
        },
    );
    assert_eq!(
        lines(&listing),
        [
            "127.0.0.1:80",
            "127.0.0.1:443",
            "-- Connected 1",
            "10.0.0.1:443"
        ]
    );
}

#[test]
fn chips_narrow_and_what_they_hide_is_counted() {
    let mine = Change::Initial(socket("127.0.0.1:50000").user(1000, "dev").endpoint());
    let theirs = Change::Initial(socket("127.0.0.1:50001").user(0, "root").endpoint());
    let mut listing = listing(vec![mine, theirs, found("127.0.0.1:80")]);
    let chips = Chips::from_iter([Chip::Dynamic, Chip::Mine]);
    show(
        &mut listing,
        Filter {
            chips,
            uid: Some(1000),
            ..Filter::default()
        },
    );
    assert_eq!(lines(&listing), ["127.0.0.1:50000"]);
    let hidden = listing.hidden();
    assert_eq!((hidden.total, hidden.by_chip.len()), (3, 2));
}

#[test]
fn a_frozen_order_keeps_closed_rows_and_defers_new_ones() {
    let mut listing = listing(vec![found("127.0.0.1:1"), found("127.0.0.1:3")]);
    listing.freeze();
    let opened = Change::Opened(socket("127.0.0.1:2").endpoint());
    let closed = Change::Closed(socket("127.0.0.1:1").endpoint().id());
    listing.apply(vec![opened, closed], instant(1.0), &context());
    listing.expire(instant(60.0), &context());
    assert_eq!(lines(&listing), ["-127.0.0.1:1", "127.0.0.1:3"]);
    listing.thaw(instant(60.0), &context());
    listing.expire(instant(60.0), &context());
    assert_eq!(lines(&listing), ["+127.0.0.1:2", "127.0.0.1:3"]);
}

#[test]
fn what_opened_and_closed_while_frozen_is_not_lost() {
    let mut listing = listing(vec![]);
    listing.freeze();
    let endpoint = socket("127.0.0.1:2").endpoint();
    let id = endpoint.id();
    listing.apply(vec![Change::Opened(endpoint)], instant(1.0), &context());
    listing.apply(vec![Change::Closed(id)], instant(2.0), &context());
    listing.thaw(instant(3.0), &context());
    assert_eq!(lines(&listing), ["-127.0.0.1:2"]);
}

#[test]
fn a_short_lived_socket_is_no_row() {
    let mut listing = listing(vec![found("127.0.0.1:1")]);
    let passed = |local| Change::ShortLived(socket(local).endpoint());
    listing.apply(vec![passed("127.0.0.1:2")], instant(1.0), &context());
    assert_eq!(lines(&listing), ["127.0.0.1:1"]);
    listing.freeze();
    let closed = Change::Closed(socket("127.0.0.1:1").endpoint().id());
    let changes = vec![passed("127.0.0.1:1"), closed];
    listing.apply(changes, instant(1.0), &context());
    assert_eq!(lines(&listing), ["-127.0.0.1:1"]);
}

#[test]
fn sorting_by_another_column_reorders_each_section() {
    let (a, b) = (process(9, "apache").build(), process(5, "zsh").build());
    let mut listing = listing(vec![
        Change::Initial(socket("127.0.0.1:1").owner(&b).endpoint()),
        Change::Initial(socket("127.0.0.1:2").owner(&a).endpoint()),
        found("127.0.0.1:3"),
    ]);
    listing.set_sort(
        Sort {
            column: Column::Process,
            is_reversed: false,
        },
        &context(),
    );
    assert_eq!(
        lines(&listing),
        ["127.0.0.1:3", "127.0.0.1:2", "127.0.0.1:1"]
    );
    listing.set_sort(
        Sort {
            column: Column::Pid,
            is_reversed: true,
        },
        &context(),
    );
    assert_eq!(
        lines(&listing),
        ["127.0.0.1:2", "127.0.0.1:1", "127.0.0.1:3"]
    );
}

#[test]
fn what_was_refreshed_while_frozen_finds_its_place_at_the_thaw() {
    let (zsh, ash) = (process(5, "zsh").build(), process(5, "ash").build());
    let named = |owner| Change::Initial(socket("127.0.0.1:1").owner(owner).endpoint());
    let bash = process(6, "bash").build();
    let other = Change::Initial(socket("127.0.0.1:2").owner(&bash).endpoint());
    let mut listing = listing(vec![named(&zsh), other]);
    let sort = Sort {
        column: Column::Process,
        is_reversed: false,
    };
    listing.set_sort(sort, &context());
    listing.freeze();
    let refreshed = Change::Refreshed(socket("127.0.0.1:1").owner(&ash).endpoint());
    listing.apply(vec![refreshed], instant(1.0), &context());
    assert_eq!(lines(&listing), ["127.0.0.1:2", "127.0.0.1:1"]);
    listing.thaw(instant(2.0), &context());
    assert_eq!(lines(&listing), ["127.0.0.1:1", "127.0.0.1:2"]);
}

#[test]
fn a_rule_counts_what_closed_while_frozen_after_the_thaw() {
    let client = connection(socket("127.0.0.1:50000").to("127.0.0.1:90"), true);
    let id = client.id();
    let mut listing = listing(vec![Change::Initial(client)]);
    listing.freeze();
    listing.apply(vec![Change::Closed(id)], instant(1.0), &context());
    listing.thaw(instant(2.0), &context());
    assert_eq!(lines(&listing), ["-- Connected 0", "-127.0.0.1:50000"]);
}

#[test]
fn a_closed_row_that_is_refreshed_is_open_again() {
    let endpoint = socket("127.0.0.1:1").endpoint();
    let mut listing = listing(vec![found("127.0.0.1:1")]);
    let closed = vec![Change::Closed(endpoint.id())];
    listing.apply(closed, instant(1.0), &context());
    let refreshed = vec![Change::Refreshed(endpoint)];
    listing.apply(refreshed, instant(2.0), &context());
    listing.expire(instant(9.0), &context());
    assert_eq!(lines(&listing), ["127.0.0.1:1"]);
    assert_eq!(listing.counts().listening, 1);
}

/// One row more than a pass looks at in one go, on the ports from 1.
fn more_than_a_slice() -> Vec<Change> {
    let last = u16::try_from(SLICE + 1).expect("a small slice");
    (1..=last)
        .map(|port| found(&format!("127.0.0.1:{port}")))
        .collect()
}

fn about(query: &str) -> Filter {
    Filter {
        query: query::parse_finished(query).query.exact(),
        ..Filter::default()
    }
}

#[test]
fn old_lines_stay_until_a_sliced_filter_job_is_done() {
    let mut listing = listing(more_than_a_slice());
    listing.set_filter(about("7"));
    listing.advance(&context());
    assert!(listing.is_filtering());
    assert_eq!(listing.lines().len(), SLICE + 1);
    listing.advance(&context());
    assert!(!listing.is_filtering());
    assert_eq!(lines(&listing), ["127.0.0.1:7"]);
}

#[test]
fn a_change_during_a_filter_job_uses_the_new_filter() {
    let mut listing = listing(more_than_a_slice());
    listing.set_filter(about("7"));
    listing.advance(&context());
    let opened = vec![Change::Opened(socket("127.0.0.2:7").endpoint())];
    listing.apply(opened, instant(1.0), &context());
    while listing.is_filtering() {
        listing.advance(&context());
    }
    assert_eq!(lines(&listing), ["127.0.0.1:7", "+127.0.0.2:7"]);
}

#[test]
fn a_filter_job_ends_although_rows_open_between_slices() {
    let mut listing = listing(more_than_a_slice());
    listing.set_filter(about("7"));
    for host in 2..4 {
        let opened = socket(&format!("127.0.0.{host}:9")).endpoint();
        listing.apply(vec![Change::Opened(opened)], instant(1.0), &context());
        listing.advance(&context());
    }
    assert!(!listing.is_filtering());
    assert_eq!(lines(&listing), ["127.0.0.1:7"]);
}

#[test]
fn sorting_during_a_filter_job_skips_no_row() {
    let mut listing = listing(more_than_a_slice());
    show(&mut listing, about("7"));
    listing.set_filter(Filter::default());
    listing.advance(&context());
    let sort = Sort {
        column: Column::Port,
        is_reversed: true,
    };
    listing.set_sort(sort, &context());
    assert_eq!(lines(&listing), ["127.0.0.1:7"]);
    listing.advance(&context());
    assert!(!listing.is_filtering());
    let shown = lines(&listing);
    assert_eq!(shown.len(), SLICE + 1);
    assert_eq!(
        shown.first().map(String::as_str),
        Some(format!("127.0.0.1:{}", SLICE + 1).as_str())
    );
}

#[test]
fn a_filter_job_never_shows_a_reused_index() {
    let mut listing = listing(more_than_a_slice());
    show(&mut listing, about("7,8"));
    let gone = socket("127.0.0.1:7").endpoint().id();
    listing.apply(vec![Change::Closed(gone)], instant(1.0), &context());
    listing.set_filter(about("8,9"));
    listing.advance(&context());
    assert_eq!(lines(&listing), ["-127.0.0.1:7", "127.0.0.1:8"]);
    listing.expire(instant(4.0), &context());
    let opened = socket("127.0.0.2:9").endpoint();
    listing.apply(vec![Change::Opened(opened)], instant(4.0), &context());
    assert_eq!(lines(&listing), ["-127.0.0.1:7", "127.0.0.1:8"]);
    listing.advance(&context());
    assert_eq!(
        lines(&listing),
        ["127.0.0.1:8", "127.0.0.1:9", "+127.0.0.2:9"]
    );
}
