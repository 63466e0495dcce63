//! Which columns a width has room for, and how wide each is.
//!
//! A narrow terminal drops whole columns, the least important first, and never squeezes one to a stump.

use crate::table::fields::Column;

/// How a column takes part in the table.
pub struct ColumnSpec {
    pub column: Column,
    /// Its cells, as many as its longest text within these bounds.
    min_width: usize,
    max_width: usize,
    /// The lower, the sooner it is dropped.
    priority: u8,
    /// The width of table from which it is shown at all.
    min_table_width: usize,
    /// Whether its text may be cut. A pid that is cut would be another pid.
    is_elastic: bool,
}

/// A column as it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacedColumn {
    pub column: Column,
    pub x: u16,
    pub width: usize,
}

/// The mark before the port.
pub const GUTTER: usize = 2;

/// What the last column, WHAT, must at least have before others give way.
const MIN_WHAT_WIDTH: usize = 14;

/// In the order in which they stand; WHAT takes the rest.
const COLUMN_SPECS: [ColumnSpec; 11] = [
    fixed(Column::Port, 5, 5, 100, 0),
    // With a place for `!` or `2` behind the address.
    elastic(Column::Local, 11, 17, 80, 0),
    fixed(Column::State, 6, 11, 60, 0),
    fixed(Column::Pid, 5, 7, 70, 0),
    elastic(Column::Process, 12, 18, 90, 0),
    elastic(Column::User, 6, 10, 30, 110),
    fixed(Column::Proto, 5, 5, 20, 110),
    fixed(Column::Age, 4, 7, 50, 0),
    elastic(Column::Peer, 8, 20, 25, 130),
    elastic(Column::Service, 8, 14, 10, 150),
    elastic(Column::Remote, 9, 21, 15, 170),
];

const fn fixed(
    column: Column,
    min_width: usize,
    max_width: usize,
    priority: u8,
    min_table_width: usize,
) -> ColumnSpec {
    ColumnSpec {
        column,
        min_width,
        max_width,
        priority,
        min_table_width,
        is_elastic: false,
    }
}

const fn elastic(
    column: Column,
    min_width: usize,
    max_width: usize,
    priority: u8,
    min_table_width: usize,
) -> ColumnSpec {
    ColumnSpec {
        is_elastic: true,
        ..fixed(column, min_width, max_width, priority, min_table_width)
    }
}

/// The columns for a table this wide; `longest` tells how many cells the longest text of a column takes.
pub fn place_columns(width: usize, longest: impl Fn(Column) -> usize) -> Vec<PlacedColumn> {
    let mut wanted: Vec<(&ColumnSpec, usize)> = COLUMN_SPECS
        .iter()
        .filter(|spec| width >= spec.min_table_width)
        .map(|spec| {
            (
                spec,
                longest(spec.column).clamp(spec.min_width, spec.max_width),
            )
        })
        .collect();
    let needs = |wanted: &[(&ColumnSpec, usize)]| {
        GUTTER + wanted.iter().map(|(_, width)| width + 1).sum::<usize>() + MIN_WHAT_WIDTH
    };
    while !wanted.is_empty() && needs(&wanted) > width {
        // Elastic columns give up what is more than their least before any column goes.
        let elastic = wanted
            .iter_mut()
            .find(|(spec, width)| spec.is_elastic && *width > spec.min_width);
        if let Some((spec, width)) = elastic {
            *width = spec.min_width;
        } else {
            let lowest_priority = wanted.iter().map(|(spec, _)| spec.priority).min();
            wanted.retain(|(spec, _)| Some(spec.priority) != lowest_priority);
        }
    }
    placed(&wanted, width)
}

fn placed(wanted: &[(&ColumnSpec, usize)], width: usize) -> Vec<PlacedColumn> {
    let mut x = GUTTER;
    let mut slots = Vec::with_capacity(wanted.len() + 1);
    let cell = |x: usize| u16::try_from(x).unwrap_or(u16::MAX);
    for (spec, width) in wanted {
        slots.push(PlacedColumn {
            column: spec.column,
            x: cell(x),
            width: *width,
        });
        x += width + 1;
    }
    slots.push(PlacedColumn {
        column: Column::What,
        x: cell(x),
        width: width.saturating_sub(x),
    });
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(width: usize) -> Vec<Column> {
        place_columns(width, |_| 0)
            .iter()
            .map(|slot| slot.column)
            .collect()
    }

    #[test]
    fn a_narrow_terminal_drops_columns_by_priority() {
        use Column::{Age, Local, Peer, Pid, Port, Process, Proto, State, User, What};
        assert_eq!(columns(80), [Port, Local, State, Pid, Process, Age, What]);
        assert_eq!(columns(60), [Port, Local, State, Pid, Process, What]);
        assert_eq!(columns(40), [Port, Process, What]);
        assert_eq!(
            columns(120),
            [Port, Local, State, Pid, Process, User, Proto, Age, What]
        );
        assert!(columns(140).contains(&Peer));
    }

    #[test]
    fn no_column_is_below_its_minimum_or_beyond_the_edge() {
        for width in 40..250 {
            for slot in place_columns(width, |_| 99) {
                let min_width = COLUMN_SPECS
                    .iter()
                    .find(|spec| spec.column == slot.column)
                    .map_or(MIN_WHAT_WIDTH, |s| s.min_width);
                assert!(slot.width >= min_width, "{slot:?} at {width}");
                assert!(
                    usize::from(slot.x) + slot.width <= width,
                    "{slot:?} at {width}"
                );
            }
        }
    }
}
