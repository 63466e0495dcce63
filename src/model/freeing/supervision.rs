//! What stands behind the holders of a port and would start them again, or lose more than the port with them.

use super::explanation::{Barrier, Explanation};
use super::order::Target;
use super::proposal::{Proposal, Targets};
use super::words;
use crate::model::process::Process;
use crate::model::provenance::{Container, Provenance, Unit};
use std::iter;

impl Proposal {
    /// Who may start a topmost holder again: `shop.service (user), Restart=always`; each once.
    pub fn bringing_back(&self) -> Vec<String> {
        let mut said = Vec::new();
        for (_, provenance) in self.provenances() {
            let unit = provenance.unit.as_ref().filter(|unit| unit.brings_back());
            let words = unit.map(shown).into_iter();
            for words in words.chain(provenance.container.as_ref().map(ToString::to_string)) {
                if !said.contains(&words) {
                    said.push(words);
                }
            }
        }
        said
    }

    /// The command that stops what would start them again.
    pub fn offer(&self) -> Option<String> {
        let provenances = self.provenances();
        let mut commands = provenances.filter_map(|(_, provenance)| provenance.stop_command());
        commands.next()
    }

    /// Why nothing is to be ended after all, now that it is known what stands behind the holders. What bars the way does so
    /// whether or not there is a command to offer instead.
    pub fn barred(&self) -> Option<Explanation> {
        let port = words::port(self.protocol, self.port);
        let mut barred = self.provenances().filter_map(|(target, provenance)| {
            let why = self.bar(&target.process, provenance)?;
            Some((why, provenance.stop_command()))
        });
        let (line, command) = barred.next()?;
        let end = command
            .iter()
            .map(|command| format!("What ends it for good: {command}"));
        let mut explanation = Explanation::new(
            Barrier::Refused,
            format!("{port} is not freed by ending a process"),
            iter::once(line).chain(end).collect(),
        );
        explanation.offer = command;
        explanation.holders = self.holding();
        Some(explanation)
    }

    /// Why this holder is not to be ended, if it is not: what is behind it must be told to stop instead.
    fn bar(&self, process: &Process, provenance: &Provenance) -> Option<String> {
        let container = provenance.container.as_ref();
        if let Some(container) = container.filter(|one| one.publishes(self.port, self.protocol)) {
            return Some(carries(process, container));
        }
        let unit = provenance.unit.as_ref()?;
        if let Some(socket) = unit.triggered_by.first() {
            return Some(format!(
                "{socket} of systemd starts {unit} again with the next connection."
            ));
        }
        (unit.main == Some(process.pid())).then(|| {
            format!(
                "{process} is the main process of {}, which systemd starts and ends.",
                shown(unit)
            )
        })
    }

    /// The topmost holders that would be ended, with what stands behind each.
    fn provenances(&self) -> impl Iterator<Item = (Target, &Provenance)> {
        let targets = self.targets(Targets::Topmost).into_iter();
        targets.filter_map(|target| {
            let kin = self.kin_of(target.id())?;
            Some((target, &kin.provenance))
        })
    }
}

impl Explanation {
    /// Adds what was found out about who may not be seen, or is never ended.
    pub fn learn(&mut self, behind: &[Provenance]) {
        for provenance in behind {
            let behind = [
                provenance.unit.as_ref().map(shown),
                provenance.container.as_ref().map(ToString::to_string),
            ];
            for words in behind.into_iter().flatten() {
                let line = format!("It belongs to {words}.");
                if !self.lines.contains(&line) {
                    self.lines.push(line);
                }
            }
            // What stops it for good is better than what ends a process of it.
            if let Some(command) = provenance.stop_command() {
                self.offer = Some(command);
            }
        }
    }
}

fn carries(process: &Process, container: &Container) -> String {
    format!(
        "{process} only carries the published port of {container}; to end it would lose the port and leave the container."
    )
}

/// `shop.service (user), Restart=always`
fn shown(unit: &Unit) -> String {
    let restart = unit.restart.as_ref();
    let restart = restart.map_or_else(String::new, |when| format!(", Restart={when}"));
    format!("{unit}{restart}")
}

#[cfg(test)]
mod tests;
