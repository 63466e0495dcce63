//! The filter line: the words, the chips, what is being typed and what was there before.

use crate::model::text::escaped;
use crate::table::listing::{Chips, Filter};
use crate::table::query::{self, Parsed, Query};
use tui_input::{Input, InputRequest};

const MAX_HISTORY: usize = 50;

#[derive(Debug)]
pub struct FilterBox {
    pub chips: Chips,
    /// The words that stand, as they were kept.
    pub text: String,
    /// What is being typed instead, while the line is open.
    pub typed: Option<FilterEditor>,
    /// Whether the next pass puts the cursor on the best match.
    pub select_best_match: bool,
    /// The last filter that was sound, which stays in force while what is typed is wrong.
    last_valid: Parsed,
    history: Vec<String>,
    cleared: Option<(String, Chips)>,
}

/// The open filter line.
#[derive(Debug)]
pub struct FilterEditor {
    pub input: Input,
    pub parsed: Parsed,
    /// The words before the line was opened, for Esc.
    original: String,
    /// How far back in the history it stands.
    history_offset: usize,
}

/// What Enter made of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitResult {
    Accepted,
    /// It is wrong; the line stays open and says where.
    Invalid,
}

impl FilterBox {
    /// Begins with the words of the command line, in which digits are exact.
    pub fn new(text: &str) -> Self {
        Self {
            chips: Chips::default(),
            text: text.to_owned(),
            typed: None,
            select_best_match: !text.is_empty(),
            last_valid: query::parse_finished(text),
            history: Vec::new(),
            cleared: None,
        }
    }

    pub fn is_typing(&self) -> bool {
        self.typed.is_some()
    }

    /// The query in force. Digits that stand are exact, digits being typed mean what exists.
    pub fn query(&self, has_port: &dyn Fn(u16) -> bool) -> Query {
        match self.typed {
            Some(_) => self.last_valid.query.resolved(has_port),
            None => self.last_valid.query.clone().exact(),
        }
    }

    /// Opens the line with this text; the words that stood come back with Esc.
    pub fn open(&mut self, text: &str) {
        let before = self
            .typed
            .take()
            .map_or_else(|| self.text.clone(), |editor| editor.original);
        let input = Input::new(text.to_owned());
        self.typed = Some(FilterEditor {
            input,
            parsed: Parsed::default(),
            original: before,
            history_offset: 0,
        });
        self.reparse();
    }

    pub fn edit(&mut self, request: InputRequest) {
        if let Some(editor) = &mut self.typed {
            editor.input.handle(request);
            editor.history_offset = 0;
        }
        self.reparse();
    }

    pub fn insert(&mut self, text: &str) {
        for letter in text.chars() {
            if let Some(editor) = &mut self.typed {
                editor.input.handle(InputRequest::InsertChar(letter));
            }
        }
        self.reparse();
    }

    /// Keeps what was typed, with digits made exact or a prefix so that no row on the screen is hidden by it.
    pub fn commit(
        &mut self,
        has_port: &dyn Fn(u16) -> bool,
        shows_prefix: &dyn Fn(&str) -> bool,
    ) -> CommitResult {
        let Some(editor) = &mut self.typed else {
            return CommitResult::Accepted;
        };
        let parsed = query::parse_finished(editor.input.value().trim());
        if parsed.error.is_some() {
            editor.parsed = query::parse_finished(editor.input.value());
            return CommitResult::Invalid;
        }
        self.text = query::committed(editor.input.value().trim(), has_port, shows_prefix);
        self.typed = None;
        self.last_valid = query::parse_finished(&self.text);
        self.add_to_history();
        CommitResult::Accepted
    }

    /// Gives up what is being typed.
    pub fn cancel(&mut self) {
        if let Some(editor) = self.typed.take() {
            self.text = editor.original;
            self.last_valid = query::parse_finished(&self.text);
        }
    }

    /// Clears the words, or else the chips. Tells whether there was anything to clear.
    pub fn clear(&mut self) -> bool {
        let before = (self.text.clone(), self.chips);
        if !self.text.is_empty() {
            self.text.clear();
            self.last_valid = Parsed::default();
        } else if self.chips != Chips::default() {
            self.chips = Chips::default();
        } else {
            return false;
        }
        let is_second = self
            .cleared
            .as_ref()
            .is_some_and(|(text, chips)| !text.is_empty() && *chips == before.1);
        if !(before.0.is_empty() && is_second) {
            self.cleared = Some(before);
        }
        true
    }

    /// Brings back what was cleared last. Tells whether there was anything.
    pub fn undo_clear(&mut self) -> bool {
        let Some((text, chips)) = self.cleared.take() else {
            return false;
        };
        self.set(&text);
        self.chips = chips;
        true
    }

    pub fn set(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        self.last_valid = query::parse_finished(text);
        self.select_best_match = true;
    }

    /// Goes back or forth through the filters that were kept before.
    pub fn recall(&mut self, is_back: bool) {
        let Some(editor) = &mut self.typed else {
            return;
        };
        let back = if is_back {
            (editor.history_offset + 1).min(self.history.len())
        } else {
            editor.history_offset.saturating_sub(1)
        };
        editor.history_offset = back;
        let text = self
            .history
            .len()
            .checked_sub(back)
            .and_then(|place| self.history.get(place));
        editor.input = Input::new(text.cloned().unwrap_or_default());
        self.reparse();
    }

    /// What stands or is typed, safe to show.
    pub fn shown(&self) -> String {
        escaped(
            self.typed
                .as_ref()
                .map_or(self.text.as_str(), |editor| editor.input.value()),
        )
    }

    fn reparse(&mut self) {
        let Some(editor) = &mut self.typed else {
            return;
        };
        editor.parsed = query::parse(editor.input.value());
        let is_wrong = editor
            .parsed
            .error
            .as_ref()
            .is_some_and(|error| !error.is_unfinished);
        if !is_wrong {
            self.last_valid = editor.parsed.clone();
            self.select_best_match = true;
        }
    }

    fn add_to_history(&mut self) {
        if self.text.is_empty() {
            return;
        }
        self.history.retain(|old| *old != self.text);
        self.history.push(self.text.clone());
        if self.history.len() > MAX_HISTORY {
            self.history.remove(0);
        }
    }
}

impl FilterBox {
    /// Whether anything narrows what is shown.
    pub fn is_narrowing(&self, filter: &Filter) -> bool {
        !filter.query.is_empty()
            || Chips {
                all: false,
                ..filter.chips
            } != Chips::default()
    }
}
