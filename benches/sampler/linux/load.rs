//! The sockets and processes that are polled.
//!
//! When a call returns, everything it asked for exists.

use super::children::{DONE, HOLD, IDLE};
use anyhow::{Context, bail};
use std::io::{BufRead, BufReader, PipeWriter, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Pairs of a process that listens and one that connects, so that no address runs out of ports.
pub const PAIRS: usize = 25;

/// Processes that hold the sockets.
pub const HOLDERS: usize = 2 * PAIRS;

/// Connections per command, which must fit into a listener's backlog.
const BATCH: usize = 100;

/// Processes that open a few sockets and exit.
pub const FRESH: usize = 100;

pub struct Load {
    pairs: Vec<(HolderProcess, HolderProcess)>,
    held: SocketCounts,
    idle: Vec<IdleProcesses>,
    fresh: Vec<HolderProcess>,
    /// The next pair to change.
    turn: usize,
}

/// Sockets by kind: nine in ten are ends of connections, the rest half listeners, half UDP sockets.
#[derive(Clone, Copy, Default)]
struct SocketCounts {
    listeners: usize,
    datagrams: usize,
    connections: usize,
}

impl SocketCounts {
    fn of(sockets: usize) -> Self {
        let datagrams = sockets / 20;
        // Every holder has one listener already.
        let listeners = datagrams.max(HOLDERS);
        Self {
            listeners: listeners - HOLDERS,
            datagrams,
            connections: sockets.saturating_sub(datagrams + listeners) / 2,
        }
    }
}

impl Load {
    pub fn new() -> anyhow::Result<Self> {
        let pairs = (1..=u8::try_from(PAIRS)?).map(|pair| {
            let server = HolderProcess::start(Ipv4Addr::new(127, 1, 1, pair))?;
            let client = HolderProcess::start(Ipv4Addr::new(127, 1, 2, pair))?;
            Ok((server, client))
        });
        Ok(Self {
            pairs: pairs.collect::<anyhow::Result<_>>()?,
            held: SocketCounts::default(),
            idle: Vec::new(),
            fresh: Vec::new(),
            turn: 0,
        })
    }

    /// Opens sockets until there are this many. Closes none.
    pub fn grow_to(&mut self, sockets: usize) -> anyhow::Result<()> {
        let wanted = SocketCounts::of(sockets);
        for (place, (server, client)) in self.pairs.iter_mut().enumerate() {
            let share = |held, wanted| part(wanted, place) - part(held, place);
            let listeners = share(self.held.listeners, wanted.listeners);
            server.command(&format!("listen {listeners}"))?;
            let datagrams = share(self.held.datagrams, wanted.datagrams);
            client.command(&format!("datagram {datagrams}"))?;
            let connections = share(self.held.connections, wanted.connections);
            connect(server, client, connections)?;
        }
        self.held = wanted;
        Ok(())
    }

    /// Starts or ends idle processes until there are `count` with those that hold the sockets.
    pub fn set_processes(&mut self, count: usize) -> anyhow::Result<()> {
        let wanted = count.saturating_sub(HOLDERS);
        let idle = |groups: &[IdleProcesses]| groups.iter().map(|idle| idle.children.len()).sum();
        while wanted < idle(&self.idle) {
            self.idle.pop();
        }
        let missing = wanted - idle(&self.idle);
        if missing > 0 {
            self.idle.push(IdleProcesses::start(missing)?);
        }
        Ok(())
    }

    /// Lets the owner of the first listener run.
    pub fn wake_owner(&mut self) -> anyhow::Result<()> {
        let (server, _) = self.pairs.first_mut().context("no pair")?;
        server.command("listen 0")
    }

    /// Closes connections and opens as many, spread over the pairs.
    pub fn replace(&mut self, connections: usize) -> anyhow::Result<()> {
        for place in 0..PAIRS {
            let count = part(connections, place);
            let pair = (self.turn + place) % PAIRS;
            if let (Some((server, client)), true) = (self.pairs.get_mut(pair), count > 0) {
                client.command(&format!("close {count}"))?;
                server.command(&format!("close {count}"))?;
                connect(server, client, count)?;
            }
        }
        self.turn += connections.min(PAIRS);
        Ok(())
    }

    /// Ends the fresh processes and starts as many new ones, with three sockets each.
    pub fn refresh(&mut self) -> anyhow::Result<()> {
        self.fresh.clear();
        for place in 1..=u8::try_from(FRESH)? {
            let mut holder = HolderProcess::start(Ipv4Addr::new(127, 1, 3, place))?;
            // With the listener that every holder has, these are three.
            holder.command("listen 1")?;
            holder.command("datagram 1")?;
            self.fresh.push(holder);
        }
        Ok(())
    }

    pub fn end_fresh(&mut self) {
        self.fresh.clear();
    }
}

/// Share of one pair in a number.
fn part(of: usize, place: usize) -> usize {
    of / PAIRS + usize::from(place < of % PAIRS)
}

fn connect(
    server: &mut HolderProcess,
    client: &mut HolderProcess,
    mut count: usize,
) -> anyhow::Result<()> {
    while count > 0 {
        let batch = count.min(BATCH);
        client.command(&format!("connect {} {batch}", server.address))?;
        server.command(&format!("accept {batch}"))?;
        count -= batch;
    }
    Ok(())
}

/// A child that holds sockets.
struct HolderProcess {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    address: SocketAddrV4,
}

impl HolderProcess {
    fn start(address: Ipv4Addr) -> anyhow::Result<Self> {
        let mut child = this_program()?
            .args([HOLD, &address.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("a process that holds sockets")?;
        let commands = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("no output")?);
        let mut holder = Self {
            child,
            commands,
            answers,
            address: SocketAddrV4::new(address, 0),
        };
        let port = holder.answer()?.parse()?;
        holder.address.set_port(port);
        Ok(holder)
    }

    fn command(&mut self, command: &str) -> anyhow::Result<()> {
        let mut commands = self.commands.as_ref().context("no input")?;
        commands.write_all(format!("{command}\n").as_bytes())?;
        self.answer()
            .with_context(|| format!("the command {command}"))?;
        Ok(())
    }

    fn answer(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        match line.trim_end_matches('\n').strip_prefix(DONE) {
            Some(answer) => Ok(answer.to_owned()),
            None => bail!("a process that holds sockets failed: {}", line.trim_end()),
        }
    }
}

impl Drop for HolderProcess {
    fn drop(&mut self) {
        self.commands = None;
        // It exits with its input.
        let _ = self.child.wait();
    }
}

/// Children that do nothing and exit together with the input that they share.
struct IdleProcesses {
    input: Option<PipeWriter>,
    children: Vec<Child>,
}

impl IdleProcesses {
    fn start(count: usize) -> anyhow::Result<Self> {
        let (theirs, input) = std::io::pipe()?;
        let (mut ready, output) = std::io::pipe()?;
        let mut idle = Self {
            input: Some(input),
            children: Vec::new(),
        };
        for _ in 0..count {
            let child = this_program()?
                .arg(IDLE)
                .stdin(theirs.try_clone()?)
                .stdout(output.try_clone()?)
                .spawn()
                .with_context(|| format!("process {} of {count}", idle.children.len() + 1))?;
            idle.children.push(child);
        }
        drop(output);
        ready
            .read_exact(&mut vec![0; count])
            .context("idle processes")?;
        Ok(idle)
    }
}

impl Drop for IdleProcesses {
    fn drop(&mut self) {
        self.input = None;
        for child in &mut self.children {
            // It exits with its input.
            let _ = child.wait();
        }
    }
}

/// This program, to be started again.
pub fn this_program() -> anyhow::Result<Command> {
    Ok(Command::new(std::env::current_exe()?))
}
