//! Child processes that hold sockets for a test, and the owners of sockets according to the kernel.
#![cfg(target_os = "linux")]

pub mod confined;
pub mod helper_process;
pub mod requirements;
pub mod seccomp;

use crate::model::process::{Pid, ProcessId};
use crate::os::processes::stat;
use socket2::{Domain, SockRef, Socket, Type};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Path of a test as libtest takes it: the path of its function without the crate.
fn test_name<T: Fn()>(_: T) -> &'static str {
    let path = std::any::type_name::<T>();
    path.split_once("::").map_or(path, |(_crate, name)| name)
}

/// A child with a socket as its standard input.
pub struct SocketHolder {
    child: Child,
    /// Processes that it reported, which would outlive it.
    others: Vec<Pid>,
}

impl SocketHolder {
    pub fn of(child: Child) -> Self {
        let others = Vec::new();
        Self { child, others }
    }

    pub fn pid(&self) -> Pid {
        Pid(self.child.id())
    }

    pub fn process_id(&self) -> ProcessId {
        stat::process_id(self.pid()).expect("it runs")
    }

    pub fn others(&self) -> &[Pid] {
        &self.others
    }

    /// Its own pid and those that it reported.
    pub fn all(&self) -> Vec<Pid> {
        [&[self.pid()], self.others()].concat()
    }

    /// Kills the child itself; those that it reported run on.
    pub fn end(&mut self) {
        self.child.kill().expect("it may be killed");
        self.wait();
    }

    /// Waits for the child itself to exit; those that it reported run on.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("the child ends")
    }
}

impl Drop for SocketHolder {
    fn drop(&mut self) {
        for pid in &self.others {
            let pid = rustix::process::Pid::from_raw(pid.0.cast_signed()).expect("a pid");
            // It may have exited already.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A `sleep` that holds the socket.
pub fn sleeper(socket: impl Into<OwnedFd>) -> SocketHolder {
    let mut command = Command::new("sleep");
    let child = command.arg("60").stdin(socket.into()).spawn();
    SocketHolder::of(child.expect("sleep runs"))
}

/// A shell that runs `script` with the socket as descriptor 3 and prints the pids of `count` children.
///
/// Descriptor 3, because background jobs of a shell have /dev/null as their standard input.
pub fn shell(socket: impl Into<OwnedFd>, script: &str, count: usize) -> SocketHolder {
    let mut child = Command::new("sh")
        .args(["-c", &format!("exec 3<&0; {script}")])
        .stdin(Stdio::from(socket.into()))
        .stdout(Stdio::piped())
        .spawn()
        .expect("sh runs");
    let output = child.stdout.take().expect("a pipe");
    let others = BufReader::new(output)
        .lines()
        .take(count)
        .map(|line| Pid(line.expect("a line").parse().expect("a pid")))
        .collect();
    SocketHolder { child, others }
}

/// A shell that runs `script`, and the pipe to its standard input.
pub fn waiting(script: &str) -> (SocketHolder, impl Write + use<>) {
    let mut child = Command::new("sh")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .spawn()
        .expect("sh runs");
    let input = child.stdin.take().expect("a pipe");
    (SocketHolder::of(child), input)
}

/// An address in 127.0.0.0/8 of this test run, different for each number.
pub fn own_ip(number: u8) -> Ipv4Addr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, number, high, low)
}

/// A connection from a port that was bound first: a port that connect(2) chooses may have other connections too.
pub fn connect(from: IpAddr, to: SocketAddr) -> TcpStream {
    let socket = bind(Type::STREAM, (from, 0).into());
    socket.connect(&to.into()).expect("connects");
    socket.into()
}

/// A bound socket.
pub fn bind(kind: Type, at: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::for_address(at), kind, None).expect("a socket");
    socket.bind(&at.into()).expect("binds");
    socket
}

/// A listener or a UDP socket that shares its port with others.
pub fn bind_shared(kind: Type, at: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::for_address(at), kind, None).expect("a socket");
    socket.set_reuse_port(true).expect("SO_REUSEPORT");
    socket.bind(&at.into()).expect("binds");
    if kind == Type::STREAM {
        socket.listen(1).expect("listens");
    }
    socket
}

/// The address that a socket is bound to.
pub fn local_addr(socket: impl AsFd) -> SocketAddr {
    let address = SockRef::from(&socket).local_addr().expect("an address");
    address.as_socket().expect("an address of the Internet")
}

/// Number of TCP sockets that have this local port, on any address.
pub fn tcp_sockets_on(port: u16) -> usize {
    let port = format!(":{port:04X}");
    let tables = ["tcp", "tcp6"].map(|table| {
        // Without IPv6 there is no second table.
        fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default()
    });
    let lines = tables.iter().flat_map(|table| table.lines());
    let locals = lines.filter_map(|line| line.split_whitespace().nth(1));
    locals.filter(|local| local.ends_with(&port)).count()
}

/// Closes one end and then the other: only the first is left in TIME_WAIT.
pub fn close_in_turn(first: TcpStream, mut second: TcpStream) {
    drop(first);
    // If both close at once, both are left in TIME_WAIT (RFC 9293, section 3.6).
    assert_eq!(second.read(&mut [0]).expect("an end"), 0);
}

/// Polls until there is an answer, for a minute at most: only a failing test waits that long.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "never seen: {what}");
        std::thread::yield_now();
    }
}

pub type Pids = BTreeSet<u32>;

/// Owners of these sockets, by a plain walk through `/proc`.
pub fn owners_in_proc(inodes: &[u32]) -> Vec<Pids> {
    let mut all = vec![Pids::new(); inodes.len()];
    let links = inodes
        .iter()
        .map(|inode| format!("socket:[{inode}]").into());
    let links: Vec<PathBuf> = links.collect();
    for process in fs::read_dir("/proc").expect("/proc").flatten() {
        let name = process.file_name();
        let pid: Option<u32> = name.to_str().and_then(|name| name.parse().ok());
        let descriptors = fs::read_dir(process.path().join("fd"))
            .into_iter()
            .flatten();
        let open = descriptors.filter_map(|one| fs::read_link(one.ok()?.path()).ok());
        for at in open.filter_map(|link| links.iter().position(|wanted| *wanted == link)) {
            all[at].extend(pid);
        }
    }
    all
}

pub fn inode(socket: impl AsFd) -> u32 {
    let stat = rustix::fs::fstat(socket).expect("a socket");
    stat.st_ino.try_into().expect("32 bits")
}
