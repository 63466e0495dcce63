//! The filter line: the words, the chips, what is being typed and what was there before.

use crate::model::text::escaped;
use crate::table::listing::{Chips, Filter};
use crate::table::query::{self, Parsed, Query};
use tui_input::{Input, InputRequest};

const HISTORY: usize = 50;

#[derive(Debug)]
pub struct FilterBox {
    pub chips: Chips,
    /// The words that stand, as they were kept.
    pub text: String,
    /// What is being typed instead, while the line is open.
    pub typed: Option<Typing>,
    /// Whether the next pass puts the cursor on the best match.
    pub wants_best: bool,
    /// The last filter that was sound, which stays in force while what is typed is wrong.
    sound: Parsed,
    history: Vec<String>,
    cleared: Option<(String, Chips)>,
}

/// The open filter line.
#[derive(Debug)]
pub struct Typing {
    pub input: Input,
    pub parsed: Parsed,
    /// The words before the line was opened, for Esc.
    before: String,
    /// How far back in the history it stands.
    back: usize,
}

/// What Enter made of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Yes,
    /// It is wrong; the line stays open and says where.
    Wrong,
}

impl FilterBox {
    /// Begins with the words of the command line, in which digits are exact.
    pub fn new(text: &str) -> Self {
        Self {
            chips: Chips::default(),
            text: text.to_owned(),
            typed: None,
            wants_best: !text.is_empty(),
            sound: query::parse_finished(text),
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
            Some(_) => self.sound.query.resolved(has_port),
            None => self.sound.query.clone().exact(),
        }
    }

    /// Opens the line with this text; the words that stood come back with Esc.
    pub fn open(&mut self, text: &str) {
        let before = self
            .typed
            .take()
            .map_or_else(|| self.text.clone(), |typing| typing.before);
        let input = Input::new(text.to_owned());
        self.typed = Some(Typing {
            input,
            parsed: Parsed::default(),
            before,
            back: 0,
        });
        self.reparse();
    }

    pub fn edit(&mut self, request: InputRequest) {
        if let Some(typing) = &mut self.typed {
            typing.input.handle(request);
            typing.back = 0;
        }
        self.reparse();
    }

    pub fn insert(&mut self, text: &str) {
        for letter in text.chars() {
            if let Some(typing) = &mut self.typed {
                typing.input.handle(InputRequest::InsertChar(letter));
            }
        }
        self.reparse();
    }

    /// Keeps what was typed, with digits made exact or a prefix so that no row on the screen is hidden by it.
    pub fn keep(
        &mut self,
        has_port: &dyn Fn(u16) -> bool,
        shows_prefix: &dyn Fn(&str) -> bool,
    ) -> Kept {
        let Some(typing) = &mut self.typed else {
            return Kept::Yes;
        };
        let parsed = query::parse_finished(typing.input.value().trim());
        if parsed.trouble.is_some() {
            typing.parsed = query::parse_finished(typing.input.value());
            return Kept::Wrong;
        }
        self.text = query::kept(typing.input.value().trim(), has_port, shows_prefix);
        self.typed = None;
        self.sound = query::parse_finished(&self.text);
        self.remember();
        Kept::Yes
    }

    /// Gives up what is being typed.
    pub fn restore(&mut self) {
        if let Some(typing) = self.typed.take() {
            self.text = typing.before;
            self.sound = query::parse_finished(&self.text);
        }
    }

    /// Clears the words, or else the chips. Tells whether there was anything to clear.
    pub fn clear(&mut self) -> bool {
        let before = (self.text.clone(), self.chips);
        if !self.text.is_empty() {
            self.text.clear();
            self.sound = Parsed::default();
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
    pub fn unclear(&mut self) -> bool {
        let Some((text, chips)) = self.cleared.take() else {
            return false;
        };
        self.set(&text);
        self.chips = chips;
        true
    }

    pub fn set(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        self.sound = query::parse_finished(text);
        self.wants_best = true;
    }

    /// Goes back or forth through the filters that were kept before.
    pub fn recall(&mut self, is_back: bool) {
        let Some(typing) = &mut self.typed else {
            return;
        };
        let back = if is_back {
            (typing.back + 1).min(self.history.len())
        } else {
            typing.back.saturating_sub(1)
        };
        typing.back = back;
        let text = self
            .history
            .len()
            .checked_sub(back)
            .and_then(|place| self.history.get(place));
        typing.input = Input::new(text.cloned().unwrap_or_default());
        self.reparse();
    }

    /// What stands or is typed, safe to show.
    pub fn shown(&self) -> String {
        escaped(
            self.typed
                .as_ref()
                .map_or(self.text.as_str(), |typing| typing.input.value()),
        )
    }

    fn reparse(&mut self) {
        let Some(typing) = &mut self.typed else {
            return;
        };
        typing.parsed = query::parse(typing.input.value());
        let is_wrong = typing
            .parsed
            .trouble
            .as_ref()
            .is_some_and(|trouble| !trouble.is_unfinished);
        if !is_wrong {
            self.sound = typing.parsed.clone();
            self.wants_best = true;
        }
    }

    fn remember(&mut self) {
        if self.text.is_empty() {
            return;
        }
        self.history.retain(|old| *old != self.text);
        self.history.push(self.text.clone());
        if self.history.len() > HISTORY {
            self.history.remove(0);
        }
    }
}

impl FilterBox {
    /// Whether anything narrows what is shown.
    pub fn narrows(&self, filter: &Filter) -> bool {
        !filter.query.is_empty()
            || Chips {
                all: false,
                ..filter.chips
            } != Chips::default()
    }
}
