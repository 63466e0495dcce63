//! An engine that answers what a test wants.

use super::systemd::Systemctl;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A directory of the test's own, removed with what is in it.
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

    /// A program of this name that is a script of a shell.
    ///
    /// It is written by a shell and not here: a descriptor that is open for writing could get into a child that another test
    /// starts meanwhile, and what anybody has open for writing is not run (ETXTBSY of execve(2)).
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
        // What is left behind does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An engine that is asked once.
pub struct FakeEngine {
    directory: TempDir,
    request: JoinHandle<String>,
}

impl FakeEngine {
    /// Sends `answer` to whoever asks and closes.
    pub fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::serving(move |stream| {
            // Whoever asks may have seen enough.
            let _ = stream.write_all(&answer);
        })
    }

    /// Leaves a connection to `serve` once its question was read.
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

    /// What it was asked.
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
    /// A script of a shell in the place of `systemctl`.
    pub fn fake(directory: &TempDir, script: &str) -> Self {
        let program = directory.program("systemctl", script);
        let runtime = directory.path().to_owned();
        Self::at(vec![program], runtime, Duration::from_secs(10))
    }
}
