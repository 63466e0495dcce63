//! What a query requires, for explanations of an empty result.

use crate::table::query::Query;
use crate::table::query::condition::{Condition, Term};

impl Query {
    /// True if a row with a hidden owner could match without showing it.
    ///
    /// Ports, states, protocols and addresses are never hidden.
    pub fn asks_about_owners(&self) -> bool {
        self.positive_conditions()
            .any(|condition| !condition.is_of_socket())
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
        let cases: [(&str, Option<&[u16]>); 7] = [
            ("3000", Some(&[3000])),
            ("3000,3100 node", Some(&[3000, 3100])),
            ("3000 :3100 node", Some(&[3000, 3100])),
            ("3000,3100 port:3000", Some(&[3000])),
            ("3000,node", None),
            ("!3000", None),
            ("3000-3100", None),
        ];
        for (text, expected) in cases {
            let query = parse_finished(text).query.exact();
            assert_eq!(query.needed_ports().as_deref(), expected, "{text}");
        }
    }
}
