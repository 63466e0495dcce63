//! A shell that starts a listener again whenever it ends, as a supervisor does.
//!
//! The listener is this very test binary, so that it binds the port itself and nothing but a shell is needed.

use std::env;
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{self, Command};
use std::thread;

use crate::harness::helper_process::{ChildProcess, listen, scratch, shell_named, unique_name};
use crate::harness::process_tree::children_of;

/// Starts the listener until the test has ended, which that tells by its exit code.
const SCRIPT: &str = "exec 3<&1
    until [ $? = 9 ]; do
        \"$0\" --exact harness::respawner::listens_on_a_port --ignored <&3 3<&- >/dev/null
    done";

/// The exit code of a listener whose test has ended.
const TEST_ENDED: i32 = 9;

const PORT: &str = "PORTMON_TEST_PORT";

pub struct Respawner {
    pub port: u16,
    name: String,
    shell: ChildProcess,
}

impl Respawner {
    /// Returns it once its listener listens.
    pub fn start() -> Self {
        let listener = listen("127.0.0.1:0");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let name = unique_name();
        let programs = scratch(&format!("bin/{name}"));
        let mut command = Command::new(shell_named(&programs, &name));
        let tests = env::current_exe().expect("this binary");
        // The group of the test has portmon in it, so it is protected. The name is an argument too, or the process would be
        // one of sh that was renamed.
        command
            .arg0("sh")
            .arg("-c")
            .arg(SCRIPT)
            .arg(tests)
            .arg(&name);
        command.env(PORT, port.to_string()).process_group(0);
        let shell = ChildProcess::start(&mut command);
        fs::remove_dir_all(programs).expect("the name is no longer needed");
        Self { port, name, shell }
    }

    pub fn pid(&self) -> u32 {
        self.shell.pid()
    }

    /// Returns the pid of the listener that it has started last.
    pub fn listener(&self) -> u32 {
        loop {
            match children_of(self.pid()).as_slice() {
                [child] => return *child,
                _ => thread::yield_now(),
            }
        }
    }

    pub fn wait_until_ended(&mut self) {
        self.shell.wait_until_left();
    }
}

impl fmt::Display for Respawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.pid())
    }
}

#[test]
#[ignore = "runs in a process that another test starts"]
fn listens_on_a_port() {
    let Ok(port) = env::var(PORT) else { return };
    let port = port.parse().expect("a port");
    let listener = loop {
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(listener) => break listener,
            // The bind probe of portmon may be under way.
            Err(error) if error.kind() == ErrorKind::AddrInUse => thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    };
    let control = io::stdin().as_fd().try_clone_to_owned();
    let mut control = UnixStream::from(control.expect("a copy"));
    control.write_all(b"\n").ok();
    control.read_to_end(&mut Vec::new()).ok();
    drop(listener);
    process::exit(TEST_ENDED);
}
