//! A process that has a listener where its `/proc/PID/fd` does not show it: this test binary, started again.

#![expect(unsafe_code, reason = "libc offers these calls only as unsafe")]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, IoSlice, Read, stdin};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{self, Child, Command, Stdio};
use std::thread;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::harness::requirements::{NOBODY, skipped};

/// Names the place in the process that a test starts.
const PLACE: &str = "PORTMON_TEST_PLACE";

/// `IORING_REGISTER_FILES` of io_uring_register(2).
const REGISTER_FILES: libc::c_uint = 2;

pub struct HiddenHolder {
    pub port: u16,
    /// The process that has the listener: the child that was started, or one that it forked.
    pid: u32,
    child: Child,
}

impl HiddenHolder {
    /// In threads that run on after the first one has exited.
    pub fn without_first_thread() -> Option<Self> {
        Self::start(&[], "without_first_thread")
    }

    /// The same as another user, to whom the descriptors of the process are closed.
    pub fn of_nobody_without_first_thread() -> Option<Self> {
        Self::start(&NOBODY, "without_first_thread")
    }

    /// In a thread with descriptors of its own.
    pub fn in_own_thread() -> Option<Self> {
        Self::start(&[], "in_own_thread")
    }

    /// Among the fixed files of an io_uring; `None` where there is none.
    pub fn in_ring() -> Option<Self> {
        Self::start(&[], "in_ring")
    }

    /// On its way through a UNIX socket of the process.
    pub fn in_flight() -> Option<Self> {
        Self::start(&[], "in_flight")
    }

    fn start(wrapper: &[&str], place: &str) -> Option<Self> {
        let test = concat!(module_path!(), "::holds_a_listener");
        let (_, test) = test.split_once("::").expect("a path");
        let this = env::current_exe().expect("this binary");
        let words = [wrapper, &[this.to_str().expect("UTF-8")]].concat();
        let (program, words) = words.split_first().expect("a program");
        let mut child = Command::new(program)
            .args(words)
            .args(["--ignored", "--exact", "--nocapture", test])
            .env(PLACE, place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("it runs");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut told = lines.map_while(Result::ok).filter_map(|line| {
            let (port, pid) = line.strip_prefix("port ")?.split_once(" of ")?;
            let port: u16 = port.parse().expect("a number");
            Some((port, pid.parse().expect("a number")))
        });
        let (port, pid) = told.next().expect("a port");
        // The pipe must not be full or closed when libtest writes its summary.
        thread::spawn(move || told.count());
        let holder = Self { port, pid, child };
        (port != 0).then_some(holder)
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }
}

impl Drop for HiddenHolder {
    fn drop(&mut self) {
        // One that was forked ends with the pipe, and then the child that waits for it.
        drop(self.child.stdin.take());
        if self.pid == self.child.id() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "runs in a process that another test starts"]
fn holds_a_listener() {
    let Ok(place) = env::var(PLACE) else {
        skipped("runs only in a process that another test starts");
        return;
    };
    match place.as_str() {
        "without_first_thread" => hold_without_first_thread(),
        "in_own_thread" => {
            let thread = thread::spawn(|| {
                // SAFETY: the descriptors are copied, so that those of other threads stay theirs.
                assert_eq!(unsafe { libc::unshare(libc::CLONE_FILES) }, 0);
                tell_and_wait(&listen());
            });
            thread.join().expect("it exits the process");
        }
        "in_ring" => hold_in_ring(),
        _ => hold_in_flight(),
    }
}

fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a port")
}

/// Holds it in a process of its own: libtest runs this on its second thread, which is the first one of a fork.
fn hold_without_first_thread() {
    let listener = listen();
    // SAFETY: no other thread of libtest has a lock that the child needs; it waits for this one.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "no fork");
    if child > 0 {
        drop(listener);
        // SAFETY: no status is asked for. The child is waited for once.
        unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
        process::exit(0);
    }
    thread::spawn(move || {
        wait_for_exit_of_first_thread();
        tell_and_wait(&listener);
    });
    // SAFETY: this ends the first thread alone, which has nothing to clean up.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
}

fn wait_for_exit_of_first_thread() {
    let stat = format!("/proc/self/task/{}/stat", process::id());
    let has_exited = || fs::read_to_string(&stat).is_ok_and(|line| line.contains(") Z "));
    while !has_exited() {
        thread::yield_now();
    }
}

fn hold_in_ring() {
    let listener = listen();
    let mut parameters = [0_u8; 120];
    // SAFETY: the structure is as large as the kernel's, which fills it.
    let ring = unsafe { libc::syscall(libc::SYS_io_uring_setup, 8, parameters.as_mut_ptr()) };
    let files = [listener.as_raw_fd()];
    let register = libc::SYS_io_uring_register;
    // SAFETY: the kernel reads one number. A ring that could not be made is an error.
    let registered = unsafe { libc::syscall(register, ring, REGISTER_FILES, files.as_ptr(), 1) };
    let port = if registered < 0 { 0 } else { port(&listener) };
    drop(listener);
    tell(port);
    wait();
}

fn hold_in_flight() {
    let listener = listen();
    let (here, _there) = UnixStream::pair().expect("a pair");
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [listener.as_fd()];
    assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)));
    let byte = [IoSlice::new(b"x")];
    sendmsg(&here, &byte, &mut control, SendFlags::empty()).expect("sent");
    let port = port(&listener);
    drop(listener);
    tell(port);
    wait();
}

fn tell_and_wait(listener: &TcpListener) {
    tell(port(listener));
    wait();
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().expect("an address").port()
}

/// Tells in a line of its own: libtest has begun one.
fn tell(port: u16) {
    println!("\nport {port} of {}", process::id());
}

/// Waits for the end of the test, then ends the process.
fn wait() {
    let _ = stdin().read(&mut [0]);
    process::exit(0);
}
