//! The supervisor of a process in the details: its unit and its container.

use crate::model::process::{Container, Supervisor, Unit};
use crate::model::text::{SystemText, escaped};
use crate::ui::labeled_text::LabeledText;

/// Lines about the supervisor of a process, or of a port whose owner is hidden.
pub fn supervisor_lines(supervisor: &Supervisor) -> Vec<LabeledText> {
    let unit = supervisor
        .unit
        .as_ref()
        .map(|found| LabeledText::new("unit", unit(found)));
    let container = supervisor.container.as_ref();
    let container =
        container.map(|found| LabeledText::new("container", container_with_ports(found)));
    unit.into_iter().chain(container).collect()
}

/// `shop.service (user) · main process 4242 · Restart=always · started by shop.socket`
fn unit(unit: &Unit) -> String {
    let names = |verb, names: &[SystemText]| {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        (!names.is_empty()).then(|| format!("{verb} {}", names.join(", ")))
    };
    let main = unit.main.map(|pid| format!("main process {pid}"));
    let restart = unit.restart.as_ref();
    let restart = restart.map(|when| format!("Restart={}", escaped(when)));
    let started = names("started by", &unit.triggered_by);
    let starts = names("starts", &unit.triggers);
    let details = [main, restart, started, starts].into_iter().flatten();
    let parts: Vec<String> = std::iter::once(unit.to_string()).chain(details).collect();
    parts.join(" · ")
}

/// `docker shop-db-1 · 0.0.0.0:15432->5432/tcp, [::]:15432->5432/tcp`
fn container_with_ports(container: &Container) -> String {
    let ports: Vec<String> = container
        .published
        .iter()
        .map(ToString::to_string)
        .collect();
    if ports.is_empty() {
        container.to_string()
    } else {
        format!("{container} · {}", ports.join(", "))
    }
}

#[cfg(test)]
mod tests;
