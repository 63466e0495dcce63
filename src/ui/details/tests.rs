use crate::app::testing::AppHarness;
use crate::model::testing::{SocketBuilder, process, socket};
use crate::table::fields::{Column, FIELDS, Field};
use crate::table::value::Value;
use crate::wording;

/// The fields that only repeat others, which have lines of their own.
const DERIVED: [Column; 1] = [Column::What];

/// The fields whose value is known for the row of these sockets, and whether its details show it.
fn shown_fields(sockets: Vec<SocketBuilder>) -> Vec<(&'static Field, bool)> {
    let mut harness = AppHarness::with(sockets);
    harness.keys("i");
    let app = &harness.app;
    let row = app.current_row().expect("a row");
    let lines = super::detail_lines(app, row).into_iter();
    let texts = std::iter::once(super::title(row)).chain(lines.map(|line| line.text));
    let details = without_blanks(&texts.collect::<Vec<_>>().join("\n"));
    let fields = FIELDS.iter().filter_map(|field| {
        let text = match (field.value)(row, &app.display_context()) {
            Value::Unknown | Value::Pending => return None,
            Value::Age(age) => wording::age(age),
            value => value.to_string(),
        };
        Some((field, details.contains(&without_blanks(&text))))
    });
    fields.collect()
}

/// `backlog 3 / 5` is the cell `3/5`.
fn without_blanks(text: &str) -> String {
    text.replace(' ', "")
}

#[test]
fn the_details_show_every_field() {
    let server = process(4242, "node")
        .command("node server.js")
        .directory("/srv/shop")
        .with(|process| process.executable = Some("/usr/bin/node22".into()))
        .build();
    let client = process(942, "chrome").build();
    let connection = || {
        socket("127.0.0.1:5432")
            .to("127.0.0.1:51324")
            .owner(&server)
    };
    let listener = socket("127.0.0.1:5432").owner(&server).queue(3, 5);
    let other_end = socket("127.0.0.1:51324")
        .to("127.0.0.1:5432")
        .owner(&client);
    let mut fields = shown_fields(vec![listener]);
    fields.extend(shown_fields(vec![connection(), other_end]));
    let is_shown = |column| {
        let mut cases = fields
            .iter()
            .filter(|(field, _)| field.column == column)
            .peekable();
        cases.peek().is_some() && cases.all(|(_, is_shown)| *is_shown)
    };
    let missing: Vec<&Column> = Column::ALL
        .iter()
        .filter(|column| !DERIVED.contains(column) && !is_shown(**column))
        .collect();
    assert!(missing.is_empty(), "the details lack {missing:?}");
}
