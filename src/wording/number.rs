//! Lists, counts, bytes in powers of a thousand (SI) and percentages.

use std::fmt::Display;

/// The units above the byte, each a thousand of the one before.
const BYTE_UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];

/// `1 port`, `3 ports`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// `340 B`, `1.2 kB`, `12 MB`.
pub fn bytes(count: u64) -> String {
    let count = u128::from(count);
    let mut text = format!("{count} B");
    let mut size = 1;
    for unit in BYTE_UNITS {
        // What rounds to a thousand of one unit is one of the next.
        if rounded(count, size) < 1_000 {
            break;
        }
        size *= 1_000;
        text = format!("{} {unit}", one_decimal(count, size));
    }
    text
}

/// `2.3 %`, `250 %`, of thousandths.
pub fn percent(thousandths: u64) -> String {
    format!("{} %", one_decimal(thousandths.into(), 10))
}

/// `part / whole` with one decimal below ten and none above.
pub(super) fn one_decimal(part: u128, whole: u128) -> String {
    match rounded(part * 10, whole) {
        tenths @ 0..100 => format!("{}.{}", tenths / 10, tenths % 10),
        _ => rounded(part, whole).to_string(),
    }
}

fn rounded(part: u128, whole: u128) -> u128 {
    (part + whole / 2) / whole
}

/// `a`, `a and b`, `a, b and c`.
pub fn list<T: Display>(items: &[T]) -> String {
    list_with("and", items)
}

/// `a`, `a or b`, `a, b or c`.
pub fn alternatives<T: Display>(items: &[T]) -> String {
    list_with("or", items)
}

fn list_with<T: Display>(conjunction: &str, items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.to_string(),
        [rest @ .., last] => format!("{} {conjunction} {last}", joined(rest, ", ")),
    }
}

/// Groups items by a key, in the order in which each key first appears.
pub(super) fn grouped<T, K: PartialEq>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    for item in items {
        let key = key(&item);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(item),
            None => groups.push((key, vec![item])),
        }
    }
    groups
}

/// The items with a separator between them.
pub fn joined<T: Display>(items: &[T], separator: &str) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_one_decimal_below_ten_and_carry_at_a_thousand() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (9_949, "9.9 kB"),
            (9_950, "10 kB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (45_000_000, "45 MB"),
            (u64::MAX, "18 EB"),
        ];
        for (count, shown) in cases {
            assert_eq!(bytes(count), shown);
        }
    }

    #[test]
    fn percentages_go_beyond_a_hundred() {
        let shown = [0, 23, 99, 104, 2_500].map(percent);
        assert_eq!(shown, ["0.0 %", "2.3 %", "9.9 %", "10 %", "250 %"]);
    }

    #[test]
    fn lists_are_joined_with_commas_and_and() {
        let lists = [vec![], vec!["a"], vec!["a", "b"], vec!["a", "b", "c"]].map(|of| list(&of));
        assert_eq!(lists, ["", "a", "a and b", "a, b and c"]);
    }
}
