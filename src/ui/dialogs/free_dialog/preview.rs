//! The preview of a freeing, laid out for the dialog.

use crate::app::App;
use crate::app::overlay::free_dialog::ConfirmPrompt;
use crate::table::description::describe_process;
use crate::ui::dialogs::free_dialog::DialogText;
use crate::ui::labeled_text::LabeledText;
use crate::ui::theme::Role;
use crate::wording::{
    Describer, LineKind, PreviewLine, UNSEEN_TARGETS, drop_repeated_labels, explanation_summary,
    line, preview_lines, preview_title, type_to_confirm,
};

/// How many processes are described in full; more are only named.
const MAX_DESCRIBED: usize = 6;

pub fn preview(app: &App, prompt: &ConfirmPrompt) -> DialogText {
    let context = app.display_context();
    let describer = Describer {
        most: if app.layout().is_short {
            1
        } else {
            MAX_DESCRIBED
        },
        now: context.now,
        describe: &|process| describe_process(process, &context).text(&context),
    };
    let mut lines = preview_lines(&prompt.preview, &describer);
    let skipped = prompt.skipped.iter();
    lines.extend(skipped.map(|one| line("Warning", explanation_summary(one), LineKind::Warning)));
    drop_repeated_labels(&mut lines);
    // A button offers the command.
    lines.retain(|line| line.kind != LineKind::Command);
    let last_target = lines.iter().rposition(|line| line.kind == LineKind::Target);
    DialogText {
        title: preview_title(&prompt.preview),
        targets: last_target.map_or(0, |last| last + 1),
        body: with_branches(lines),
        pinned: confirmation_line(prompt).into_iter().collect(),
    }
}

/// Draws the branch of the tree that leads to each process before its line.
fn with_branches(lines: Vec<PreviewLine>) -> Vec<LabeledText> {
    // For each depth, whether the process drawn last there has no sibling below it.
    let mut is_last = Vec::new();
    lines
        .into_iter()
        .map(|line| {
            is_last.truncate(line.depth);
            let mut branch: String = is_last
                .iter()
                .skip(1)
                .map(|is_last| if *is_last { "  " } else { "│ " })
                .collect();
            if line.depth > 0 {
                branch.push_str(if line.is_last { "└ " } else { "├ " });
            }
            is_last.push(line.is_last);
            LabeledText::new(line.label, branch + &line.text).role(match line.kind {
                LineKind::Target | LineKind::Fact | LineKind::Command => Role::Plain,
                LineKind::Warning => Role::Warning,
            })
        })
        .collect()
}

/// Returns what keeps the targets from being confirmed, or what was typed where a number must be.
fn confirmation_line(prompt: &ConfirmPrompt) -> Option<LabeledText> {
    let (label, text) = if prompt.is_truncated {
        ("", UNSEEN_TARGETS.to_owned())
    } else {
        let text = type_to_confirm(&prompt.preview.confirmation, &prompt.typed);
        ("Confirm", text.filter(|_| !prompt.is_choosing_signal)?)
    };
    Some(LabeledText::new(label, text).role(Role::Warning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_connect_processes_to_their_parents() {
        let node = |text: &str, depth: usize, is_last: bool| PreviewLine {
            depth,
            is_last,
            ..line("", text, LineKind::Target)
        };
        let nodes = vec![
            node("gunicorn 10", 0, true),
            node("gunicorn 11", 1, false),
            node("sh 13", 2, true),
            node("gunicorn 12", 1, true),
            node("sh 14", 2, true),
            node("node 40", 0, true),
        ];
        let drawn: Vec<String> = with_branches(nodes)
            .into_iter()
            .map(|one| one.text)
            .collect();
        let expected = [
            "gunicorn 10",
            "├ gunicorn 11",
            "│ └ sh 13",
            "└ gunicorn 12",
            "  └ sh 14",
            "node 40",
        ];
        assert_eq!(drawn, expected);
    }
}
