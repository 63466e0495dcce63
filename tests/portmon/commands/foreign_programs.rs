//! Programs in the working directory or first in PATH are never run: portmon may be root.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::helper_process::{OwnerProcess, listen, scratch, unique_name};
use crate::harness::launch::PORTMON;
use crate::harness::process_tree::wait_for_forks;

/// Programs that could tell about a supervisor.
const PROGRAMS: [&str; 4] = ["systemctl", "docker", "podman", "nerdctl"];

/// Writes programs that create `marker`.
fn plant(directory: &Path, marker: &Path) {
    for name in PROGRAMS {
        let program = directory.join(name);
        let script = format!("#!/bin/sh\n: > '{}'\n", marker.display());
        fs::write(&program, script).expect("a program");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it may be run");
    }
}

#[test]
fn no_systemctl_from_path_or_the_working_directory_is_run() {
    let root = scratch(&unique_name());
    let marker = root.join("ran");
    let [here, there] = ["here", "there"].map(|name| root.join(name));
    for directory in [&here, &there] {
        fs::create_dir(directory).expect("a directory");
        plant(directory, &marker);
    }
    // A process called systemd makes portmon ask for socket units.
    let holder = OwnerProcess::named("systemd", listen("127.0.0.1:0"));
    for path in [format!("{}:/usr/bin:/bin", there.display()), ".".to_owned()] {
        wait_for_forks();
        let output = Command::new(PORTMON)
            .args(["free", "--dry-run", &holder.port.to_string()])
            .current_dir(&here)
            .env("PATH", &path)
            .stdin(Stdio::null())
            .output()
            .expect("an output");
        let told = [&output.stdout[..], &output.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert!(!marker.exists(), "{path}: {told}");
        assert!(told.contains(&holder.pid().to_string()), "{path}: {told}");
    }
    fs::remove_dir_all(root).expect("nothing of it is needed");
}
