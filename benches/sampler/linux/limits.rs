//! Whether this machine allows the load, asked before anything is started.

use super::load::{FRESH, HOLDERS};
use super::plan::BenchPlan;
use anyhow::{Context, bail};
use rustix::process::{Resource, getrlimit};

/// What a process needs beside its sockets or pipes.
const SPARE_DESCRIPTORS: usize = 32;

/// What the kernel takes for a socket and for a process of this size, generously.
const SOCKET_KIB: usize = 6;
const PROCESS_KIB: usize = 1024;

pub fn check(plan: &BenchPlan) -> anyhow::Result<()> {
    let sockets = plan.loads().map(|load| load.sockets).max().unwrap_or(0);
    let processes = plan.loads().map(|load| load.processes).max().unwrap_or(0) + FRESH;
    let descriptors = sockets / HOLDERS * 2 + SPARE_DESCRIPTORS;
    allow(
        "open files (ulimit -Hn)",
        descriptors,
        hard(Resource::Nofile),
    )?;
    // Here are two pipes to each holder, and the children are started with this limit.
    let pipes = 2 * (HOLDERS + FRESH) + SPARE_DESCRIPTORS;
    allow("open files (ulimit -Sn)", pipes, soft(Resource::Nofile))?;
    if !rustix::process::geteuid().is_root() {
        allow("processes (ulimit -u)", processes, soft(Resource::Nproc))?;
    }
    let threads = std::fs::read_to_string("/proc/sys/kernel/threads-max")?;
    allow(
        "processes (kernel.threads-max)",
        processes,
        threads.trim().parse().ok(),
    )?;
    let memory = sockets * SOCKET_KIB + processes * PROCESS_KIB;
    allow("KiB of memory", memory, Some(available_kib()?))
}

fn allow(what: &str, needed: usize, allowed: Option<usize>) -> anyhow::Result<()> {
    match allowed {
        Some(allowed) if allowed < needed => {
            bail!("the load needs {needed} {what}, and this machine allows {allowed}")
        }
        _ => Ok(()),
    }
}

fn hard(resource: Resource) -> Option<usize> {
    getrlimit(resource).maximum?.try_into().ok()
}

fn soft(resource: Resource) -> Option<usize> {
    getrlimit(resource).current?.try_into().ok()
}

fn available_kib() -> anyhow::Result<usize> {
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let line = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number
        .context("no MemAvailable in /proc/meminfo")?
        .parse()?)
}
