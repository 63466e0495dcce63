//! Text cut to a width in terminal cells, never through the middle of a character.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The text if it fits, else its beginning and `…`.
pub fn end(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let kept = taken(text.graphemes(true), width.saturating_sub(1));
    if width == 0 {
        String::new()
    } else {
        format!("{kept}…")
    }
}

/// The text if it fits, else `…` and its end: of a path the last part says most.
pub fn start(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let kept = taken(text.graphemes(true).rev(), width.saturating_sub(1));
    let kept: String = kept.graphemes(true).rev().collect();
    if width == 0 {
        String::new()
    } else {
        format!("…{kept}")
    }
}

/// The text in lines of at most this width, broken at blanks where there are any.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word;
        loop {
            let Some(line) = lines.last_mut() else { break };
            let gap = usize::from(!line.is_empty());
            if line.width() + gap + word.width() <= width {
                line.push_str(if gap == 1 { " " } else { "" });
                line.push_str(word);
                break;
            }
            if line.is_empty() {
                let part = taken(word.graphemes(true), width.max(2));
                word = word.get(part.len()..).unwrap_or_default();
                line.push_str(&part);
                if part.is_empty() {
                    break;
                }
            }
            if word.is_empty() {
                break;
            }
            lines.push(String::new());
        }
    }
    lines
}

fn taken<'a>(graphemes: impl Iterator<Item = &'a str>, width: usize) -> String {
    let mut used = 0;
    let fits = |grapheme: &&str| {
        used += grapheme.width();
        used <= width
    };
    graphemes.take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_at_either_end_by_cells_not_letters() {
        assert_eq!(end("gunicorn", 8), "gunicorn");
        assert_eq!(end("gunicorn", 5), "guni…");
        assert_eq!(end("日本語", 4), "日…");
        assert_eq!(start("~/code/shop", 6), "…/shop");
        assert_eq!(end("x", 0), "");
    }

    #[test]
    fn long_words_are_broken_and_short_ones_kept_whole() {
        assert_eq!(wrapped("ends node 4242", 9), ["ends node", "4242"]);
        assert_eq!(wrapped("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
