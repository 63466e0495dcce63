//! This system has neither control groups nor systemd, and engines run containers in a virtual machine.

use crate::model::port::Port;
use crate::model::process::{Container, Process, Supervisor, Unit};
use crate::model::socket::Protocol;

pub fn of(_process: &Process) -> Supervisor {
    Supervisor::default()
}

pub fn published_on(_port: u16, _protocol: Protocol) -> Vec<Container> {
    Vec::new()
}

pub fn sockets_listening_on(_port: u16, _protocol: Protocol) -> Vec<Unit> {
    Vec::new()
}

pub struct SupervisorLookup;

impl SupervisorLookup {
    pub fn begin() -> Self {
        Self
    }

    pub fn complete(&mut self, _found: &mut Supervisor, _process: &Process, _port: Option<Port>) {}

    pub fn of_port(&mut self, _port: Port) -> Supervisor {
        Supervisor::default()
    }
}
