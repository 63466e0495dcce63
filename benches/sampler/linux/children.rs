//! The benchmark's own children: they hold sockets, or do nothing.
//!
//! A child reads a command per line and answers each with a line when it is done. It exits with its input.

use anyhow::{Context, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::SockRef;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

/// Argument that makes a child that holds sockets; its address follows.
pub const HOLD: &str = "hold";

/// Argument that makes a child that does nothing.
pub const IDLE: &str = "idle";

/// Start of the answer to a command that succeeded.
pub const DONE: &str = "done ";

/// Descriptors of an idle child: a program that reads all of them pays for each.
const DESCRIPTORS: usize = 16;

/// Waits for the end of the input.
pub fn idle() -> anyhow::Result<()> {
    let files: Vec<File> = (3..DESCRIPTORS)
        .map(|_| File::open("/dev/null"))
        .collect::<Result<_, _>>()?;
    // A whole line, since standard output is line-buffered.
    std::io::stdout().write_all(b"\n")?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    drop(files);
    Ok(())
}

/// Holds sockets on an address of its own until the end of the input.
pub fn hold(address: &str) -> anyhow::Result<()> {
    let address = address.parse()?;
    raise_limit()?;
    let mut hold = HeldSockets {
        address,
        acceptor: TcpListener::bind((address, 0))?,
        listeners: Vec::new(),
        datagrams: Vec::new(),
        connections: VecDeque::new(),
    };
    let port = hold.acceptor.local_addr()?.port();
    let mut answers = std::io::stdout();
    writeln!(answers, "{DONE}{port}")?;
    for line in std::io::stdin().lock().lines() {
        match hold.run_command(&line?) {
            Ok(()) => writeln!(answers, "{DONE}")?,
            Err(error) => writeln!(answers, "{error:#}")?,
        }
    }
    Ok(())
}

fn raise_limit() -> anyhow::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).context("setrlimit(RLIMIT_NOFILE)")
}

struct HeldSockets {
    address: Ipv4Addr,
    /// The listener that others connect to.
    acceptor: TcpListener,
    listeners: Vec<TcpListener>,
    datagrams: Vec<UdpSocket>,
    /// Oldest first, and closed in that order: both ends of a connection close alike.
    connections: VecDeque<TcpStream>,
}

impl HeldSockets {
    fn run_command(&mut self, line: &str) -> anyhow::Result<()> {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["listen", count] => self.listen(count.parse()?),
            ["datagram", count] => self.datagram(count.parse()?),
            ["connect", to, count] => self.connect(to.parse()?, count.parse()?),
            ["accept", count] => self.accept(count.parse()?),
            ["close", count] => {
                self.close(count.parse()?);
                Ok(())
            }
            _ => bail!("unknown command: {line}"),
        }
    }

    fn listen(&mut self, count: usize) -> anyhow::Result<()> {
        for _ in 0..count {
            self.listeners.push(TcpListener::bind((self.address, 0))?);
        }
        Ok(())
    }

    fn datagram(&mut self, count: usize) -> anyhow::Result<()> {
        for _ in 0..count {
            self.datagrams.push(UdpSocket::bind((self.address, 0))?);
        }
        Ok(())
    }

    fn connect(&mut self, to: SocketAddrV4, count: usize) -> anyhow::Result<()> {
        for _ in 0..count {
            self.keep(TcpStream::connect(to)?)?;
        }
        Ok(())
    }

    fn accept(&mut self, count: usize) -> anyhow::Result<()> {
        for _ in 0..count {
            let (connection, _) = self.acceptor.accept()?;
            self.keep(connection)?;
        }
        Ok(())
    }

    /// Keeps a connection that a reset will close, so that no TIME_WAIT is left.
    fn keep(&mut self, connection: TcpStream) -> anyhow::Result<()> {
        SockRef::from(&connection).set_linger(Some(Duration::ZERO))?;
        self.connections.push_back(connection);
        Ok(())
    }

    fn close(&mut self, count: usize) {
        let count = count.min(self.connections.len());
        self.connections.drain(..count);
    }
}
