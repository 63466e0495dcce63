//! The source files, as the rules read them.

use std::fs;
use std::path::{Path, PathBuf};

/// A Rust file of the repository.
pub struct SourceFile {
    /// Relative to the repository, with `/`.
    pub path: String,
    pub text: String,
}

impl SourceFile {
    /// True for files with tests or for tests only.
    pub fn is_of_tests(&self) -> bool {
        !self.path.starts_with("src/")
            || self
                .path
                .split(['/', '.'])
                .any(|part| ["tests", "testing", "architecture_tests"].contains(&part))
    }

    pub fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The text without inline tests and comments.
    pub fn production(&self) -> String {
        production(&self.text)
    }
}

/// Returns every Rust file below a folder of the repository.
pub fn files(folder: &str) -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut open = vec![root.join(folder)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a folder");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(source_file(root, &path));
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn source_file(root: &Path, path: &PathBuf) -> SourceFile {
    let below = path.strip_prefix(root).expect("a path below the root");
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    SourceFile {
        path: parts.join("/"),
        text: fs::read_to_string(path).expect("a source file"),
    }
}

/// Returns the files below `src/FOLDER` without those of tests.
pub fn sources(folder: &str) -> Vec<SourceFile> {
    let mut files = files(&format!("src/{folder}"));
    files.retain(|file| !file.is_of_tests());
    files
}

/// Returns the text without inline tests, wherever they stand, and without comments.
pub fn production(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, tests)) = rest.split_once("#[cfg(test)]\nmod tests {") {
        kept.push_str(before);
        rest = tests.split_once("\n}\n").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    kept.split_inclusive('\n').filter(is_code).collect()
}

/// Returns the lines of production text, with a line for every name of a `use`, so that no group hides one.
pub fn statements(production: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open: Option<String> = None;
    for line in production.lines().map(str::trim) {
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

/// Returns `use a::b`, `use a::c::d` and `use a::c::e` for `use a::{b, c::{d, e}}`.
fn names(path: &str) -> Vec<String> {
    let Some((prefix, rest)) = path.split_once('{') else {
        return vec![path.trim().to_owned()];
    };
    let inside = rest.rsplit_once('}').map_or(rest, |(inside, _)| inside);
    let mut depth = 0;
    inside
        .split(|letter| {
            depth += i32::from(letter == '{') - i32::from(letter == '}');
            letter == ',' && depth == 0
        })
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .flat_map(|part| names(&format!("{prefix}{part}")))
        .collect()
}
