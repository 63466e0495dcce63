//! `portmon unused`: which ports are worth a bind, and what is said when too few of them could be used.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    pub ports: RangeInclusive<u16>,
    pub count: usize,
}

/// What a port must not be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excluded {
    /// Ports that some socket has, in whatever state.
    pub taken: BTreeSet<u16>,
    /// Ports that the machine keeps for programs that ask for them by number.
    pub reserved: Vec<RangeInclusive<u16>>,
}

impl Search {
    /// The ports that nothing has and nobody reserved, ascending; whether one can be used only a bind can tell.
    pub fn candidates<'a>(&self, excluded: &'a Excluded) -> impl Iterator<Item = u16> + use<'a> {
        self.ports.clone().filter(|port| {
            let is_reserved = excluded.reserved.iter().any(|range| range.contains(port));
            !is_reserved && !excluded.taken.contains(port)
        })
    }

    /// That fewer were found than were asked for.
    pub fn shortfall(&self, found: usize) -> String {
        let (first, last) = (self.ports.start(), self.ports.end());
        let asked = self.count;
        match found {
            0 => format!("no port from {first} to {last} can be used"),
            _ => format!("only {found} of {asked} ports from {first} to {last} can be used"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_or_reserved_is_passed_over_in_ascending_order() {
        let search = Search {
            ports: 3000..=3008,
            count: 9,
        };
        let excluded = Excluded {
            taken: BTreeSet::from([3001, 3004, 80]),
            reserved: vec![3006..=3007, 1..=10],
        };
        let candidates: Vec<u16> = search.candidates(&excluded).collect();
        assert_eq!(candidates, [3000, 3002, 3003, 3005, 3008]);
    }

    #[test]
    fn a_range_ends_with_the_last_port_there_is() {
        let search = Search {
            ports: 65534..=65535,
            count: 3,
        };
        let excluded = Excluded::default();
        let candidates: Vec<u16> = search.candidates(&excluded).collect();
        assert_eq!(candidates, [65534, 65535]);
        assert_eq!(
            [search.shortfall(0), search.shortfall(2)],
            [
                "no port from 65534 to 65535 can be used",
                "only 2 of 3 ports from 65534 to 65535 can be used"
            ]
        );
    }
}
