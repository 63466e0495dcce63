//! Several ports that are freed together, each with a verdict of its own.

use super::machine::Freeing;
use super::order::Order;
use super::signal::Signal;
use super::step::{Happening, Step};
use super::terms::Terms;
use std::time::Instant;

/// What was confirmed at once: one port, or those of the marked rows.
#[derive(Clone, Debug)]
pub struct Batch {
    freeings: Vec<Freeing>,
}

impl Batch {
    /// Starts what was confirmed. The executor must have been told to hold on to the processes when the question opened.
    pub fn begin(orders: Vec<Order>, terms: Terms) -> (Self, Vec<Step>) {
        let freeings = orders.iter().cloned();
        let freeings = freeings.map(|order| Freeing::new(order, terms)).collect();
        (Self { freeings }, vec![Step::Send(orders)])
    }

    /// Takes in what happened. What was found for an order of before says nothing about those of now, and is dropped.
    pub fn on(&mut self, happening: Happening) -> Vec<Step> {
        let order = happening.order();
        let mut freeings = self.freeings.iter_mut();
        let meant = freeings.find(|freeing| freeing.order().id() == order);
        meant.map_or_else(Vec::new, |freeing| freeing.on(happening))
    }

    /// In the order in which they were asked about; never empty.
    pub fn freeings(&self) -> &[Freeing] {
        &self.freeings
    }

    /// Whether every port has a verdict, be it one that may still change.
    pub fn has_verdicts(&self) -> bool {
        let mut freeings = self.freeings.iter();
        freeings.all(|freeing| freeing.verdict().is_some())
    }

    /// Whether nothing is watched any more.
    pub fn is_settled(&self) -> bool {
        self.freeings.iter().all(Freeing::is_settled)
    }

    /// Whether whoever waits no longer than was agreed on has all answers.
    pub fn is_told(&self) -> bool {
        self.freeings.iter().all(Freeing::is_told)
    }

    /// The mildest signal that is offered for one of the ports.
    pub fn offer(&self) -> Option<Signal> {
        self.freeings.iter().filter_map(Freeing::offer).min()
    }

    /// Sends what is [offered](Self::offer) wherever just that is. Nothing where nothing is.
    pub fn insist(&mut self, now: Instant) -> Vec<Step> {
        let Some(signal) = self.offer() else {
            return Vec::new();
        };
        let meant = self
            .freeings
            .iter_mut()
            .filter(|freeing| freeing.offer() == Some(signal));
        let orders = meant.filter_map(|freeing| freeing.insist(now)).collect();
        vec![Step::Send(orders)]
    }
}

#[cfg(test)]
mod tests;
