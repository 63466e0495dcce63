//! Lists in a sentence.

use std::fmt::Display;

/// `a`, `a and b`, `a, b and c`.
pub fn list<T: Display>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.to_string(),
        [rest @ .., last] => {
            let rest: Vec<String> = rest.iter().map(ToString::to_string).collect();
            format!("{} and {last}", rest.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_joined_with_commas_and_and() {
        let lists = [vec![], vec!["a"], vec!["a", "b"], vec!["a", "b", "c"]].map(|of| list(&of));
        assert_eq!(lists, ["", "a", "a and b", "a, b and c"]);
    }
}
