use super::*;
use crate::model::port::EphemeralRange;
use crate::model::socket::{Endpoint, SocketRole, State};
use crate::model::testing::{SocketBuilder, instant, moment, process, socket};
use crate::table::fields::Column;
use crate::table::query;

const CONTEXT: fn() -> DisplayContext<'static> = || DisplayContext {
    now: moment(0.0),
    home: None,
    ephemeral: EphemeralRange::IANA,
    is_ascii: false,
};

fn connection(socket: SocketBuilder, is_local: bool) -> Endpoint {
    let mut endpoint = socket.endpoint();
    endpoint.relation.role = SocketRole::Client;
    endpoint.relation.is_local = is_local;
    endpoint
}

fn listing(changes: impl Into<Vec<Change>>) -> Listing {
    let mut listing = Listing::default();
    listing.apply(changes.into(), instant(0.0), &CONTEXT());
    listing
}

/// The steps of a test, each at a second.
impl Listing {
    fn at(&mut self, seconds: f64, changes: impl Into<Vec<Change>>) {
        self.apply(changes.into(), instant(seconds), &CONTEXT());
    }

    fn expire_at(&mut self, seconds: f64) {
        self.expire(instant(seconds), &CONTEXT());
    }

    fn thaw_at(&mut self, seconds: f64) {
        self.thaw(instant(seconds), &CONTEXT());
    }

    fn sort_by(&mut self, column: Column, is_reversed: bool) {
        let sort = Sort {
            column,
            is_reversed,
        };
        self.set_sort(sort, &CONTEXT());
    }

    fn show(&mut self, filter: Filter) {
        self.set_filter(filter);
        while self.is_filtering() {
            self.advance(&CONTEXT());
        }
    }
}

fn found(local: &str) -> Change {
    Change::Initial(socket(local).endpoint())
}

fn opened(local: &str) -> Change {
    Change::Opened(socket(local).endpoint())
}

fn closed(local: &str) -> Change {
    Change::Closed(socket(local).endpoint().id())
}

fn with_query(query: &str) -> Filter {
    Filter {
        query: query::parse_finished(query).query.exact(),
        ..Filter::default()
    }
}

fn with_chips<const N: usize>(chips: [Chip; N]) -> Filter {
    Filter {
        chips: Chips::from_iter(chips),
        ..Filter::default()
    }
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

#[test]
fn bound_sockets_come_first_then_connections_by_port() {
    let client = connection(socket("127.0.0.1:50000").to("127.0.0.1:90"), true);
    let early = connection(socket("127.0.0.1:80").to("127.0.0.1:51000"), true);
    let listing = listing([
        Change::Initial(client),
        found("[::1]:90"),
        found("127.0.0.1:80"),
        Change::Initial(early),
    ]);
    let expected = "127.0.0.1:80 [::1]:90 -- Connected 2 127.0.0.1:80 127.0.0.1:50000";
    assert_eq!(lines(&listing).join(" "), expected);
}

#[test]
fn change_marks_and_closed_rows_expire_after_three_seconds() {
    let mut listing = listing([found("127.0.0.1:1"), found("127.0.0.1:3")]);
    listing.at(1.0, [opened("127.0.0.1:2"), closed("127.0.0.1:1")]);
    let marked = ["-127.0.0.1:1", "+127.0.0.1:2", "127.0.0.1:3"];
    assert_eq!(lines(&listing), marked);
    assert_eq!(listing.next_expiry(), Some(instant(4.0)));
    listing.expire_at(3.9);
    assert_eq!(lines(&listing), marked);
    listing.expire_at(4.0);
    assert_eq!(lines(&listing), ["127.0.0.1:2", "127.0.0.1:3"]);
    assert_eq!(listing.next_expiry(), None);
}

#[test]
fn a_replacement_takes_the_place_of_the_closed_row() {
    let old = socket("127.0.0.1:1").owner_hint(1).endpoint();
    let gone = old.id();
    let mut listing = listing([Change::Initial(old)]);
    let endpoint = socket("127.0.0.1:1").owner_hint(2).endpoint();
    listing.at(1.0, [Change::Replaced { gone, endpoint }]);
    assert_eq!(lines(&listing), ["=127.0.0.1:1"]);
}

#[test]
fn closed_rows_do_not_count() {
    let mut listing = listing([found("0.0.0.0:1"), found("127.0.0.1:2")]);
    listing.at(1.0, [closed("0.0.0.0:1")]);
    let counts = listing.counts();
    assert_eq!((counts.listening, counts.exposed), (1, 0));
}

#[test]
fn counts_are_the_same_whichever_way_the_rows_came() {
    let bound = || socket("0.0.0.0:2").state(State::Bound).endpoint();
    let mut detour = listing([
        found("127.0.0.1:1"),
        found("0.0.0.0:2"),
        found("127.0.0.1:3"),
    ]);
    detour.at(1.0, [Change::Changed(bound())]);
    detour.at(2.0, [closed("127.0.0.1:3")]);
    detour.expire_at(9.0);
    let straight = listing([found("127.0.0.1:1"), Change::Initial(bound())]);
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
    let mut listing = listing([
        found("127.0.0.1:443"),
        found("127.0.0.1:80"),
        Change::Initial(remote),
    ]);
    let mut lines_with = |filter| {
        listing.show(filter);
        lines(&listing).join(" ")
    };
    let shown = [
        Filter::default(),
        with_query("443"),
        with_chips([Chip::All]),
    ]
    .map(&mut lines_with);
    let expected = [
        "127.0.0.1:80 127.0.0.1:443",
        "127.0.0.1:443 -- OutOfScope 1 10.0.0.1:443",
        "127.0.0.1:80 127.0.0.1:443 -- Connected 1 10.0.0.1:443",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn chips_narrow_and_what_they_hide_is_counted() {
    let of = |local, uid, user| Change::Initial(socket(local).user(uid, user).endpoint());
    let mut listing = listing([
        of("127.0.0.1:50000", 1000, "dev"),
        of("127.0.0.1:50001", 0, "root"),
        found("127.0.0.1:80"),
    ]);
    listing.show(Filter {
        uid: Some(1000),
        ..with_chips([Chip::Dynamic, Chip::Mine])
    });
    assert_eq!(lines(&listing), ["127.0.0.1:50000"]);
    let hidden = listing.hidden();
    assert_eq!((hidden.total, hidden.by_chip.len()), (3, 2));
}

#[test]
fn of_two_sections_only_the_last_chosen_is_on() {
    let mut chips = Chips::from_iter([Chip::Listening, Chip::Mine]);
    let mut on_after = |chip| {
        chips.toggle(chip);
        let on = Chip::ALL.into_iter().filter(|chip| chips.is_on(*chip));
        on.map(Chip::name).collect::<Vec<_>>().join(" ")
    };
    let on = [
        Chip::Connected,
        Chip::Listening,
        Chip::Listening,
        Chip::Mine,
    ]
    .map(&mut on_after);
    assert_eq!(on, ["connected mine", "listening mine", "mine", ""]);
}

#[test]
fn a_frozen_order_keeps_closed_rows_and_defers_new_ones() {
    let mut listing = listing([found("127.0.0.1:1"), found("127.0.0.1:3")]);
    listing.freeze();
    listing.at(1.0, [opened("127.0.0.1:2"), closed("127.0.0.1:1")]);
    listing.expire_at(60.0);
    assert_eq!(lines(&listing), ["-127.0.0.1:1", "127.0.0.1:3"]);
    listing.thaw_at(60.0);
    listing.expire_at(60.0);
    assert_eq!(lines(&listing), ["+127.0.0.1:2", "127.0.0.1:3"]);
}

#[test]
fn a_socket_that_opened_and_closed_while_frozen_is_kept() {
    let mut listing = listing([]);
    listing.freeze();
    listing.at(1.0, [opened("127.0.0.1:2")]);
    listing.at(2.0, [closed("127.0.0.1:2")]);
    listing.thaw_at(3.0);
    assert_eq!(lines(&listing), ["-127.0.0.1:2"]);
}

#[test]
fn a_short_lived_socket_is_no_row() {
    let short_lived = |local| Change::ShortLived(socket(local).endpoint());
    let mut listing = listing([found("127.0.0.1:1")]);
    listing.at(1.0, [short_lived("127.0.0.1:2")]);
    assert_eq!(lines(&listing), ["127.0.0.1:1"]);
    listing.freeze();
    listing.at(1.0, [short_lived("127.0.0.1:1"), closed("127.0.0.1:1")]);
    assert_eq!(lines(&listing), ["-127.0.0.1:1"]);
    assert_eq!(listing.deferred(), []);
}

#[test]
fn sorting_by_another_column_reorders_each_section() {
    let (a, b) = (process(9, "apache").build(), process(5, "zsh").build());
    let mut listing = listing([
        Change::Initial(socket("127.0.0.1:1").owner(&b).endpoint()),
        Change::Initial(socket("127.0.0.1:2").owner(&a).endpoint()),
        found("127.0.0.1:3"),
    ]);
    listing.sort_by(Column::Process, false);
    let by_process = ["127.0.0.1:3", "127.0.0.1:2", "127.0.0.1:1"];
    assert_eq!(lines(&listing), by_process);
    listing.sort_by(Column::Pid, true);
    let by_pid = ["127.0.0.1:2", "127.0.0.1:1", "127.0.0.1:3"];
    assert_eq!(lines(&listing), by_pid);
}

#[test]
fn a_row_refreshed_while_frozen_moves_at_the_thaw() {
    let owned = |local, pid, name| socket(local).owner(&process(pid, name).build()).endpoint();
    let mut listing = listing([
        Change::Initial(owned("127.0.0.1:1", 5, "zsh")),
        Change::Initial(owned("127.0.0.1:2", 6, "bash")),
    ]);
    listing.sort_by(Column::Process, false);
    listing.freeze();
    listing.at(1.0, [Change::Refreshed(owned("127.0.0.1:1", 5, "ash"))]);
    assert_eq!(lines(&listing), ["127.0.0.1:2", "127.0.0.1:1"]);
    listing.thaw_at(2.0);
    assert_eq!(lines(&listing), ["127.0.0.1:1", "127.0.0.1:2"]);
}

#[test]
fn a_rule_counts_what_closed_while_frozen_after_the_thaw() {
    let client = connection(socket("127.0.0.1:50000").to("127.0.0.1:90"), true);
    let id = client.id();
    let mut listing = listing([Change::Initial(client)]);
    listing.freeze();
    listing.at(1.0, [Change::Closed(id)]);
    listing.thaw_at(2.0);
    assert_eq!(lines(&listing), ["-- Connected 0", "-127.0.0.1:50000"]);
}

#[test]
fn a_closed_row_that_is_refreshed_is_open_again() {
    let mut listing = listing([found("127.0.0.1:1")]);
    listing.at(1.0, [closed("127.0.0.1:1")]);
    let endpoint = socket("127.0.0.1:1").endpoint();
    listing.at(2.0, [Change::Refreshed(endpoint)]);
    listing.expire_at(9.0);
    assert_eq!(lines(&listing), ["127.0.0.1:1"]);
    assert_eq!(listing.counts().listening, 1);
}

/// One row more than a slice, on the ports from 1.
fn more_than_a_slice() -> Listing {
    let locals = (1..=SLICE + 1).map(|port| format!("127.0.0.1:{port}"));
    listing(locals.map(|local| found(&local)).collect::<Vec<_>>())
}

#[test]
fn old_lines_stay_until_a_sliced_filter_pass_is_done() {
    let mut listing = more_than_a_slice();
    listing.set_filter(with_query("7"));
    listing.advance(&CONTEXT());
    assert!(listing.is_filtering());
    assert_eq!(listing.lines().len(), SLICE + 1);
    listing.advance(&CONTEXT());
    assert!(!listing.is_filtering());
    assert_eq!(lines(&listing), ["127.0.0.1:7"]);
}

#[test]
fn a_change_during_a_filter_pass_uses_the_new_filter() {
    let mut listing = more_than_a_slice();
    listing.set_filter(with_query("7"));
    listing.advance(&CONTEXT());
    listing.at(1.0, [opened("127.0.0.2:7")]);
    while listing.is_filtering() {
        listing.advance(&CONTEXT());
    }
    assert_eq!(lines(&listing), ["127.0.0.1:7", "+127.0.0.2:7"]);
}

#[test]
fn a_filter_pass_ends_although_rows_open_between_slices() {
    let mut listing = more_than_a_slice();
    listing.set_filter(with_query("7"));
    for host in 2..4 {
        listing.at(1.0, [opened(&format!("127.0.0.{host}:9"))]);
        listing.advance(&CONTEXT());
    }
    assert!(!listing.is_filtering());
    assert_eq!(lines(&listing), ["127.0.0.1:7"]);
}

#[test]
fn sorting_during_a_filter_pass_skips_no_row() {
    let mut listing = more_than_a_slice();
    listing.show(with_query("7"));
    listing.set_filter(Filter::default());
    listing.advance(&CONTEXT());
    listing.sort_by(Column::Port, true);
    assert_eq!(lines(&listing), ["127.0.0.1:7"]);
    listing.advance(&CONTEXT());
    assert!(!listing.is_filtering());
    let shown = lines(&listing);
    let first = format!("127.0.0.1:{}", SLICE + 1);
    assert_eq!((shown.len(), &shown[0]), (SLICE + 1, &first));
}

#[test]
fn a_filter_pass_never_shows_a_reused_index() {
    let mut listing = more_than_a_slice();
    listing.show(with_query("7,8"));
    listing.at(1.0, [closed("127.0.0.1:7")]);
    listing.set_filter(with_query("8,9"));
    listing.advance(&CONTEXT());
    assert_eq!(lines(&listing), ["-127.0.0.1:7", "127.0.0.1:8"]);
    listing.expire_at(4.0);
    listing.at(4.0, [opened("127.0.0.2:9")]);
    assert_eq!(lines(&listing), ["-127.0.0.1:7", "127.0.0.1:8"]);
    listing.advance(&CONTEXT());
    let expected = ["127.0.0.1:8", "127.0.0.1:9", "+127.0.0.2:9"];
    assert_eq!(lines(&listing), expected);
}
