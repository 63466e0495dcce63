//! Listeners that take SIGTERM as a shell cannot: this test binary, started again with the signal blocked.

use std::fs;
use std::io::{BufRead, BufReader, Read, stdout};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::ptr;

use crate::harness::emulator::TIMEOUT;
use crate::harness::process_tree::children_of;
use crate::harness::requirements::skipped;

const ROLE: &str = "PORTMON_TEST_SIGNALS";

/// What a listener does about SIGTERM, which it blocks.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// sigwait(3), and then it takes its time.
    Once,
    /// sigwait(3) again and again.
    Always,
    /// signalfd(2), and then it takes its time.
    ByDescriptor,
    Never,
}

/// A process that listens, and exits with the test.
pub struct SignalHelper {
    pub port: u16,
    pub pid: u32,
    child: Child,
    _control: UnixStream,
}

impl SignalHelper {
    pub fn blocking(takes: Takes) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this binary"));
        block_sigterm(&mut command);
        Self::start(command, takes)
    }

    /// The first process of a PID namespace; it has no handler, and blocks the signal only to wait for it.
    pub fn first_of_namespace(takes: Takes) -> Self {
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--kill-child"]);
        command.arg(std::env::current_exe().expect("this binary"));
        if !matches!(takes, Takes::Never) {
            block_sigterm(&mut command);
        }
        let mut helper = Self::start(command, takes);
        let children = children_of(helper.pid);
        helper.pid = *children.first().expect("the first process");
        helper
    }

    fn start(mut command: Command, takes: Takes) -> Self {
        let (control, theirs) = UnixStream::pair().expect("a socket pair");
        control.set_read_timeout(Some(TIMEOUT)).expect("a bound");
        let child = command
            .args(["--ignored", "--exact", "--nocapture"])
            .arg("harness::signal_helper::listens")
            .env(ROLE, format!("{takes:?}"))
            .stdout(OwnedFd::from(theirs))
            .process_group(0)
            .spawn()
            .expect("a child");
        // The command keeps its copy of the descriptor.
        drop(command);
        let lines = BufReader::new(control.try_clone().expect("a copy")).lines();
        let mut lines = lines.map(|line| line.expect("a line"));
        let port = lines.find_map(|line| line.strip_prefix("port ")?.parse().ok());
        Self {
            port: port.expect("a port"),
            pid: child.id(),
            child,
            _control: control,
        }
    }
}

impl Drop for SignalHelper {
    fn drop(&mut self) {
        // It may have exited already.
        self.child.kill().ok();
        self.child.wait().expect("a status");
    }
}

/// A mask is kept over execve(2), so each thread of the program starts with it.
#[expect(
    unsafe_code,
    reason = "no safe call sets the mask between fork and exec"
)]
fn block_sigterm(command: &mut Command) {
    // SAFETY: sigprocmask(2) is async-signal-safe, and the mask lives through the call.
    unsafe {
        command.pre_exec(|| {
            libc::sigprocmask(libc::SIG_BLOCK, &sigterm(), ptr::null_mut());
            Ok(())
        });
    }
}

#[expect(unsafe_code, reason = "a mask is made by a call")]
fn sigterm() -> libc::sigset_t {
    let mut mask = MaybeUninit::uninit();
    // SAFETY: sigemptyset(3) writes the whole mask.
    unsafe {
        libc::sigemptyset(mask.as_mut_ptr());
        libc::sigaddset(mask.as_mut_ptr(), libc::SIGTERM);
        mask.assume_init()
    }
}

#[test]
#[ignore = "runs in a process that another test starts"]
fn listens() {
    let Some(role) = std::env::var_os(ROLE) else {
        skipped("runs only in a process that another test starts");
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    println!("\nport {}", address.port());
    match role.to_str() {
        Some("Once") => wait_for_sigterm(),
        Some("Always") => loop {
            wait_for_sigterm();
        },
        Some("ByDescriptor") => read_sigterm(),
        _ => {}
    }
    // Until the test has ended.
    let control = stdout().as_fd().try_clone_to_owned().expect("a copy");
    let end = UnixStream::from(control).read(&mut [0]);
    assert!(!end.is_ok_and(|length| length > 0), "nothing is written");
}

#[expect(unsafe_code, reason = "no safe call waits for a signal")]
fn wait_for_sigterm() {
    let mut signal = 0;
    // SAFETY: both live through the call.
    unsafe { libc::sigwait(&sigterm(), &raw mut signal) };
}

#[expect(unsafe_code, reason = "no safe call opens a signalfd")]
fn read_sigterm() {
    // SAFETY: the mask lives through the call.
    let descriptor = unsafe { libc::signalfd(-1, &sigterm(), 0) };
    // SAFETY: the descriptor was just opened and nothing else owns it.
    let mut file = unsafe { fs::File::from_raw_fd(descriptor) };
    file.read_exact(&mut [0; 128]).expect("a signal");
}
