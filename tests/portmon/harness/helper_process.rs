//! Processes that hold sockets for a test and exit with it.
//!
//! A child has the socket as its standard input, and the test drops its own copy. The child reads from its standard
//! output, a socket of the test, until that closes: so it exits also when the test is killed.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

#[cfg(target_os = "linux")]
use rustix::fs::{Uid, fchown};
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::emulator::TIMEOUT;
#[cfg(target_os = "linux")]
use crate::harness::requirements::skipped;

pub const WAITS: &str = "echo; read -r line <&1";
const IGNORES_SIGTERM: &str = "trap '' TERM; echo; read -r line <&1";

/// A child process that holds one socket.
pub struct OwnerProcess {
    pub port: u16,
    pub name: String,
    child: ChildProcess,
}

impl OwnerProcess {
    pub fn listening() -> Self {
        Self::listening_on("127.0.0.1:0")
    }

    pub fn listening_on(address: &str) -> Self {
        Self::named(&unique_name(), listen(address))
    }

    pub fn named(name: &str, listener: TcpListener) -> Self {
        let port = listener.local_addr().expect("an address").port();
        Self::start(name, WAITS, port, listener.into())
    }

    /// A program of this name with these arguments behind those of the shell.
    pub fn with_arguments(name: &str, listener: TcpListener, arguments: &[&str]) -> Self {
        let port = listener.local_addr().expect("an address").port();
        Self::start_with(name, (WAITS, arguments), port, listener.into())
    }

    pub fn bound_to_udp() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let port = socket.local_addr().expect("an address").port();
        Self::start(&unique_name(), WAITS, port, socket.into())
    }

    pub fn ignoring_sigterm() -> Self {
        Self::running(IGNORES_SIGTERM)
    }

    /// A master that SIGTERM ends, and workers that inherit its socket.
    pub fn with_workers(count: usize) -> Self {
        let workers = "(read -r line <&1) <&3 &\n".repeat(count);
        Self::running(&format!("exec 3<&0\n{workers} echo; wait"))
    }

    /// A listener of a shell that runs `script`, which writes a line when it is ready and then reads from its standard
    /// output.
    pub fn running(script: &str) -> Self {
        let listener = listen("127.0.0.1:0");
        let port = listener.local_addr().expect("an address").port();
        Self::holding(listener, port, script)
    }

    /// Like [`running`](Self::running), for a socket of any kind.
    pub fn holding(socket: impl Into<OwnedFd>, port: u16, script: &str) -> Self {
        Self::start(&unique_name(), script, port, socket.into())
    }

    /// A listener of a program with file capabilities, which another user runs: its descriptors are closed even to that user.
    /// `None` where the machine cannot set capabilities.
    #[cfg(target_os = "linux")]
    pub fn with_capabilities(user: &[&str], uid: u32) -> Option<Self> {
        Self::closed(user, uid, &[&["setcap", "cap_net_bind_service+ep"]])
    }

    /// A listener of a setuid program that belongs to `uid` and that another user runs.
    #[cfg(target_os = "linux")]
    pub fn setuid(user: &[&str], uid: u32) -> Option<Self> {
        Self::closed(
            user,
            uid,
            &[&["chown", &uid.to_string()], &["chmod", "u+s"]],
        )
    }

    /// A listener of `uid`, held by a program that these commands have changed and that another user runs.
    #[cfg(target_os = "linux")]
    fn closed(user: &[&str], uid: u32, changes: &[&[&str]]) -> Option<Self> {
        let name = unique_name();
        let programs = scratch(&format!("bin/{name}"));
        let program = programs.join(&name);
        // By other programs: a file that was written here cannot be executed while another thread forks.
        let run = |words: &[&str]| {
            let mut command = Command::new(words.first().expect("a program"));
            let command = command.args(words.iter().skip(1)).arg(&program);
            command.status().is_ok_and(|status| status.success())
        };
        if !run(&["cp", "/bin/sh"]) || !changes.iter().all(|words| run(words)) {
            skipped(format_args!("one of {changes:?} does not work"));
            return None;
        }
        let listener = listen("127.0.0.1:0");
        let port = listener.local_addr().expect("an address").port();
        // As if that user had opened it (`sockfs_setattr` of the kernel's net/socket.c).
        fchown(&listener, Some(Uid::from_raw(uid)), None).expect("root may");
        let mut command = Command::new(user.first().expect("a program"));
        command.args(user.iter().skip(1)).arg(&program);
        // Without -p the shell gives up what the file grants.
        command
            .args(["-p", "-c", WAITS])
            .stdin(OwnedFd::from(listener));
        command.process_group(0);
        let child = ChildProcess::start(&mut command);
        fs::remove_dir_all(programs).expect("the program is no longer needed");
        Some(Self { port, name, child })
    }

    fn start(name: &str, script: &str, port: u16, socket: OwnedFd) -> Self {
        Self::start_with(name, (script, &[]), port, socket)
    }

    fn start_with(
        name: &str,
        (script, arguments): (&str, &[&str]),
        port: u16,
        socket: OwnedFd,
    ) -> Self {
        let programs = scratch(&format!("bin/{}", unique_name()));
        let mut command = Command::new(shell_named(&programs, name));
        // busybox is the program that argv[0] names, whatever the file is called. The name is an argument too, or the
        // process would be one of sh that was renamed.
        command
            .arg0("sh")
            .args(["-c", script, name])
            .args(arguments)
            .stdin(socket);
        // The group of the test has portmon in it, so it is protected.
        command.process_group(0);
        let child = ChildProcess::start(&mut command);
        fs::remove_dir_all(programs).expect("the name is no longer needed");
        Self {
            port,
            name: name.to_owned(),
            child,
        }
    }

    /// The arguments of one that only listens.
    pub fn command(&self) -> [&str; 4] {
        ["sh", "-c", WAITS, &self.name]
    }

    /// A filter for the rows of its port.
    pub fn filter(&self) -> String {
        format!("port:{}", self.port)
    }

    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Returns whether it runs and its port accepts a connection.
    pub fn is_alive(&mut self) -> bool {
        self.runs() && TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    /// Returns whether it runs.
    pub fn runs(&mut self) -> bool {
        self.child.process.try_wait().expect("a status").is_none()
    }

    pub fn end(&mut self) {
        self.child.end();
    }

    /// Answers the `read` of its script, which goes on.
    pub fn proceed(&mut self) {
        self.child.control.write_all(b"\n").expect("it listens");
    }

    /// Waits until it has this name, as after an exec.
    pub fn wait_until_named(&self, name: &str) {
        let end = Instant::now() + TIMEOUT;
        let path = format!("/proc/{}/comm", self.pid());
        while fs::read_to_string(&path).is_ok_and(|comm| comm.trim_end() != name) {
            assert!(Instant::now() < end, "{self} never becomes {name}");
            thread::yield_now();
        }
    }

    /// Suspends it, as Ctrl-Z does.
    pub fn stop(&self) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a pid"), Signal::STOP).expect("it may be stopped");
    }

    /// Waits until it has written another line.
    pub fn wait_for_line(&mut self) {
        while self.child.read().expect("the child runs") != b'\n' {}
    }

    /// Waits until it and all its children have exited.
    pub fn wait_until_ended(&mut self) {
        self.child.wait_until_ended();
    }

    /// Waits until it has exited, whatever children it leaves.
    pub fn wait_until_left(&mut self) {
        self.child.wait_until_left();
    }
}

impl fmt::Display for OwnerProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.pid())
    }
}

/// A child process that is killed when this is dropped, and exits with the test.
pub struct ChildProcess {
    process: process::Child,
    control: UnixStream,
}

impl ChildProcess {
    /// Starts a script that writes a line when it is ready and then reads from its standard output.
    pub fn start(command: &mut Command) -> Self {
        let (control, theirs) = UnixStream::pair().expect("a socket pair");
        let process = command
            .stdout(OwnedFd::from(theirs))
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        // The command keeps its copies of the descriptors until others replace them.
        command.stdin(Stdio::null()).stdout(Stdio::null());
        control.set_read_timeout(Some(TIMEOUT)).expect("a bound");
        let mut child = Self { process, control };
        assert_eq!(child.read(), Some(b'\n'), "the child is ready");
        child
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits until it has exited, whatever children it leaves.
    pub fn wait_until_left(&mut self) {
        self.process.wait().expect("a status");
    }

    fn wait_until_ended(&mut self) {
        assert_eq!(self.read(), None, "the child has exited");
        self.process.wait().expect("a status");
    }

    fn end(&mut self) {
        // It may have exited already.
        self.process.kill().ok();
        self.process.wait().expect("a status");
    }

    fn read(&mut self) -> Option<u8> {
        let mut byte = [0];
        match self.control.read(&mut byte) {
            Ok(0) => None,
            Ok(_) => byte.first().copied(),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => None,
            Err(error) => panic!("the child does not answer: {error}"),
        }
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        self.end();
    }
}

pub fn listen(address: &str) -> TcpListener {
    TcpListener::bind(address).expect(address)
}

/// Another owner of the port, as soon as that can be bound.
pub fn again(port: u16) -> OwnerProcess {
    loop {
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(listener) => return OwnerProcess::named(&unique_name(), listener),
            // The bind probe of portmon may be under way.
            Err(error) if error.kind() == ErrorKind::AddrInUse => thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// A name that no other process on this machine has.
pub fn unique_name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("h{}x{count}x", process::id())
}

/// A directory for files of a test.
pub fn scratch(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).expect("a directory");
    directory
}

/// The POSIX shell under another name, which becomes the name of the process.
///
/// A link: a file that was just written cannot be executed while another thread forks (ETXTBSY of execve(2)).
pub fn shell_named(directory: &Path, name: impl Into<OsString>) -> PathBuf {
    let link = directory.join(name.into());
    match symlink("/bin/sh", &link) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            panic!("{}: {error}", link.display())
        }
        _ => link,
    }
}
