//! Another process that opens, closes and takes sockets on command: this test binary, started again.

use super::requirements::skipped;
use super::{inode, test_name};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, IoSlice, IoSliceMut, Write, stdin};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

const ROLE: &str = "PORTMON_TEST_HELPER";

pub struct HelperProcess {
    child: Child,
    control: BufReader<UnixStream>,
}

impl HelperProcess {
    pub fn new() -> Self {
        let (here, there) = UnixStream::pair().expect("a pair");
        let child = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--ignored", "--exact", "--nocapture"])
            .arg(test_name(serves_commands))
            .env(ROLE, "1")
            .stdin(Stdio::from(OwnedFd::from(there)))
            .stdout(Stdio::null())
            .spawn()
            .expect("it runs");
        let mut helper = Self {
            child,
            control: BufReader::new(here),
        };
        // With its first answer its set of descriptors is complete.
        assert!(helper.command("open 0").is_empty());
        helper
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Opens `count` sockets.
    pub fn open(&mut self, count: usize) -> Vec<u32> {
        self.command(&format!("open {count}"))
    }

    /// Opens `count` connections.
    pub fn connect(&mut self, to: SocketAddr, count: usize) -> Vec<u32> {
        self.command(&format!("connect {to} {count}"))
    }

    /// Closes one descriptor of each socket.
    pub fn close(&mut self, inodes: &[u32]) {
        let inodes: Vec<String> = inodes.iter().map(u32::to_string).collect();
        self.command(&format!("close {}", inodes.join(" ")));
    }

    pub fn dup(&mut self, inode: u32) {
        self.command(&format!("dup {inode}"));
    }

    /// Makes its descriptors unreadable, even for its own user.
    pub fn hide(&mut self) {
        self.command("hide");
    }

    /// Executes another program, which closes all sockets and does not answer.
    pub fn exec(&mut self) {
        writeln!(self.control.get_mut(), "exec").expect("it listens");
    }

    /// Passes a socket to it; returns the inode that it sees.
    pub fn take(&mut self, socket: impl AsFd) -> u32 {
        writeln!(self.control.get_mut(), "take").expect("it listens");
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let descriptors = [socket.as_fd()];
        assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)));
        // Wait for the answer first: the byte must not become part of the command line.
        assert!(self.answer().is_empty());
        let (stream, byte) = (self.control.get_ref(), [IoSlice::new(b"x")]);
        sendmsg(stream, &byte, &mut control, SendFlags::empty()).expect("sent");
        self.answer()[0]
    }

    fn command(&mut self, words: &str) -> Vec<u32> {
        writeln!(self.control.get_mut(), "{words}").expect("it listens");
        self.answer()
    }

    fn answer(&mut self) -> Vec<u32> {
        let mut line = String::new();
        self.control.read_line(&mut line).expect("an answer");
        let numbers = line.split_whitespace();
        numbers
            .map(|number| number.parse().expect("an inode"))
            .collect()
    }
}

impl Drop for HelperProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A listener that another process alone has open, whose descriptors may not be read even by its own user.
pub struct HiddenListener {
    pub holder: HelperProcess,
    pub port: u16,
    pub inode: u32,
}

impl HiddenListener {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let mut holder = HelperProcess::new();
        let inode = holder.take(listener);
        holder.hide();
        Self {
            holder,
            port,
            inode,
        }
    }
}

#[test]
#[ignore = "runs in a process that another test starts"]
fn serves_commands() {
    if std::env::var_os(ROLE).is_none() {
        skipped("runs only in a process that another test starts");
        return;
    }
    let control = stdin().as_fd().try_clone_to_owned().expect("a copy");
    let control = UnixStream::from(control);
    let mut words = BufReader::new(control.try_clone().expect("a copy"));
    let mut sockets: BTreeMap<u32, Vec<OwnedFd>> = BTreeMap::new();
    let mut line = String::new();
    while words.read_line(&mut line).is_ok_and(|length| length > 0) {
        let answer = run_command(&line, &control, &mut sockets);
        let answer: Vec<String> = answer.iter().map(u32::to_string).collect();
        writeln!(&control, "{}", answer.join(" ")).expect("somebody listens");
        line.clear();
    }
}

/// Returns the inodes of the sockets that it opened or took.
fn run_command(
    line: &str,
    control: &UnixStream,
    sockets: &mut BTreeMap<u32, Vec<OwnedFd>>,
) -> Vec<u32> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |word: &str| word.parse::<u32>().expect("a number");
    let udp = |_| OwnedFd::from(UdpSocket::bind("127.0.0.1:0").expect("a port"));
    let connect = |to: &str| OwnedFd::from(TcpStream::connect(to).expect("a connection"));
    let opened: Vec<OwnedFd> = match words[..] {
        ["open", count] => (0..number(count)).map(udp).collect(),
        ["connect", to, count] => (0..number(count)).map(|_| connect(to)).collect(),
        ["close", ref inodes @ ..] => {
            for inode in inodes {
                drop(sockets.get_mut(&number(inode)).map(|all| all.remove(0)));
            }
            Vec::new()
        }
        ["dup", inode] => vec![sockets[&number(inode)][0].try_clone().expect("a copy")],
        ["hide"] => {
            set_dumpable_behavior(DumpableBehavior::NotDumpable).expect("PR_SET_DUMPABLE");
            Vec::new()
        }
        ["take"] => {
            writeln!(&mut &*control).expect("somebody listens");
            vec![receive(control)]
        }
        _ => panic!("{}", Command::new("sleep").arg("60").exec()),
    };
    let keep = |socket| {
        let inode = inode(&socket);
        sockets.entry(inode).or_default().push(socket);
        inode
    };
    opened.into_iter().map(keep).collect()
}

fn receive(control: &UnixStream) -> OwnedFd {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut messages = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let mut bytes = [IoSliceMut::new(&mut byte)];
    recvmsg(control, &mut bytes, &mut messages, RecvFlags::CMSG_CLOEXEC).expect("a message");
    let rights = messages.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut rights) => rights.next(),
        _ => None,
    });
    rights.expect("a descriptor")
}
