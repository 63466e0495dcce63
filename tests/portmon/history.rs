//! The history of a port: its last owner and the command that restarts it.

use std::env;

use crate::harness::helper_process::OwnerProcess;
use crate::harness::terminal::Terminal;

#[test]
fn a_free_port_names_its_last_owner_and_copies_its_command() {
    let mut holder = OwnerProcess::listening();
    let (port, pid) = (holder.port, holder.pid().to_string());
    let terminal = Terminal::portmon(&[&format!("port:{port}")]);
    terminal.wait_for("the listener and its owner", |display| {
        let row = display.row(port);
        row.is_some_and(|row| row.text.contains(&pid))
    });
    holder.end();
    let last = format!("nothing on {port} now · last: {} {pid} (sh · ", holder.name);
    let display = terminal.wait_for("the last owner and what became of it", |display| {
        display.says(&last) && display.says(" · exited")
    });
    assert!(display.says(" s ago, was open for at most "), "{display}");

    terminal.keys("Y");
    let display = terminal.wait_for("a copy", |display| display.clipboard().is_some());
    let directory = env::current_dir().expect("a directory");
    let command = format!("sh -c 'echo; read -r line <&1' {}", holder.name);
    assert_eq!(
        display.clipboard_text(),
        format!("cd {} && {command}", directory.display())
    );
}
