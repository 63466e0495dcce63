//! Fakes of a container engine and of systemctl, and what they know.

use super::systemd::Systemctl;
use crate::model::process::{Manager, Published, Unit};
use crate::model::socket::Protocol;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Id of a container.
pub const ID: &str = "9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d";

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A unit of the system's manager.
pub fn system_unit(name: &str) -> Unit {
    Unit::new(name.into(), Manager::System)
}

/// A port of the machine that leads to one of a container, on this address; on every address for "".
pub fn published(address: &str, host_port: u16, to: (u16, Protocol)) -> Published {
    let (container_port, protocol) = to;
    Published {
        address: address.parse().ok(),
        host_port,
        protocol,
        container_port,
    }
}

/// A temporary directory, removed with its content.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("portmon-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a new directory");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Creates a shell script of this name.
    ///
    /// A shell writes it: a descriptor open for writing here could get into a child that another test starts meanwhile, and
    /// then execve(2) fails with ETXTBSY.
    pub fn program(&self, name: &str, script: &str) -> PathBuf {
        let program = self.path().join(name);
        let write = "printf '#!/bin/sh\\n%s\\n' \"$2\" > \"$1\"; chmod 700 \"$1\"";
        let status = Command::new("sh")
            .args(["-c", write, "sh"])
            .args([program.as_os_str(), script.as_ref()])
            .status();
        assert!(status.expect("sh runs").success());
        program
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // A directory left behind does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An engine that serves one request.
pub struct FakeEngine {
    directory: TempDir,
    request: JoinHandle<String>,
}

impl FakeEngine {
    /// Sends `answer` and closes.
    pub fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::serving(move |stream| {
            // The client may have closed already.
            let _ = stream.write_all(&answer);
        })
    }

    /// Calls `serve` once a request was read.
    pub fn serving(serve: impl FnOnce(&mut UnixStream) + Send + 'static) -> Self {
        let directory = TempDir::new();
        let listener = UnixListener::bind(directory.path().join("socket")).expect("a socket");
        let request = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("someone asks");
            let text = request(&mut stream);
            serve(&mut stream);
            text
        });
        Self { directory, request }
    }

    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    /// Returns the request.
    pub fn request(self) -> String {
        self.request.join().expect("it was asked")
    }
}

fn request(stream: &mut UnixStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") && stream.read(&mut byte).expect("a question") == 1 {
        text.extend(byte);
    }
    String::from_utf8(text).expect("text")
}

impl Systemctl {
    /// A shell script in place of `systemctl`.
    pub fn fake(directory: &TempDir, script: &str) -> Self {
        Self {
            programs: vec![directory.program("systemctl", script)],
            runtime: directory.path().to_owned(),
            timeout: Duration::from_secs(10),
        }
    }
}
