//! Launchers and interpreters, which are told apart by what they run, and how to read their arguments.

use crate::model::text::SystemText;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::LazyLock;

/// A line of `assets/launchers.tsv`.
#[derive(Debug)]
pub struct Launcher {
    names: Vec<&'static str>,
    pub shows: Shows,
    options: HashMap<&'static str, OptionKind>,
    /// True if options of one dash have several letters, so that the letters are no options.
    has_long_names: bool,
    skipped: Vec<&'static str>,
}

/// What stands for a launcher in the column WHAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// What it runs.
    Target,
    /// The same; the program is a shell, whose executable is also that of programs with other names.
    Script,
    /// Itself, with its options that are shown and this many words.
    Words(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OptionKind {
    /// The next argument is its value.
    Value,
    Shown,
    /// Its value is what runs.
    Target,
    /// No argument after it says what runs.
    End,
}

/// An option as it is written, with its value if that is in the same argument.
struct WrittenOption<'a> {
    kind: OptionKind,
    name: &'static str,
    value: Option<&'a str>,
}

/// What the arguments of a launcher say, as far as it is shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct LaunchArguments<'a> {
    /// Options with their values, and words.
    pub shown: Vec<String>,
    words: usize,
    /// The words before what runs.
    pub skipped: Vec<String>,
    /// What runs, with its own arguments.
    pub target: Option<(SystemText, &'a [SystemText])>,
}

pub static LAUNCHERS: LazyLock<Vec<Launcher>> = LazyLock::new(|| {
    let lines = include_str!("../../../assets/launchers.tsv").lines();
    lines.filter_map(Launcher::parse).collect()
});

static BY_NAME: LazyLock<HashMap<&'static str, &'static Launcher>> = LazyLock::new(|| {
    let names = |one: &'static Launcher| one.names.iter().map(move |name| (*name, one));
    LAUNCHERS.iter().flat_map(names).collect()
});

/// Endings of names that do not change which launcher it is.
const ENDINGS: [&str; 5] = [".exe", ".cmd", ".js", ".cjs", ".mjs"];

/// An empty column.
const EMPTY: &str = "-";

impl Launcher {
    /// Returns the launcher with this name, also with a version after it: `python3.11`, `yarn-4.0.1.cjs`.
    pub fn named(name: &str) -> Option<&'static Self> {
        let ending = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
        let name = ending.unwrap_or(name);
        let is_of_version = |letter: char| letter.is_ascii_digit() || ".-".contains(letter);
        let without_version = name.trim_end_matches(is_of_version);
        let found = BY_NAME.get(name).or_else(|| BY_NAME.get(without_version));
        found.copied()
    }

    pub fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    /// Parses a line; `None` for a comment.
    fn parse(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t').filter(|_| !line.starts_with('#'));
        let names: Vec<&str> = words(columns.next()?).collect();
        let shows = Shows::parse(columns.next()?)?;
        let mut options = HashMap::new();
        for kind in [
            OptionKind::Value,
            OptionKind::Shown,
            OptionKind::Target,
            OptionKind::End,
        ] {
            options.extend(words(columns.next()?).map(|name| (name, kind)));
        }
        let is_long =
            |name: &&str| name.len() > 2 && name.starts_with('-') && !name.starts_with("--");
        Some(Self {
            names,
            shows,
            has_long_names: options.keys().any(is_long),
            options,
            skipped: words(columns.next()?).collect(),
        })
    }

    /// Reads the arguments as far as they say what runs.
    pub fn read<'a>(&self, arguments: &'a [SystemText]) -> LaunchArguments<'a> {
        let mut read = LaunchArguments::default();
        let mut rest = arguments;
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            let step = match self.option(&first.raw()) {
                Some(option) if option.kind == OptionKind::End => ControlFlow::Break(()),
                Some(option) => {
                    let value = option.value.map(SystemText::from);
                    let value = value.or_else(|| take_first(&mut rest));
                    value.map_or(ControlFlow::Break(()), |value| {
                        read.add_option(option.kind, option.name, value, rest)
                    })
                }
                None => self.add_word(&mut read, first, rest),
            };
            if step.is_break() {
                break;
            }
        }
        // `dotnet watch --project src/Shop run`
        while let Some((_, rest)) = &mut read.target
            && let Some((first, after)) = rest.split_first()
            && self.skipped.contains(&&*first.raw())
        {
            *rest = after;
        }
        read
    }

    /// Finds the option in an argument: it is the argument, stands before a `=`, or is the first known one of its letters.
    fn option<'a>(&self, argument: &'a str) -> Option<WrittenOption<'a>> {
        let known = |name: &str, value: Option<&'a str>| {
            let (name, kind) = self.options.get_key_value(name)?;
            let (name, kind) = (*name, *kind);
            Some(WrittenOption { kind, name, value })
        };
        let before_value = || {
            let (name, value) = argument.split_once('=')?;
            known(name, Some(value))
        };
        let letters = argument
            .strip_prefix('-')
            .filter(|letters| !letters.starts_with('-') && !self.has_long_names);
        let among_letters = || {
            letters?.char_indices().find_map(|(at, letter)| {
                let value = letters?.get(at + letter.len_utf8()..)?;
                let value = Some(value).filter(|value| !value.is_empty());
                known(&format!("-{letter}"), value)
            })
        };
        known(argument, None)
            .or_else(before_value)
            .or_else(among_letters)
    }

    /// Adds an argument that is no known option.
    fn add_word<'a>(
        &self,
        read: &mut LaunchArguments<'a>,
        word: &SystemText,
        rest: &'a [SystemText],
    ) -> ControlFlow<()> {
        let raw = word.raw();
        match self.shows {
            Shows::Words(_) if raw == "--" => return ControlFlow::Break(()),
            _ if raw.starts_with('-') => {}
            Shows::Words(most) if read.words >= most => return ControlFlow::Break(()),
            Shows::Words(_) => {
                read.words += 1;
                read.shown.push(word.to_string());
            }
            Shows::Target | Shows::Script if self.passes_over(&raw) => {
                read.skipped.push(word.to_string());
            }
            Shows::Target | Shows::Script => {
                read.target = Some((word.clone(), rest));
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    /// True for a word that does not say what runs: a subcommand, or the directory where it runs.
    fn passes_over(&self, word: &str) -> bool {
        let is_it = |passed: &&str| match passed.strip_suffix('*') {
            Some(start) => word.starts_with(start),
            None => word == *passed,
        };
        matches!(word, "." | "..") || self.skipped.iter().any(is_it)
    }
}

impl<'a> LaunchArguments<'a> {
    fn add_option(
        &mut self,
        kind: OptionKind,
        name: &str,
        value: SystemText,
        rest: &'a [SystemText],
    ) -> ControlFlow<()> {
        match kind {
            OptionKind::Value => {}
            OptionKind::Shown => self.shown.push(format!("{name} {value}")),
            OptionKind::Target => self.target = Some((value, rest)),
            OptionKind::End => return ControlFlow::Break(()),
        }
        if self.target.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl Shows {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "target" => Some(Self::Target),
            "script" => Some(Self::Script),
            number => number.parse().ok().map(Self::Words),
        }
    }
}

fn words(column: &str) -> impl Iterator<Item = &str> {
    column.split(' ').filter(move |_| column != EMPTY)
}

fn take_first(rest: &mut &[SystemText]) -> Option<SystemText> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(first.clone())
}
