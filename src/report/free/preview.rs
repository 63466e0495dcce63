//! The preview that `portmon free` prints before it asks.

use super::text::PortPlan;
use crate::table::description;
use crate::table::row::DisplayContext;
use crate::wording::{self, Describer, LineKind, PreviewLine};

/// Returns the lines of the preview: the port, what is shown of its owners, and the signal.
pub fn preview_lines(plan: &PortPlan, context: &DisplayContext) -> Vec<String> {
    let preview = plan.preview();
    let describer = Describer {
        most: usize::MAX,
        now: context.now,
        describe: &|process| description::describe_process(process, context).text(context),
    };
    let signal = format!("{} to {}", plan.signal, wording::list(&plan.processes()));
    let mut lines = wording::preview_lines(&preview, &describer);
    lines.push(wording::line("Signal", signal, LineKind::Fact));
    let head = format!("{} on {} is held:", plan.spec, preview.host);
    std::iter::once(head)
        .chain(lines.iter().map(labeled))
        .collect()
}

fn labeled(line: &PreviewLine) -> String {
    format!("  {:<14}{}", line.label, line.text).replace('\u{a0}', " ")
}
