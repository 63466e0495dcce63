//! What the README lists is what the program has.

use super::source::files;
use crate::app::keymap::{BINDINGS, KeySection};
use crate::commands::CommandLine;
use crate::table::query::FILTER_SYNTAX;
use clap::CommandFactory as _;
use std::fs;
use std::path::Path;

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the README")
}

/// A row of the README's tables.
fn table_row(left: &str, right: &str) -> String {
    let code = |text: &str| format!("`{}`", text.replace('|', "\\|"));
    let keys: Vec<String> = left.split("  ").map(code).collect();
    format!("| {} | {} |", keys.join(" "), right.replace('|', "\\|"))
}

#[test]
fn the_readme_lists_every_key_as_it_is() {
    let readme = readme();
    for binding in BINDINGS.iter().flat_map(KeySection::bindings) {
        let row = table_row(&binding.keys_label().replace(' ', "  "), binding.about);
        assert!(readme.contains(&row), "the README lacks: {row}");
    }
}

#[test]
fn the_readme_lists_every_word_of_the_filter_as_it_is() {
    let readme = readme();
    for (word, matches) in FILTER_SYNTAX {
        let row = table_row(word, matches);
        assert!(readme.contains(&row), "the README lacks: {row}");
    }
}

#[test]
fn the_readme_has_a_row_for_each_command() {
    let readme = readme();
    for command in CommandLine::command().get_subcommands() {
        let row = format!("| `portmon {}` | ", command.get_name());
        assert!(readme.contains(&row), "the README lacks: {row}");
    }
}

/// Keys are an interface for scripts, so a field that is renamed needs an attribute to keep its key.
#[test]
fn the_readme_has_every_key_of_the_json() {
    let readme = readme();
    let mut keys = Vec::new();
    for file in files("src/report") {
        for json in file.text.split("struct Json").skip(1) {
            let fields = json.lines().skip(1).take_while(|line| *line != "}");
            let fields = fields.filter_map(|line| line.trim().split_once(": "));
            let names = fields.map(|(name, _)| name.trim_start_matches("pub "));
            keys.extend(names.filter(|name| !name.contains('/')).map(str::to_owned));
        }
    }
    assert!(keys.len() > 50, "{keys:?}");
    keys.retain(|key| {
        !readme.contains(&format!("\"{key}\"")) && !readme.contains(&format!("`{key}`"))
    });
    assert_eq!(keys, [""; 0]);
}

#[test]
fn the_readme_names_the_commands_that_run_and_test_it() {
    let readme = readme();
    for command in ["cargo run --release", "cargo test"] {
        assert!(readme.contains(command), "the README lacks: {command}");
    }
}
