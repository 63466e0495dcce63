//! Sizes and names: folders, files, types, tests, and where systems differ.

use super::source::{SourceFile, files, sources};
use std::collections::{BTreeMap, BTreeSet};

const FILES_PER_FOLDER: usize = 12;
const LINES_PER_FILE: usize = 300;
const LETTERS_PER_TEST: usize = 60;

/// Files with lines of `cfg` outside the `mod` lines of `os`, and how many. This list may only shrink.
const CFG_LINES: [(&str, usize); 2] = [("src/model/platform.rs", 2), ("src/terminal/mod.rs", 2)];

fn everywhere() -> Vec<SourceFile> {
    ["src", "tests", "benches"]
        .into_iter()
        .flat_map(files)
        .collect()
}

#[test]
fn a_folder_has_at_most_a_dozen_files() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for file in everywhere() {
        *counts.entry(file.folder().to_owned()).or_default() += 1;
    }
    counts.retain(|_, count| *count > FILES_PER_FOLDER);
    assert_eq!(counts, BTreeMap::new());
}

#[test]
fn a_file_has_at_most_300_lines_of_code() {
    for file in sources("") {
        let lines = file.production().lines().count();
        assert!(lines <= LINES_PER_FILE, "{}: {lines} lines", file.path);
    }
}

#[test]
fn a_test_name_has_at_most_60_letters() {
    let mut long = Vec::new();
    for file in everywhere() {
        let mut is_test = false;
        for line in file.text.lines().map(str::trim) {
            let name = line.trim_start_matches("async ").strip_prefix("fn ");
            let name = name
                .and_then(|rest| rest.split_once('('))
                .map(|(name, _)| name);
            if let Some(name) = name.filter(|name| is_test && name.len() > LETTERS_PER_TEST) {
                long.push(format!("{}: {name}", file.path));
            }
            is_test = line.contains("test]") || is_test && line.starts_with('#');
        }
    }
    assert_eq!(long, [""; 0]);
}

/// The name of the type that a line defines.
fn type_defined(line: &str) -> Option<&str> {
    let is_indented = line.starts_with(' ');
    let line = line.trim_start();
    let line = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
        Some(rest) => rest.trim_start(),
        None => line,
    };
    let (keyword, rest) = line.split_once(' ')?;
    let is_type = match keyword {
        "struct" | "enum" | "trait" | "union" => true,
        // Within an impl it is an associated type.
        "type" => !is_indented,
        _ => false,
    };
    let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let name = &rest[..end.unwrap_or(rest.len())];
    (is_type && name.starts_with(char::is_uppercase)).then_some(name)
}

/// Path of a file without its operating system, so that the variants of one file are equal.
fn place(path: &str) -> String {
    const SYSTEMS: [&str; 6] = ["linux", "macos", "windows", "unix", "other", "elsewhere"];
    let parts = path.trim_end_matches(".rs").split('/');
    let stems = parts.map(|part| {
        let stem = SYSTEMS
            .into_iter()
            .find_map(|system| part.strip_suffix(system));
        stem.map_or(part, |stem| stem.trim_end_matches('_'))
    });
    let stems: Vec<&str> = stems.take_while(|stem| !stem.is_empty()).collect();
    stems.join("/")
}

#[test]
fn no_two_types_share_a_name() {
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in everywhere() {
        for name in file.text.lines().filter_map(type_defined) {
            let places = places.entry(name.to_owned()).or_default();
            places.insert(place(&file.path));
        }
    }
    places.retain(|_, places| places.len() > 1);
    assert_eq!(places, BTreeMap::new());
}

/// Lines of a file with `cfg`, but for those of `os` that choose a module.
fn cfg_lines(file: &SourceFile) -> usize {
    let text = file.production();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_cfg = |line: &str| {
        (line.contains("cfg(") || line.contains("cfg!(") || line.contains("cfg_attr("))
            && !line.contains("cfg(test)")
    };
    let chooses_a_module = |at: usize| {
        let next = lines[at..].iter().find(|line| !line.starts_with("#["));
        file.path.starts_with("src/os/")
            && next.is_some_and(|line| {
                let line = line
                    .trim_start_matches("pub(crate) ")
                    .trim_start_matches("pub ");
                line.starts_with("mod ") || line.starts_with("use ")
            })
    };
    (0..lines.len())
        .filter(|at| is_cfg(lines[*at]) && !chooses_a_module(*at))
        .count()
}

#[test]
fn systems_differ_at_the_modules_of_os() {
    let files = sources("");
    let mut counts: Vec<(&str, usize)> = files
        .iter()
        .map(|file| (file.path.as_str(), cfg_lines(file)))
        .collect();
    counts.retain(|(_, count)| *count > 0);
    assert_eq!(counts, CFG_LINES);
}

#[test]
fn types_and_twins_are_recognized() {
    for (line, name) in [
        ("pub struct Row {", Some("Row")),
        ("    pub(super) enum Kind<'a> {", Some("Kind")),
        ("type Pids = BTreeSet<u32>;", Some("Pids")),
        ("    type Item = u8;", None),
        ("/// A struct Row", None),
        ("let trait_ = 1;", None),
    ] {
        assert_eq!(type_defined(line), name, "{line}");
    }
    for (path, expected) in [
        ("src/os/pids/linux.rs", "src/os/pids"),
        ("src/os/supervisors/linux/lookup.rs", "src/os/supervisors"),
        ("src/os/free/handle_windows.rs", "src/os/free/handle"),
        ("src/model/text.rs", "src/model/text"),
    ] {
        assert_eq!(place(path), expected, "{path}");
    }
}
