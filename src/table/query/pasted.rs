//! What a paste makes of the filter: people paste whole error messages, and mean the port in them.

/// The filter that a pasted text stands for: one line, and of an error message just the endpoint that it names.
pub fn pasted(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    line.trim().to_owned()
}
