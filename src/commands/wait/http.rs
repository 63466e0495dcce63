//! `portmon wait --http`: until a server answers plain HTTP that it is ready.
//!
//! It connects only where that cannot disturb a server that starts: a connect to an ephemeral port on which nothing listens
//! may be given that very port, and keep it in TIME_WAIT.

use super::{PortWaiter, TIMED_OUT, WaitArgs, announce, repeat};
use crate::check::{HttpPath, HttpProbe};
use crate::commands::{print_line, warn, warn_about_pids};
use crate::model::socket::Protocol;
use crate::os::check::http_probe;
use crate::os::environment;
use crate::os::processes::pid_namespace;
use crate::wording::check::http as wording;
use anyhow::bail;
use std::time::{Duration, Instant};

/// Longest time between two attempts, however long one takes.
const MAX_PAUSE: Duration = Duration::from_millis(500);

/// Waits; prints what answered on standard output, or after a timeout what did not on standard error.
pub fn run(options: &WaitArgs, path: &HttpPath) -> anyhow::Result<u8> {
    let target = options.target()?;
    let spec = target.spec;
    if spec.protocol != Protocol::Tcp {
        bail!(wording::not_tcp(spec));
    }
    announce(&wording::announcement(spec, path));
    warn_about_pids(pid_namespace::problem());
    let end = options.timeout.map(|most| Instant::now() + most);
    let may_reach_itself = environment::ephemeral_range().contains(spec.port);
    let mut waiter = PortWaiter::new(&target, options.source);
    let mut probes = Vec::new();
    let mut is_listening = false;
    let found = repeat(options.timeout, MAX_PAUSE, || {
        is_listening = waiter.poll().is_some();
        // Without a listener something may redirect the port.
        let connects = is_listening || !may_reach_itself;
        probes = if connects {
            http_probe::probe_all(spec, path, end)
        } else {
            Vec::new()
        };
        probes.iter().find(|probe| probe.is_ready()).cloned()
    });
    match found {
        Ok((ready, after)) => print_line(&wording::ready(spec, path, &ready, after)).map(|()| 0),
        Err(after) => {
            let has_server = is_listening || probes.iter().any(HttpProbe::is_connected);
            warn(&if has_server {
                http_probe::recognize_tls(&mut probes);
                wording::timed_out(spec, path, &probes, after)
            } else {
                waiter.timeout_message(after)
            });
            Ok(TIMED_OUT)
        }
    }
}
