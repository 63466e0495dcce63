//! The filter: chips, scope and query.

use crate::model::port::EphemeralRange;
use crate::table::query::Query;
use crate::table::row::{DisplayContext, Row, Section};

/// A part of the filter with its own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Chip {
    Listening,
    Connected,
    Dynamic,
    Exposed,
    Mine,
    All,
}

/// The chips that are on. Listening and connected are one choice; dynamic, exposed and mine narrow; all widens.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each chip is on or off by itself"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chips {
    pub section: Option<Section>,
    pub dynamic: bool,
    pub exposed: bool,
    pub mine: bool,
    pub all: bool,
}

impl Chip {
    /// All chips, in the order of the header.
    pub const ALL: [Self; 6] = [
        Self::Listening,
        Self::Connected,
        Self::Dynamic,
        Self::Exposed,
        Self::Mine,
        Self::All,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Listening => "listening",
            Self::Connected => "connected",
            Self::Dynamic => "dynamic",
            Self::Exposed => "exposed",
            Self::Mine => "mine",
            Self::All => "all",
        }
    }
}

impl Chips {
    pub fn toggle(&mut self, chip: Chip) {
        let is_on = self.is_on(chip);
        match chip {
            Chip::Listening => self.section = (!is_on).then_some(Section::Bound),
            Chip::Connected => self.section = (!is_on).then_some(Section::Connected),
            Chip::Dynamic => self.dynamic = !self.dynamic,
            Chip::Exposed => self.exposed = !self.exposed,
            Chip::Mine => self.mine = !self.mine,
            Chip::All => self.all = !self.all,
        }
    }

    pub fn is_on(self, chip: Chip) -> bool {
        match chip {
            Chip::Listening => self.section == Some(Section::Bound),
            Chip::Connected => self.section == Some(Section::Connected),
            Chip::Dynamic => self.dynamic,
            Chip::Exposed => self.exposed,
            Chip::Mine => self.mine,
            Chip::All => self.all,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    pub query: Query,
    pub chips: Chips,
    /// The user that `mine` refers to.
    pub uid: Option<u32>,
    pub ephemeral: EphemeralRange,
}

impl Filter {
    /// Returns the section that shows the row, if one does.
    pub fn section_of(&self, row: &Row, context: &DisplayContext) -> Option<Section> {
        let section = self.scope(row)?;
        (self.blocking_chip(row).is_none() && self.query.matches(row, context)).then_some(section)
    }

    /// Returns the section of a row by scope alone. An exact port includes sockets out of scope, below the rest.
    fn scope(&self, row: &Row) -> Option<Section> {
        if row.endpoint.relation.is_local || self.chips.all {
            Some(row.section())
        } else {
            self.query.names_exact_port().then_some(Section::OutOfScope)
        }
    }

    /// Returns the first chip that hides the row.
    fn blocking_chip(&self, row: &Row) -> Option<Chip> {
        let socket = &row.endpoint.socket;
        let is_dynamic = self.ephemeral.makes_dynamic(socket.port());
        let chips = self.chips;
        match chips.section {
            Some(Section::Bound) if row.section() != Section::Bound => Some(Chip::Listening),
            Some(Section::Connected) if row.section() != Section::Connected => {
                Some(Chip::Connected)
            }
            _ if chips.dynamic && !is_dynamic => Some(Chip::Dynamic),
            _ if chips.exposed && !socket.is_exposed() => Some(Chip::Exposed),
            _ if chips.mine && !self.uid.is_some_and(|uid| row.is_of_user(uid)) => Some(Chip::Mine),
            _ => None,
        }
    }
}

/// Number of hidden rows in scope, in total and by chip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hidden {
    pub total: usize,
    pub by_chip: Vec<(Chip, usize)>,
}

impl Hidden {
    /// Counts all rows in scope: it is called only while none is shown.
    pub fn count<'a>(filter: &Filter, rows: impl Iterator<Item = &'a Row>) -> Self {
        let mut hidden = Self::default();
        for row in rows.filter(|row| !row.is_closed() && filter.scope(row).is_some()) {
            hidden.total += 1;
            let Some(chip) = filter.blocking_chip(row) else {
                continue;
            };
            match hidden.by_chip.iter_mut().find(|(other, _)| *other == chip) {
                Some((_, count)) => *count += 1,
                None => hidden.by_chip.push((chip, 1)),
            }
        }
        hidden
    }
}
