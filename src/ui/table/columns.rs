//! The columns that fit a width, and the width of each.
//!
//! A narrow terminal drops whole columns, the least important first, instead of truncating all.

use crate::table::fields::Column;

/// The shape of a column.
struct ColumnShape {
    /// Its width follows the longest text within these bounds.
    min_width: usize,
    max_width: usize,
    /// The lower, the sooner it is dropped.
    priority: u8,
    /// The width of the table from which it is shown at all.
    min_table_width: usize,
    /// True if its text may be truncated. A truncated pid would be another pid.
    is_elastic: bool,
}

/// A column and its width, without the gap behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FittedColumn {
    pub column: Column,
    pub width: usize,
}

/// The cells before the port: cursor and mark.
pub const GUTTER: usize = 2;

/// The least width of WHAT, the last column; others are dropped first.
const MIN_WHAT_WIDTH: usize = 14;

/// The shape of a column; `None` for WHAT, which takes the rest, and for fields that are no column of the table.
fn shape(column: Column) -> Option<ColumnShape> {
    Some(match column {
        Column::Port => fixed(5, 5, 100, 0),
        // With a cell for `!` or `2` behind the address.
        Column::Local => elastic(11, 17, 80, 0),
        Column::State => fixed(6, 11, 60, 0),
        Column::Pid => fixed(5, 7, 70, 0),
        Column::Process => elastic(12, 18, 90, 0),
        Column::User => elastic(6, 10, 30, 110),
        Column::Proto => fixed(5, 5, 20, 110),
        Column::Age => fixed(4, 7, 50, 0),
        Column::Peer => elastic(8, 20, 25, 130),
        Column::Service => elastic(8, 14, 10, 150),
        Column::Remote => elastic(9, 21, 15, 170),
        Column::What
        | Column::RemotePort
        | Column::Command
        | Column::Range
        | Column::Uptime
        | Column::Directory
        | Column::Executable
        | Column::Queue => return None,
    })
}

const fn fixed(
    min_width: usize,
    max_width: usize,
    priority: u8,
    min_table_width: usize,
) -> ColumnShape {
    ColumnShape {
        min_width,
        max_width,
        priority,
        min_table_width,
        is_elastic: false,
    }
}

const fn elastic(
    min_width: usize,
    max_width: usize,
    priority: u8,
    min_table_width: usize,
) -> ColumnShape {
    ColumnShape {
        is_elastic: true,
        ..fixed(min_width, max_width, priority, min_table_width)
    }
}

pub fn is_right_aligned(column: Column) -> bool {
    matches!(column, Column::Port | Column::Pid | Column::Age)
}

/// The columns of a table `width` cells wide; `longest` returns the cells of the longest text in a column.
pub fn fit_columns(width: usize, longest: impl Fn(Column) -> usize) -> Vec<FittedColumn> {
    let wanted = |column: &Column| {
        let shape = shape(*column).filter(|shape| width >= shape.min_table_width)?;
        let width = longest(*column).clamp(shape.min_width, shape.max_width);
        let column = *column;
        Some((shape, FittedColumn { column, width }))
    };
    let mut columns: Vec<_> = Column::ALL.iter().filter_map(wanted).collect();
    let what_width = loop {
        let used: usize = columns.iter().map(|(_, slot)| slot.width + 1).sum();
        let rest = width.saturating_sub(GUTTER + used);
        if rest >= MIN_WHAT_WIDTH || columns.is_empty() {
            break rest;
        }
        // Elastic columns shrink to their minimum before any column is dropped.
        let mut elastic = columns
            .iter_mut()
            .filter(|(shape, slot)| shape.is_elastic && slot.width > shape.min_width);
        if let Some((shape, slot)) = elastic.next() {
            slot.width = shape.min_width;
        } else {
            let lowest = columns.iter().map(|(shape, _)| shape.priority).min();
            columns.retain(|(shape, _)| Some(shape.priority) != lowest);
        }
    };
    let what = FittedColumn {
        column: Column::What,
        width: what_width,
    };
    let columns = columns.into_iter().map(|(_, slot)| slot);
    columns.chain([what]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(width: usize) -> Vec<Column> {
        fit_columns(width, |_| 0)
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
    fn columns_keep_their_minimum_and_fill_the_width() {
        for width in 40..250 {
            let columns = fit_columns(width, |_| 99);
            for slot in &columns {
                let min_width = shape(slot.column).map_or(MIN_WHAT_WIDTH, |shape| shape.min_width);
                assert!(slot.width >= min_width, "{slot:?} at {width}");
            }
            let used: usize = columns.iter().map(|slot| slot.width + 1).sum();
            assert_eq!(GUTTER + used - 1, width);
        }
    }
}
