//! The programs and calls that are measured.

use super::bare_dump::BareDump;
use super::measure::{cpu_time, cpu_time_of_program};
use anyhow::anyhow;
use netstat2::{AddressFamilyFlags, ProtocolFlags, SocketInfo};
use portmon::model::port::EphemeralRange;
use portmon::model::socket::{Endpoint, EndpointId};
use portmon::os::poller::SocketPoller;
use portmon::os::sockets::{DumpRequest, DumpScope};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Rows on a screen.
const ROWS: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidate {
    BareDump,
    Portmon,
    NetstatWithoutPids,
    Netstat,
    Ss,
    Lsof,
}

impl Candidate {
    pub const ALL: [Self; 6] = [
        Self::BareDump,
        Self::Portmon,
        Self::NetstatWithoutPids,
        Self::Netstat,
        Self::Ss,
        Self::Lsof,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::BareDump => "bare dump",
            Self::Portmon => "portmon poll, steady",
            Self::NetstatWithoutPids => "netstat2 without pids",
            Self::Netstat => "netstat2 with pids",
            Self::Ss => "ss -tunap",
            Self::Lsof => "lsof -nP -i",
        }
    }

    /// True if it reads every descriptor of every process and is measured in few rounds only.
    pub fn is_slow(self) -> bool {
        matches!(self, Self::Netstat | Self::Ss | Self::Lsof)
    }

    fn command(self) -> Option<Command> {
        let mut words = match self {
            Self::Ss | Self::Lsof => self.name().split(' '),
            Self::BareDump | Self::Portmon | Self::NetstatWithoutPids | Self::Netstat => {
                return None;
            }
        };
        let mut command = Command::new(words.next()?);
        command.args(words);
        Some(command)
    }

    /// True if this machine has it.
    pub fn is_installed(self) -> bool {
        let Some(mut command) = self.command() else {
            return true;
        };
        let silent = command.stdin(Stdio::null()).stdout(Stdio::null());
        silent.stderr(Stdio::null()).status().is_ok()
    }
}

/// The candidates that keep state from one poll to the next.
pub struct Candidates {
    pub bare_dump: BareDump,
    pub portmon: SocketPoller,
}

impl Candidates {
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            bare_dump: BareDump::new()?,
            portmon: portmon(),
        })
    }

    /// Puts the rows of a screen in view, as the monitor does: listeners first, which belong to many processes.
    pub fn show_rows(&mut self) {
        self.portmon.poll();
        let mut endpoints = self.portmon.endpoints();
        endpoints.sort_by_key(|one| (!one.socket.holds_port(), one.socket.local));
        let ids: Vec<EndpointId> = endpoints.iter().map(Endpoint::id).take(ROWS).collect();
        self.portmon.set_in_view(&ids);
    }

    /// CPU time of one poll.
    pub fn measure(&mut self, candidate: Candidate) -> anyhow::Result<Duration> {
        match candidate {
            Candidate::BareDump => cpu_time(|| self.bare_dump.dump()),
            Candidate::Portmon => cpu_time(|| Ok(self.portmon.poll())),
            Candidate::NetstatWithoutPids => cpu_time(netstat_without_pids),
            Candidate::Netstat => cpu_time(netstat),
            Candidate::Ss | Candidate::Lsof => {
                let mut command = candidate.command().ok_or(anyhow!("no command"))?;
                cpu_time_of_program(&mut command)
            }
        }
    }
}

fn netstat() -> anyhow::Result<Vec<SocketInfo>> {
    let (families, protocols) = (AddressFamilyFlags::all(), ProtocolFlags::all());
    Ok(netstat2::get_sockets_info(families, protocols)?)
}

fn netstat_without_pids() -> anyhow::Result<Vec<SocketInfo>> {
    let (families, protocols) = (AddressFamilyFlags::all(), ProtocolFlags::all());
    let sockets = netstat2::iterate_sockets_info_without_pids(families, protocols)?;
    Ok(sockets.collect::<Result<_, _>>()?)
}

/// Returns what the sampler's thread polls.
pub fn portmon() -> SocketPoller {
    let request = DumpRequest {
        scope: DumpScope::All,
        with_bound: false,
    };
    SocketPoller::new(EphemeralRange::IANA, None, request)
}
