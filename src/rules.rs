//! The rules of the house, held up by reading the sources.

use crate::app::keymap::BINDINGS;
use crate::table::query::WORDS;
use std::fs;
use std::path::{Path, PathBuf};

/// Which modules a folder of `src` may use.
const MAY_USE: [(&str, &[&str]); 6] = [
    ("model", &["model"]),
    ("table", &["model", "table"]),
    ("app", &["app", "model", "table"]),
    ("ui", &["app", "model", "table", "ui"]),
    ("os", &["model", "os"]),
    ("report", &["model", "os", "report", "table"]),
];

/// What a pure folder must not name: clocks, files, threads, channels and the crates that reach the machine.
const IMPURE: [&str; 17] = [
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
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
    "std::net::Tcp",
];

const PURE: [&str; 4] = ["model", "table", "app", "ui"];

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
            && !path.ends_with("rules.rs")
        {
            let text = fs::read_to_string(&path).expect("a source file");
            let production = text
                .split("#[cfg(test)]\nmod tests {")
                .next()
                .unwrap_or_default()
                .to_owned();
            found.push((path, production));
        }
    }
    assert!(!found.is_empty(), "no sources in {folder}");
    found
}

fn without_comments(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn every_module_uses_only_what_lies_below_it() {
    for (folder, allowed) in MAY_USE {
        for (path, text) in sources(folder) {
            for line in without_comments(&text) {
                for part in line.split("crate::").skip(1) {
                    let module: String = part
                        .chars()
                        .take_while(char::is_ascii_alphanumeric)
                        .collect();
                    assert!(
                        allowed.contains(&module.as_str()),
                        "{}: uses {module}: {line}",
                        path.display()
                    );
                }
            }
        }
    }
}

#[test]
fn the_pure_modules_reach_nothing_outside() {
    for (path, text) in PURE.into_iter().flat_map(sources) {
        for line in without_comments(&text) {
            let named = IMPURE.iter().find(|name| line.contains(**name));
            assert_eq!(named, None, "{}: {line}", path.display());
        }
    }
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
fn crossterm_and_ratatui_stay_where_they_belong() {
    for (path, text) in ["model", "table", "os", "report"]
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
        let uses = without_comments(&text)
            .filter(|line| line.contains("crossterm") || line.contains("ratatui"));
        for line in uses {
            assert!(
                line.contains("crossterm::event"),
                "{}: {line}",
                path.display()
            );
        }
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
        let row = table_row(&binding.keys_shown().replace(' ', "  "), binding.about);
        assert!(readme.contains(&row), "the README lacks: {row}");
    }
}

#[test]
fn the_readme_lists_every_word_of_the_filter_as_it_is() {
    let readme = readme();
    for (word, matches) in WORDS {
        let row = table_row(word, matches);
        assert!(readme.contains(&row), "the README lacks: {row}");
    }
}
