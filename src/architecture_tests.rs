//! The rules of the house, held up by reading the sources.

use crate::app::keymap::BINDINGS;
use crate::table::query::FILTER_SYNTAX;
use std::fs;
use std::path::{Path, PathBuf};

/// Which modules a folder of `src` may use.
const MAY_USE: [(&str, &[&str]); 11] = [
    ("model", &["model"]),
    ("tracker", &["model", "tracker"]),
    ("free", &["free", "model", "wording"]),
    ("check", &["check", "free", "model", "wording"]),
    ("wording", &["check", "free", "model", "tracker", "wording"]),
    ("table", &["model", "table", "tracker", "wording"]),
    ("config", &["config", "model", "table", "wording"]),
    (
        "app",
        &[
            "app", "check", "config", "free", "model", "table", "tracker", "wording",
        ],
    ),
    (
        "ui",
        &[
            "app", "check", "config", "free", "model", "table", "tracker", "ui", "wording",
        ],
    ),
    ("os", &["check", "free", "model", "os", "tracker"]),
    (
        "report",
        &[
            "check", "free", "model", "report", "table", "tracker", "wording",
        ],
    ),
];

/// What a pure folder must not name: clocks, files, threads, channels and the crates that reach the machine.
const IMPURE: [&str; 21] = [
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    ".elapsed(",
    "std::fs",
    "std::env",
    "std::io",
    "std::process::",
    "std::thread",
    "mpsc",
    "Mutex",
    "RwLock",
    "tokio",
    "netstat2",
    "sysinfo",
    "rustix",
    "libc",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
];

/// What the app may name of crossterm: what a key is, and nothing that reads one.
const KEYS: [&str; 5] = [
    "Event",
    "KeyCode",
    "KeyEvent",
    "KeyEventKind",
    "KeyModifiers",
];

const PURE: [&str; 8] = [
    "model", "tracker", "free", "check", "wording", "table", "app", "ui",
];

/// Every source file below a folder of `src`, with its production text: what tests need is not held to the rules.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src")
            .join(folder),
    ];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a folder of sources");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if !path.ends_with("tests.rs")
            && !path.ends_with("testing.rs")
            && !path.ends_with("architecture_tests.rs")
        {
            let text = fs::read_to_string(&path).expect("a source file");
            found.push((path, production(&text)));
        }
    }
    assert!(!found.is_empty(), "no sources in {folder}");
    found
}

/// The text without its inline tests, wherever they stand.
fn production(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, tests)) = rest.split_once("#[cfg(test)]\nmod tests {") {
        kept.push_str(before);
        rest = tests.split_once("\n}\n").map_or("", |(_, after)| after);
    }
    kept + rest
}

fn without_comments(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
}

/// The lines without comments, each `use` as a line for every name, so that no group hides one.
fn plain_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open: Option<String> = None;
    for line in without_comments(text).map(str::trim) {
        let begins = line.starts_with("use ") || line.starts_with("pub") && line.contains(" use ");
        let statement = match open.take() {
            Some(begun) => begun + line,
            None if begins => line.to_owned(),
            None => {
                lines.push(line.to_owned());
                continue;
            }
        };
        if statement.contains(';') {
            lines.extend(names(&statement));
        } else {
            open = Some(statement);
        }
    }
    lines
}

/// `use a::{b, c::{d, e}}` as `use a::b`, `use a::c::d` and `use a::c::e`.
fn names(path: &str) -> Vec<String> {
    let Some((prefix, rest)) = path.split_once('{') else {
        return vec![path.trim().to_owned()];
    };
    let inside = rest.rsplit_once('}').map_or(rest, |(inside, _)| inside);
    let mut depth = 0;
    let parts = inside.split(|letter| {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        letter == ',' && depth == 0
    });
    parts
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .flat_map(|part| names(&format!("{prefix}{part}")))
        .collect()
}

/// The modules that a text names from the root of the crate, also by as many `super::` as its module lies deep.
fn modules_used(text: &str, depth: usize) -> Vec<String> {
    let up = "super::".repeat(depth);
    let lines = plain_lines(text)
        .into_iter()
        .map(|line| line.replace(&up, "crate::"));
    let is_letter = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
    lines
        .flat_map(|line| {
            let parts = line.split("crate::").skip(1);
            parts
                .map(|part| part.chars().take_while(is_letter).collect())
                .collect::<Vec<String>>()
        })
        .collect()
}

/// How deep in the crate the module of a file lies.
fn depth(path: &Path) -> usize {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    below.expect("a source file").components().count() - usize::from(path.ends_with("mod.rs"))
}

fn impurities(text: &str) -> Vec<String> {
    let is_impure = |line: &String| IMPURE.iter().any(|name| line.contains(name));
    plain_lines(text).into_iter().filter(is_impure).collect()
}

/// The lines that name more of crossterm than its keys, or ratatui at all.
fn more_than_keys(text: &str) -> Vec<String> {
    let is_key = |rest: &str| {
        let name = rest.strip_prefix("::event::").unwrap_or_default();
        KEYS.contains(
            &name
                .split(|letter: char| !letter.is_ascii_alphanumeric())
                .next()
                .unwrap_or_default(),
        )
    };
    let is_more =
        |line: &String| line.contains("ratatui") || !line.split("crossterm").skip(1).all(is_key);
    plain_lines(text).into_iter().filter(is_more).collect()
}

#[test]
fn every_module_uses_only_what_lies_below_it() {
    for (folder, allowed) in MAY_USE {
        for (path, text) in sources(folder) {
            for module in modules_used(&text, depth(&path)) {
                assert!(
                    allowed.contains(&module.as_str()),
                    "{}: uses {module}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn the_pure_modules_reach_nothing_outside() {
    for (path, text) in PURE.into_iter().flat_map(sources) {
        assert_eq!(
            impurities(&text),
            Vec::<String>::new(),
            "{}",
            path.display()
        );
    }
}

#[test]
fn the_rules_see_through_every_way_to_write_an_import() {
    let impure = [
        "let age = then.elapsed();",
        "use std::{fs, mem};",
        "use std::{mem, thread};",
        "use std::net::{IpAddr, TcpStream};",
        "use std::{\n    collections::{HashMap, HashSet},\n    net::{\n        UdpSocket,\n    },\n};",
        "pub(crate) use std::{fs};",
        "#[cfg(test)]\nmod tests {\n    use super::*;\n}\n\nuse std::fs;",
    ];
    for text in impure {
        assert_eq!(impurities(&production(text)).len(), 1, "{text}");
    }
    for text in [
        "use std::{fmt, mem};",
        "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n",
    ] {
        assert_eq!(
            impurities(&production(text)),
            Vec::<String>::new(),
            "{text}"
        );
    }
    assert_eq!(
        modules_used("use crate::{model::Moment, os::look};", 2),
        ["model", "os"]
    );
    assert_eq!(modules_used("use super::os;", 1), ["os"]);
    assert_eq!(modules_used("super::super::os::look()", 2), ["os"]);
    assert_eq!(modules_used("use super::holders;", 2), Vec::<String>::new());
    for text in [
        "use crossterm::event::{KeyCode, read};",
        "crossterm::event::poll(wait)",
        "use crossterm::event;",
        "use crossterm::event::EventStream;",
        "use ratatui::buffer::Buffer;",
    ] {
        assert_eq!(more_than_keys(text).len(), 1, "{text}");
    }
    let keys = "use crossterm::event::{Event as TerminalEvent, KeyCode};";
    assert_eq!(more_than_keys(keys), Vec::<String>::new());
}

#[test]
fn only_os_is_unsafe_and_no_state_is_shared_behind_a_lock() {
    for (path, text) in sources("") {
        let in_os = path.components().any(|part| part.as_os_str() == "os");
        for line in without_comments(&text) {
            assert!(
                in_os || !line.contains("unsafe "),
                "{}: {line}",
                path.display()
            );
            assert!(!line.contains("Arc<Mutex"), "{}: {line}", path.display());
        }
    }
}

#[test]
fn only_one_place_starts_a_program() {
    let is_of_tests = |path: &Path| {
        path.components()
            .any(|part| part.as_os_str() == "testing" || part.as_os_str() == "tests")
    };
    let starts = |(path, text): (PathBuf, String)| {
        (!is_of_tests(&path) && text.contains("Command::new(")).then_some(path)
    };
    let starting: Vec<PathBuf> = sources("").into_iter().filter_map(starts).collect();
    let subprocess =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src/os/supervisors/linux/subprocess.rs");
    assert_eq!(starting, [subprocess]);
}

#[test]
fn crossterm_and_ratatui_stay_where_they_belong() {
    for (path, text) in [
        "model", "tracker", "free", "check", "wording", "table", "os", "report",
    ]
    .into_iter()
    .flat_map(sources)
    {
        assert!(
            !text.contains("crossterm") && !text.contains("ratatui"),
            "{}",
            path.display()
        );
    }
    for (path, text) in sources("app") {
        assert_eq!(
            more_than_keys(&text),
            Vec::<String>::new(),
            "{}",
            path.display()
        );
    }
    for (path, text) in sources("ui") {
        let named = without_comments(&text).find(|line| line.contains("crossterm"));
        assert_eq!(named, None, "{}", path.display());
    }
}

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
    for binding in &BINDINGS {
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
