//! The lines of the table: rows by section, each section but the first under a rule.

use crate::table::listing::store::RowEntry;
use crate::table::row::Section;
use slab::Slab;

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableLine {
    /// A row, as an index for [`Listing::row`](super::Listing::row).
    Row(usize),
    /// The rule above a section, with the number of its open rows.
    Rule(Section, usize),
}

pub fn lines(order: &[usize], entries: &Slab<RowEntry>) -> Vec<TableLine> {
    let mut lines = Vec::with_capacity(order.len() + 2);
    for section in [Section::Bound, Section::Connected, Section::OutOfScope] {
        let start = lines.len();
        let mut open = 0;
        for index in order {
            if let Some(entry) = entries.get(*index)
                && entry.shown_in == Some(section)
            {
                lines.push(TableLine::Row(*index));
                open += usize::from(!entry.row.is_closed());
            }
        }
        if section != Section::Bound && lines.len() > start {
            lines.insert(start, TableLine::Rule(section, open));
        }
    }
    lines
}
