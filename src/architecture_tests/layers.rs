//! What each module may use, and that the pure ones reach nothing outside.

use super::source::{SourceFile, production, sources, statements};

/// Modules that may use every other one.
const TOP: [&str; 3] = ["commands", "event_loop", "terminal"];

/// Modules that each other one may use, beside itself.
const MAY_USE: [(&str, &[&str]); 12] = [
    ("model", &[]),
    ("tracker", &["model"]),
    ("free", &["model"]),
    ("check", &["model"]),
    ("wording", &["check", "free", "model", "tracker"]),
    ("table", &["model", "tracker", "wording"]),
    ("config", &["model", "table", "wording"]),
    ("cli", &["model", "table", "wording"]),
    (
        "app",
        &[
            "check", "config", "free", "model", "table", "tracker", "wording",
        ],
    ),
    (
        "ui",
        &[
            "app", "check", "config", "free", "model", "table", "tracker", "wording",
        ],
    ),
    ("os", &["check", "free", "model", "tracker"]),
    (
        "report",
        &["check", "free", "model", "table", "tracker", "wording"],
    ),
];

const PURE: [&str; 8] = [
    "model", "tracker", "free", "check", "wording", "table", "app", "ui",
];

/// Clocks, files, threads, channels and the crates that reach the machine, which the pure modules must not name.
const IMPURE: [&str; 19] = [
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

/// The module of the crate that a file belongs to.
fn module(file: &SourceFile) -> &str {
    file.path
        .split('/')
        .nth(1)
        .map_or("", |part| part.trim_end_matches(".rs"))
}

/// Modules that a text names from the root of the crate, also by `super::` as often as its module lies deep.
fn modules_used(production: &str, depth: usize) -> Vec<String> {
    let up = "super::".repeat(depth);
    let is_letter = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
    let mut used = Vec::new();
    for line in statements(production) {
        let line = line.replace(&up, "crate::");
        used.extend(
            line.split("crate::")
                .skip(1)
                .map(|part| part.chars().take_while(is_letter).collect::<String>()),
        );
    }
    used
}

/// How deep in the crate the module of a file lies.
fn depth(path: &str) -> usize {
    path.split('/').count() - 1 - usize::from(path.ends_with("/mod.rs"))
}

/// Lines that name a clock, a file, a thread or the like.
fn impurities(production: &str) -> Vec<String> {
    let mut lines = statements(production);
    lines.retain(|line| IMPURE.iter().any(|name| line.contains(name)));
    lines
}

/// Lines that name more of crossterm than its keys, or ratatui at all.
fn more_than_keys(production: &str) -> Vec<String> {
    let is_key = |rest: &str| {
        let name = rest.strip_prefix("::event::").unwrap_or_default();
        let end = name.find(|letter: char| !letter.is_ascii_alphanumeric());
        KEYS.contains(&&name[..end.unwrap_or(name.len())])
    };
    let mut lines = statements(production);
    lines.retain(|line| line.contains("ratatui") || !line.split("crossterm").skip(1).all(is_key));
    lines
}

#[test]
fn every_module_uses_only_what_lies_below_it() {
    let mut against = Vec::new();
    for file in sources("") {
        let own = module(&file);
        if TOP.contains(&own) || ["lib", "main"].contains(&own) {
            continue;
        }
        let row = MAY_USE.iter().find(|(module, _)| *module == own);
        let (_, allowed) = row.unwrap_or_else(|| panic!("{own} has no row in MAY_USE"));
        for used in modules_used(&file.production(), depth(&file.path)) {
            if used != own && !allowed.contains(&used.as_str()) {
                against.push(format!("{}: uses {used}", file.path));
            }
        }
    }
    assert_eq!(against, [""; 0]);
}

#[test]
fn the_pure_modules_reach_nothing_outside() {
    for file in PURE.into_iter().flat_map(sources) {
        assert_eq!(impurities(&file.production()), [""; 0], "{}", file.path);
    }
}

#[test]
fn crossterm_and_ratatui_stay_where_they_belong() {
    for file in sources("") {
        let text = file.production();
        match module(&file) {
            "app" => assert_eq!(more_than_keys(&text), [""; 0], "{}", file.path),
            "ui" => assert!(!text.contains("crossterm"), "{}", file.path),
            "commands" | "event_loop" | "terminal" => {}
            _ => assert!(
                !text.contains("crossterm") && !text.contains("ratatui"),
                "{}",
                file.path
            ),
        }
    }
}

#[test]
fn only_os_is_unsafe() {
    for file in sources("") {
        assert!(
            module(&file) == "os" || !file.production().contains("unsafe "),
            "{}",
            file.path
        );
    }
}

#[test]
fn only_one_place_starts_a_program() {
    let mut starting = sources("");
    starting.retain(|file| {
        let statements = statements(&file.production());
        statements
            .iter()
            .any(|line| line.contains("process::Command"))
    });
    let starting: Vec<&str> = starting.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(starting, ["src/os/supervisors/linux/subprocess.rs"]);
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
        "// std::fs",
        "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n",
    ] {
        assert_eq!(impurities(&production(text)), [""; 0], "{text}");
    }
    for (text, depth, modules) in [
        (
            "use crate::{model::Moment, os::poller};",
            2,
            vec!["model", "os"],
        ),
        ("use super::os;", 1, vec!["os"]),
        ("super::super::os::poll()", 2, vec!["os"]),
        ("use super::owners;", 2, vec![]),
    ] {
        assert_eq!(modules_used(text, depth), modules, "{text}");
    }
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
    assert_eq!(more_than_keys(keys), [""; 0]);
}
