//! The socket tables as the kernel tells them through NETLINK_SOCK_DIAG (sock_diag(7)), without any privilege.
//!
//! It is the cheapest source there is and the only one that knows cookies, queues and connected UDP sockets. It sees the
//! network namespace of this program. What it could not read it names; it must never let a table look empty because the
//! kernel said no.

mod attributes;
mod channel;
mod destroyed;
pub mod failure;
mod message;
mod program;
mod reply;
mod request;
mod walks;

use super::{Demand, sockstat};
use crate::model::address::Family;
use crate::model::endpoint::{Protocol, State};
use crate::model::sighting::{Queue, Sighting};
use crate::model::traffic::{Flow, Traffic};
use crate::os::Error;
use channel::Channel;
pub use destroyed::Destroyed;
use failure::Failure;
use request::{Asked, BOTH_FAMILIES, BY_FAMILY, Request, WITH_INFO};
use std::time::Instant;
use walks::{States, Walk};

const FAMILIES: [Family; 2] = [Family::Ipv4, Family::Ipv6];

/// A table that was not read to its end.
pub type Unread = (Protocol, Family, Error);

/// The source.
pub struct Diag {
    channel: Channel,
    /// The request that walks TCP of both families at once; none once the kernel knew only the other.
    joint: Option<u16>,
}

impl Diag {
    /// An error that [is a refusal](Error::is_refusal) says that this source is not to be had.
    pub fn open() -> Result<Self, Error> {
        Ok(Self {
            channel: Channel::open()?,
            joint: Some(BOTH_FAMILIES),
        })
    }

    /// Shows every socket of the demand, in the order of the kernel, and gives the tables that were not read to their end;
    /// what was read of them is shown all the same.
    #[inline]
    pub fn dump(&mut self, demand: &Demand, see: &mut impl FnMut(&Sighting)) -> Vec<Unread> {
        let program = demand.program();
        let mut unread: Vec<(Protocol, Family, Failure)> = Vec::new();
        for walk in demand.walks(&program) {
            for (family, failure) in self.walk(walk, see) {
                let is_known = |known: &(Protocol, Family, Failure)| {
                    (known.0, known.1) == (walk.protocol, family)
                };
                if !unread.iter().any(is_known) {
                    unread.push((walk.protocol, family, failure));
                }
            }
        }
        let named = |(protocol, family, failure)| (protocol, family, Error::from(failure));
        unread.into_iter().map(named).collect()
    }

    /// The socket as it is now, none once it is closed; of a listener also none once it only has its port.
    pub fn find(&mut self, of: &Sighting) -> Result<Option<Sighting>, Error> {
        Ok(self.look_up(of, 0)?.map(|(sighting, _)| sighting))
    }

    /// The counts of the socket, none once it is closed.
    pub fn traffic(&mut self, of: &Sighting, now: Instant) -> Result<Option<Traffic>, Error> {
        let found = self.look_up(of, WITH_INFO)?;
        Ok(found.map(|(sighting, flow)| Traffic {
            at: now,
            queue: sighting.queue().unwrap_or(Queue::UNKNOWN),
            flow: flow.filter(|_| !matches!(sighting.state, Some(State::Listen | State::Bound))),
        }))
    }

    /// Walks both families and gives those that failed.
    fn walk(&mut self, walk: Walk, see: &mut impl FnMut(&Sighting)) -> Vec<(Family, Failure)> {
        if walk.protocol == Protocol::Tcp
            && let Some(joint) = self.joint
        {
            match self.ask(joint, Family::Ipv4, walk, see) {
                Ok(()) => return Vec::new(),
                Err(failure) if failure.is_refusal() => {}
                Err(failure) => return FAMILIES.map(|family| (family, failure)).to_vec(),
            }
        }
        let mut failed = Vec::new();
        for family in FAMILIES {
            match self.ask(BY_FAMILY, family, walk, see) {
                Err(failure) if !is_without(family, failure) => failed.push((family, failure)),
                Ok(()) | Err(_) => {}
            }
        }
        if walk.protocol == Protocol::Tcp && failed.is_empty() {
            self.joint = None;
        }
        failed
    }

    #[inline]
    fn ask(
        &mut self,
        kind: u16,
        family: Family,
        walk: Walk,
        see: &mut impl FnMut(&Sighting),
    ) -> Result<(), Failure> {
        let request = Request {
            kind,
            family,
            extensions: 0,
            asked: Asked::All(walk),
        };
        let told = walk.states.told();
        self.channel.ask(&request, &mut |row, attributes| {
            if told.have(message::state_number(row))
                && let Some(sighting) = message::sighting(row, attributes, walk.protocol)
            {
                see(&sighting);
            }
        })
    }

    /// The socket with this cookie and its counts if they are asked for.
    ///
    /// The exact look-up is the one that the kernel does for a packet: it finds no bound socket, no socket of an interface
    /// and of sockets that share a port only one. So what it does not find is looked for in a walk.
    fn look_up(
        &mut self,
        of: &Sighting,
        extensions: u8,
    ) -> Result<Option<(Sighting, Option<Flow>)>, Error> {
        let mut found = None;
        let mut keep = |row: &_, attributes: &_| {
            let sighting = message::sighting(row, attributes, of.protocol);
            if let Some(sighting) = sighting.filter(|seen| seen.cookie == of.cookie) {
                found = Some((sighting, attributes::flow(attributes)));
            }
        };
        let mut request = Request {
            kind: BY_FAMILY,
            family: of.table,
            extensions,
            asked: Asked::One(of),
        };
        let outcome = self.channel.ask(&request, &mut keep);
        if outcome.is_err_and(Failure::is_absence) {
            let program = program::local(&[of.local.port()]);
            request.asked = Asked::All(Walk {
                protocol: of.protocol,
                states: States::around(of.state),
                port: of.local.port(),
                program: &program,
            });
            self.channel.ask(&request, &mut keep)?;
        } else {
            outcome?;
        }
        Ok(found)
    }
}

/// Whether the refusal only says that this kernel has no IPv6. One that has it answers with an empty table.
fn is_without(family: Family, failure: Failure) -> bool {
    family == Family::Ipv6 && failure.is_refusal() && !sockstat::has_ipv6()
}

#[cfg(test)]
mod tests;
