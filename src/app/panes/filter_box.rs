//! The filter line: its text, the chips, the editor and the history.

use crate::model::text::escaped;
use crate::table::listing::{Chips, Listing};
use crate::table::query::{self, Parsed, Query};
use crate::table::row::Row;
use std::iter;
use tui_input::{Input, InputRequest};

const MAX_HISTORY: usize = 50;

#[derive(Debug)]
pub struct FilterBox {
    pub chips: Chips,
    /// The accepted text.
    pub text: String,
    /// The editor, while the line is open.
    pub typed: Option<FilterEditor>,
    /// True if the cursor moves to the best match once the filter is applied.
    pub select_best_match: bool,
    /// The last valid filter, which applies while the typed text is wrong.
    last_valid: Parsed,
    history: Vec<String>,
    cleared: Option<(String, Chips)>,
}

#[derive(Debug)]
pub struct FilterEditor {
    pub input: Input,
    pub parsed: Parsed,
    /// Number of steps back in the history.
    history_offset: usize,
}

impl FilterBox {
    /// Starts with the filter of the command line, in which digits are an exact port.
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

    /// Returns the query that applies. Digits are an exact port once accepted; while typed, the existing ports decide.
    pub fn query(&self, listing: &Listing) -> Query {
        match self.typed {
            Some(_) => self
                .last_valid
                .query
                .resolved(&|port| listing.counts().has_port(port)),
            None => self.last_valid.query.clone().exact(),
        }
    }

    /// Opens the line with this text; Esc restores the text before.
    pub fn open(&mut self, text: &str) {
        self.typed = Some(FilterEditor {
            input: Input::new(text.to_owned()),
            parsed: Parsed::default(),
            history_offset: 0,
        });
        self.reparse();
    }

    pub fn insert(&mut self, text: &str) {
        self.edit(text.chars().map(InputRequest::InsertChar));
    }

    pub fn edit(&mut self, requests: impl IntoIterator<Item = InputRequest>) {
        if let Some(editor) = &mut self.typed {
            for request in requests {
                editor.input.handle(request);
            }
            editor.history_offset = 0;
        }
        self.reparse();
    }

    /// Accepts the typed text, with digits made exact or a prefix so that no row on the screen is hidden by it. A wrong
    /// text stays in the open line, which shows its error.
    pub fn commit(&mut self, listing: &Listing) {
        let Some(editor) = &mut self.typed else {
            return;
        };
        editor.parsed = query::parse_finished(editor.input.value());
        if editor.parsed.error.is_none() {
            let has_port = |port| listing.counts().has_port(port);
            let shows_prefix =
                |prefix: &str| listing.shown_rows().any(|row| has_port_prefix(row, prefix));
            self.text = query::committed(editor.input.value().trim(), &has_port, &shows_prefix);
            self.typed = None;
            self.last_valid = query::parse_finished(&self.text);
            self.add_to_history();
        }
    }

    /// Replaces the text by a valid one.
    pub fn accept(&mut self, text: &str) {
        self.typed = None;
        text.clone_into(&mut self.text);
        self.last_valid = query::parse_finished(text);
        self.select_best_match = true;
        self.add_to_history();
    }

    /// Discards the typed text.
    pub fn cancel(&mut self) {
        self.typed = None;
        self.last_valid = query::parse_finished(&self.text);
    }

    /// Clears the text, or else the chips; returns false if there was nothing to clear.
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

    /// Restores what was cleared last; returns false if there was nothing.
    pub fn undo_clear(&mut self) -> bool {
        let Some((text, chips)) = self.cleared.take() else {
            return false;
        };
        self.last_valid = query::parse_finished(&text);
        (self.text, self.chips) = (text, chips);
        self.select_best_match = true;
        true
    }

    /// Goes back or forward in the history.
    pub fn recall(&mut self, is_back: bool) {
        let Some(editor) = &mut self.typed else {
            return;
        };
        editor.history_offset = if is_back {
            (editor.history_offset + 1).min(self.history.len())
        } else {
            editor.history_offset.saturating_sub(1)
        };
        let text = self.history.get(self.history.len() - editor.history_offset);
        editor.input = Input::new(text.cloned().unwrap_or_default());
        self.reparse();
    }

    /// Returns the typed or accepted text.
    pub fn value(&self) -> &str {
        let typed = self.typed.as_ref();
        typed.map_or(self.text.as_str(), |editor| editor.input.value())
    }

    /// Returns the typed or accepted text, escaped for the terminal.
    pub fn shown(&self) -> String {
        escaped(self.value())
    }

    fn reparse(&mut self) {
        let Some(editor) = &mut self.typed else {
            return;
        };
        editor.parsed = query::parse(editor.input.value());
        let error = editor.parsed.error.as_ref();
        if error.is_none_or(|error| error.is_unfinished) {
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

/// True if a port at either end of the row starts with these digits.
fn has_port_prefix(row: &Row, prefix: &str) -> bool {
    let socket = &row.endpoint.socket;
    let remote = socket.remote.map(|remote| remote.port());
    let mut ports = iter::once(socket.port()).chain(remote);
    ports.any(|port| port.to_string().starts_with(prefix))
}
