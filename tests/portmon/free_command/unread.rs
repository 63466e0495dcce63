//! Socket tables that cannot be read once the signal is sent.

use std::fs;
use std::process::Stdio;

use super::{FreeOutput, command};
use crate::harness::helper_process::{OwnerProcess, scratch, unique_name};

/// On SIGTERM the owner lowers portmon's limit of open files to 0 and exits: nothing can be read or bound any more.
#[test]
fn unreadable_tables_are_reported_and_no_owner_is_invented() {
    let folder = scratch(&unique_name());
    let pid_file = folder.join("pid");
    let mut holder = OwnerProcess::running(&format!(
        "trap 'until [ -s {file} ]; do :; done; prlimit --nofile=3:3 --pid $(cat {file}); exit' TERM
         echo; read -r line <&1",
        file = pid_file.display()
    ));
    let port = holder.port.to_string();
    let mut free = command(&["--source", "proc", "--wait", "2", "--yes", &port]);
    free.stdout(Stdio::piped()).stderr(Stdio::piped());
    let free = free.spawn().expect("portmon");
    let unfinished = folder.join("unfinished");
    fs::write(&unfinished, free.id().to_string()).expect("a file");
    fs::rename(unfinished, pid_file).expect("a file");
    let freed = FreeOutput::from(free.wait_with_output().expect("an output"));
    holder.wait_until_ended();
    fs::remove_dir_all(folder).expect("a folder");
    freed.assert(3, "still_held", &[(holder.pid(), "SIGTERM")], &[]);
    assert!(!freed.message.contains("STILL HELD"), "{freed:#?}");
    freed.assert_says(&format!(
        "It is unknown whether :{port} is free: {holder} ended; "
    ));
    freed.assert_says("could not be read: ");
}
