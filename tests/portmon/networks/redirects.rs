//! Ports that a firewall rule redirects: a connect is answered although nothing listens there.

use std::process::{Command, Stdio};

use super::is_in_a_network;
use crate::harness::helper_process::OwnerProcess;
use crate::harness::launch::run;
use crate::harness::requirements::skipped;

#[test]
fn a_redirected_port_is_answered_by_what_no_table_shows() {
    if !is_in_a_network() {
        return;
    }
    let holder = OwnerProcess::listening();
    let rule = format!(
        "-t nat -A OUTPUT -p tcp --dport 3000 -j REDIRECT --to-ports {}",
        holder.port
    );
    let made = Command::new("iptables")
        .args(rule.split(' '))
        .stderr(Stdio::null())
        .status();
    if !made.is_ok_and(|status| status.success()) {
        skipped("no iptables that redirects");
        return;
    }
    let checked = run(&["check", "3000", "--connect"]);
    let words = "FREE :3000, but connections are answered by something that no socket table shows";
    assert!(checked.stdout.starts_with(words), "{checked:?}");
}
