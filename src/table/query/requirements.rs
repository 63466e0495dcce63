//! What a query requires, for explanations of an empty result.

use crate::table::query::Query;
use crate::table::query::condition::{Condition, PortEnd, Term};

impl Query {
    /// True if a row with a hidden owner could match without showing it.
    ///
    /// Ports, states, protocols and addresses are never hidden.
    pub fn asks_about_owners(&self) -> bool {
        self.positive_conditions()
            .any(|condition| !condition.is_of_socket())
    }

    /// Returns the bare port numbers in words of their own, which must all match: `3000 3100`.
    ///
    /// Only for a query that is [`exact`](Self::exact) or resolved.
    pub fn bare_ports(&self) -> Vec<u16> {
        let mut ports: Vec<u16> = self.terms.iter().filter_map(bare_port).collect();
        ports.dedup();
        ports
    }

    /// Returns ports of which every matching row has one at either end; `None` if other rows may match.
    pub fn needed_ports(&self) -> Option<Vec<u16>> {
        let ports = |term: &Term| -> Option<Vec<u16>> {
            let ports = term.any.iter().map(Condition::exact_port);
            ports.filter(|_| !term.is_negated).collect()
        };
        self.terms
            .iter()
            .filter_map(ports)
            .filter(|ports| !ports.is_empty())
            .min_by_key(Vec::len)
    }
}

fn bare_port(term: &Term) -> Option<u16> {
    match term.any.as_slice() {
        [condition @ Condition::Port { end, .. }]
            if *end == PortEnd::Either && !term.is_negated =>
        {
            condition.exact_port()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::table::query::parse_finished;

    #[test]
    fn only_conditions_on_owners_ask_about_owners() {
        let cases = [
            ("", false),
            ("3000 state:listen proto:tcp", false),
            ("3000 !node", false),
            ("3000 node", true),
            ("pid:7", true),
        ];
        for (text, expected) in cases {
            let query = parse_finished(text).query.exact();
            assert_eq!(query.asks_about_owners(), expected, "{text}");
        }
    }

    #[test]
    fn a_port_is_needed_where_no_row_without_it_matches() {
        let cases: [(&str, Option<&[u16]>); 6] = [
            ("3000", Some(&[3000])),
            ("3000,3100 node", Some(&[3000, 3100])),
            ("3000,3100 :3000", Some(&[3000])),
            ("3000,node", None),
            ("!3000", None),
            ("3000-3100", None),
        ];
        for (text, expected) in cases {
            let query = parse_finished(text).query.exact();
            assert_eq!(query.needed_ports().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn bare_ports_are_those_that_must_all_match() {
        let cases: [(&str, &[u16]); 5] = [
            ("3000 3100 node", &[3000, 3100]),
            ("3000,3100", &[]),
            ("3000 !3100", &[3000]),
            ("3000 :3100", &[3000]),
            ("3000 3000", &[3000]),
        ];
        for (text, expected) in cases {
            let query = parse_finished(text).query.exact();
            assert_eq!(query.bare_ports(), expected, "{text}");
        }
    }
}
