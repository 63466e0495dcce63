//! Ports that something redirects: a connect is answered although nothing listens there.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use super::cgroup_hook::Redirect;
use super::is_in_a_network;
use crate::harness::helper_process::OwnerProcess;
use crate::harness::launch::{PORTMON, Printed, run};
use crate::harness::requirements::skipped;

#[track_caller]
fn assert_answered(checked: &Printed, port: u16) {
    let words = format!(
        "FREE :{port}, but connections are answered by something that no socket table shows\n  127.0.0.1:{port} is \
         answered by something that no socket table shows: a redirect (nft, iptables, eBPF) or "
    );
    assert!(checked.stdout.starts_with(&words), "{checked:?}");
}

#[test]
fn a_connect_that_a_firewall_redirects_is_told() {
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
    assert_answered(&run(&["check", "3000", "--connect"]), 3000);
}

#[test]
fn a_connect_that_ebpf_redirects_is_told() {
    let unused = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = unused.local_addr().expect("an address").port();
    drop(unused);
    let holder = OwnerProcess::listening();
    let redirect = match Redirect::new(port, holder.port) {
        Ok(redirect) => redirect,
        Err(error) => return skipped(format_args!("no redirect by eBPF: {error}")),
    };
    // Only portmon is in the group.
    let script = "echo $$ > \"$0\" && exec \"$@\"";
    let output = Command::new("sh")
        .args(["-c", script, &redirect.processes(), PORTMON])
        .args(["check", &port.to_string(), "--connect"])
        .output();
    assert_answered(&output.expect("an output").into(), port);
}
