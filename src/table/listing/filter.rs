//! The filter: chips, scope and query.

use crate::model::port::EphemeralRange;
use crate::table::query::Query;
use crate::table::row::{DisplayContext, Row, Section};

/// A part of the filter with its own key. `All` widens the scope, the others narrow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Chip {
    Listening,
    Connected,
    Dynamic,
    Exposed,
    Mine,
    All,
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

/// The chips that are on: a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chips(u8);

impl Chips {
    pub fn toggle(&mut self, chip: Chip) {
        self.0 ^= 1 << chip as u8;
        // No row is in both sections.
        match chip {
            Chip::Listening => self.0 &= !(1 << Chip::Connected as u8),
            Chip::Connected => self.0 &= !(1 << Chip::Listening as u8),
            Chip::Dynamic | Chip::Exposed | Chip::Mine | Chip::All => {}
        }
    }

    pub fn is_on(self, chip: Chip) -> bool {
        self.0 & 1 << chip as u8 != 0
    }
}

impl FromIterator<Chip> for Chips {
    fn from_iter<I: IntoIterator<Item = Chip>>(chips: I) -> Self {
        let mut on = Self::default();
        chips.into_iter().for_each(|chip| on.toggle(chip));
        on
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
        if row.endpoint.relation.is_local || self.chips.is_on(Chip::All) {
            Some(row.section())
        } else {
            self.query.names_exact_port().then_some(Section::OutOfScope)
        }
    }

    /// Returns the first chip that hides the row.
    fn blocking_chip(&self, row: &Row) -> Option<Chip> {
        let socket = &row.endpoint.socket;
        let shows = |chip: Chip| match chip {
            Chip::Listening => row.section() == Section::PortHolders,
            Chip::Connected => row.section() == Section::Connected,
            Chip::Dynamic => self.ephemeral.counts_as_dynamic(socket.port()),
            Chip::Exposed => socket.is_exposed(),
            Chip::Mine => self.uid.is_some_and(|uid| row.is_of_user(uid)),
            Chip::All => true,
        };
        Chip::ALL
            .into_iter()
            .find(|chip| self.chips.is_on(*chip) && !shows(*chip))
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
