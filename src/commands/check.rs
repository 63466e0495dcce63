//! `portmon check`: whether a port can be used, and why not.

use super::port;
use super::{EXIT_ERROR, unless_closed};
use crate::check::CheckRequest;
use crate::cli::values::source;
use crate::model::port::{Availability, PortSpec};
use crate::model::socket::SocketSource;
use crate::os::check::{CheckContext, check_port};
use crate::os::environment;
use crate::report;
use crate::wording::check as wording;
use anyhow::bail;
use clap::Args;
use std::io;

/// Check whether a port can be used and, if not, why
#[derive(Args)]
#[command(after_help = "\
Examples:
  portmon check 3000             can a server use port 3000?
  portmon check 5432 --connect   does its server answer?

Exit status:
  0  the port is free
  1  the port is held
  2  error, or it is unknown whether the port is free")]
pub struct CheckArgs {
    /// Port: 3000, 3000/udp, 127.0.0.1:5432, [::1]:5432, [fe80::1%eth0]:80
    #[arg(value_parser = port)]
    pub port: PortSpec,
    /// Also connect and show what answers (may end a one-shot server)
    #[arg(long)]
    pub connect: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[arg(long, hide = true, value_parser = source)]
    source: Option<SocketSource>,
}

/// Prints the report; the exit code tells whether the port is free.
pub fn run(options: &CheckArgs) -> anyhow::Result<u8> {
    let environment = environment::read();
    super::warn_about_pids(environment.pids_problem);
    let context = CheckContext::new(&environment, options.source);
    let request = CheckRequest {
        spec: options.port,
        connects: options.connect,
    };
    let report = check_port(context, request);
    if let Some(unknown) = wording::unknown(&report)
        && !options.json
    {
        // Nothing on standard output: its first word is FREE or HELD.
        bail!(unknown);
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    // A reader that has seen enough still gets the exit code.
    unless_closed(report::check::print(&report, options.json, &mut out))?;
    Ok(match &report.availability {
        Availability::Usable | Availability::OnlyWithReuseAddr | Availability::NotPermitted => 0,
        Availability::NoSuchAddress | Availability::Held(_) => 1,
        Availability::Unknown(_) => EXIT_ERROR,
    })
}
