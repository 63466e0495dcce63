//! Which columns a width has room for, and how wide each is.
//!
//! A narrow terminal drops whole columns, the least important first, and never squeezes one to a stump.

use crate::table::fields::Column;

/// How a column takes part in the table.
pub struct Shape {
    pub column: Column,
    /// Its cells, as many as its longest text within these bounds.
    least: usize,
    most: usize,
    /// The lower, the sooner it is dropped.
    worth: u8,
    /// The width of table from which it is shown at all.
    from: usize,
    /// Whether its text may be cut. A pid that is cut would be another pid.
    is_elastic: bool,
}

/// A column as it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub column: Column,
    pub x: u16,
    pub width: usize,
}

/// The mark before the port.
pub const GUTTER: usize = 2;

/// What the last column, WHAT, must at least have before others give way.
const LEAST_WHAT: usize = 14;

/// In the order in which they stand; WHAT takes the rest.
const SHAPES: [Shape; 11] = [
    shape(Column::Port, 5, 5, 100, 0),
    // With a place for `!` or `2` behind the address.
    elastic(Column::Local, 11, 17, 80, 0),
    shape(Column::State, 6, 11, 60, 0),
    shape(Column::Pid, 5, 7, 70, 0),
    elastic(Column::Process, 12, 18, 90, 0),
    elastic(Column::User, 6, 10, 30, 110),
    shape(Column::Proto, 5, 5, 20, 110),
    shape(Column::Age, 4, 7, 50, 0),
    elastic(Column::Peer, 8, 20, 25, 130),
    elastic(Column::Service, 8, 14, 10, 150),
    elastic(Column::Remote, 9, 21, 15, 170),
];

const fn shape(column: Column, least: usize, most: usize, worth: u8, from: usize) -> Shape {
    Shape {
        column,
        least,
        most,
        worth,
        from,
        is_elastic: false,
    }
}

const fn elastic(column: Column, least: usize, most: usize, worth: u8, from: usize) -> Shape {
    Shape {
        is_elastic: true,
        ..shape(column, least, most, worth, from)
    }
}

/// The columns for a table this wide; `longest` tells how many cells the longest text of a column takes.
pub fn slots(width: usize, longest: impl Fn(Column) -> usize) -> Vec<Slot> {
    let mut wanted: Vec<(&Shape, usize)> = SHAPES
        .iter()
        .filter(|shape| width >= shape.from)
        .map(|shape| (shape, longest(shape.column).clamp(shape.least, shape.most)))
        .collect();
    let needs = |wanted: &[(&Shape, usize)]| {
        GUTTER + wanted.iter().map(|(_, width)| width + 1).sum::<usize>() + LEAST_WHAT
    };
    while !wanted.is_empty() && needs(&wanted) > width {
        // Elastic columns give up what is more than their least before any column goes.
        let elastic = wanted
            .iter_mut()
            .find(|(shape, width)| shape.is_elastic && *width > shape.least);
        if let Some((shape, width)) = elastic {
            *width = shape.least;
        } else {
            let least_worth = wanted.iter().map(|(shape, _)| shape.worth).min();
            wanted.retain(|(shape, _)| Some(shape.worth) != least_worth);
        }
    }
    placed(&wanted, width)
}

fn placed(wanted: &[(&Shape, usize)], width: usize) -> Vec<Slot> {
    let mut x = GUTTER;
    let mut slots = Vec::with_capacity(wanted.len() + 1);
    let cell = |x: usize| u16::try_from(x).unwrap_or(u16::MAX);
    for (shape, width) in wanted {
        slots.push(Slot {
            column: shape.column,
            x: cell(x),
            width: *width,
        });
        x += width + 1;
    }
    slots.push(Slot {
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
        slots(width, |_| 0).iter().map(|slot| slot.column).collect()
    }

    #[test]
    fn columns_go_by_worth_as_the_terminal_narrows_and_what_stays() {
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
    fn no_column_is_ever_narrower_than_its_least_or_beyond_the_edge() {
        for width in 40..250 {
            for slot in slots(width, |_| 99) {
                let least = SHAPES
                    .iter()
                    .find(|shape| shape.column == slot.column)
                    .map_or(LEAST_WHAT, |s| s.least);
                assert!(slot.width >= least, "{slot:?} at {width}");
                assert!(
                    usize::from(slot.x) + slot.width <= width,
                    "{slot:?} at {width}"
                );
            }
        }
    }
}
