//! Sockets whose owner is not easily found: where it is found all the same, and why it is not where it is not.

use crate::harness::helper_process::OwnerProcess;
use crate::harness::hidden_holder::HiddenHolder;
use crate::harness::launch::{Launch, PORTMON, run, run_by};
use crate::harness::requirements::{NOBODY, can_be_nobody, can_unshare, skipped};
use crate::harness::terminal::Terminal;

/// Runs a program as root without the capability that most containers lack.
const NO_PTRACE: [&str; 5] = [
    "setpriv",
    "--bounding-set",
    "-sys_ptrace",
    "--inh-caps",
    "-sys_ptrace",
];

/// What `check` prints about a port, run by another program.
fn check_by(program: &[&str], port: u16) -> String {
    run_by(program, &["check", &port.to_string()]).stdout
}

/// True for root, who alone can prepare these places.
fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        skipped("not root");
    }
    is_root
}

/// Asserts that each of these is said.
#[track_caller]
fn assert_says(said: &str, words: &[&str]) {
    for words in words {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn an_owner_without_its_first_thread_is_found_and_freed() {
    found_and_freed(HiddenHolder::without_first_thread());
}

#[test]
fn another_users_owner_without_its_first_thread_is_found() {
    if !can_be_nobody(PORTMON.as_ref()) {
        return;
    }
    let holder = HiddenHolder::of_nobody_without_first_thread().expect("a holder");
    let port = holder.port.to_string();
    let said = check_by(&NOBODY, holder.port);
    assert_says(&said, &[&format!(" {} of nobody on ", holder.pid())]);
    let freed = run_by(&NOBODY, &["free", &port, "--yes", "--settle", "0.2"]);
    assert_eq!(freed.code, Some(0), "{freed:?}");
}

#[test]
fn an_owner_with_a_thread_of_own_fds_is_found_and_freed() {
    found_and_freed(HiddenHolder::in_own_thread());
}

#[test]
fn an_owner_with_a_fixed_file_of_a_ring_is_found_and_freed() {
    found_and_freed(HiddenHolder::in_ring());
}

#[track_caller]
fn found_and_freed(holder: Option<HiddenHolder>) {
    let Some(holder) = holder else {
        skipped("the kernel makes no such holder");
        return;
    };
    let port = holder.port.to_string();
    let said = run(&["check", &port]).stdout;
    let pid = format!(" {} of ", holder.pid());
    assert_says(&said, &[&format!("HELD :{port} by "), &pid, "listens on"]);
    assert!(!said.contains("has not reaped it"), "{said}");
    let listed = run(&["list", "--json", &format!("port:{port}")]).stdout;
    assert_says(
        &listed,
        &[
            "\"owner_known\": \"yes\"",
            &format!("\"pid\": {}", holder.pid()),
            "holds_a_listener",
        ],
    );
    let freed = run(&["free", &port, "--yes", "--settle", "0.2"]);
    assert_eq!(freed.code, Some(0), "{freed:?}");
    assert_says(&freed.stdout, &[&format!(":{port} is free.")]);
}

#[test]
fn a_socket_in_flight_is_told_with_its_carrier() {
    let Some(holder) = HiddenHolder::in_flight() else {
        skipped("the kernel makes no such holder");
        return;
    };
    let way = "probably on its way through a UNIX socket of";
    let pid = format!(" {}", holder.pid());
    assert_says(&check_by(&[], holder.port), &[way, &pid]);
    let freed = run(&["free", &holder.port.to_string(), "--yes"]);
    assert_eq!(freed.code, Some(4), "{freed:?}");
    assert_says(&freed.stdout, &[way, &pid]);
}

#[test]
fn root_without_cap_sys_ptrace_is_told_so() {
    if !can_be_nobody(PORTMON.as_ref()) {
        return;
    }
    let waits = crate::harness::helper_process::WAITS;
    let script = format!("exec {} sh -c '{waits}'", NOBODY.join(" "));
    let holder = OwnerProcess::running(&script);
    let said = check_by(&NO_PTRACE, holder.port);
    assert_says(&said, &["owner hidden; this root lacks CAP_SYS_PTRACE"]);
    let port = holder.port.to_string();
    let freed = run_by(&NO_PTRACE, &["free", &port, "--yes"]);
    assert_eq!(freed.code, Some(4), "{freed:?}");
    assert_says(&freed.stdout, &["This root lacks CAP_SYS_PTRACE"]);
    assert!(!freed.stdout.contains("sudo"), "{freed:?}");
    let listed = run_by(&NO_PTRACE, &["list", &format!("port:{port}")]);
    assert_says(&listed.stderr, &["1 owner hidden"]);
    assert!(!listed.stderr.contains("sudo"), "{listed:?}");
}

#[test]
fn of_many_unreadable_processes_of_root_none_is_guessed() {
    if !can_be_nobody(PORTMON.as_ref()) {
        return;
    }
    let holders: Vec<OwnerProcess> = (0..4).map(|_| OwnerProcess::listening()).collect();
    let port = holders[0].port.to_string();
    let may_be = [
        "may be one of ",
        " processes of root whose descriptors are not readable",
    ];
    let said = check_by(&NO_PTRACE, holders[0].port);
    assert_says(&said, &may_be);
    assert!(!said.contains("probably"), "{said}");
    let freed = run_by(&NO_PTRACE, &["free", &port, "--json"]);
    assert_eq!(freed.code, Some(4), "{freed:?}");
    assert_says(&freed.stdout, &may_be);
    assert_says(
        &freed.stdout,
        &["It was opened by user root. This root lacks CAP_SYS_PTRACE"],
    );
    for guess in ["probably", "to confirm", "sudo", "\"pid\""] {
        assert!(!freed.stdout.contains(guess), "{guess}: {freed:?}");
    }
}

#[test]
fn root_of_a_user_namespace_is_told_where_its_rights_end() {
    let options = ["--user", "--map-root-user"];
    if !can_unshare(&options) {
        return;
    }
    let holder = OwnerProcess::listening();
    let said = check_by(&[&["unshare"], &options[..]].concat(), holder.port);
    assert_says(
        &said,
        &["owner hidden; you have no rights outside this user namespace"],
    );
    if !can_be_nobody(PORTMON.as_ref()) {
        return;
    }
    let waits = crate::harness::helper_process::WAITS;
    let script = format!("exec {} sh -c '{waits}'", NOBODY.join(" "));
    // Made before the user changes: a socket of root, of whom the namespace maps no more than that.
    let holder = OwnerProcess::running(&script);
    let nobody = [&NOBODY[..], &["unshare"], &options].concat();
    let said = check_by(&nobody, holder.port);
    assert_says(&said, &["a hidden process of an unmapped user listens"]);
}

#[test]
fn a_process_outside_of_the_pid_namespace_is_told_as_that() {
    let options = ["--pid", "--fork", "--mount-proc"];
    if !is_root() || !can_unshare(&options) {
        return;
    }
    let holder = OwnerProcess::listening();
    let said = check_by(&[&["unshare"], &options[..]].concat(), holder.port);
    assert_says(
        &said,
        &["owner not found; it is outside of this PID namespace"],
    );
}

/// Runs portmon as root in a mount namespace, after a script has changed `/proc` there.
fn with_proc(script: &str, last: &str, port: u16) -> Option<String> {
    if !is_root() || !can_unshare(&["--mount"]) {
        return None;
    }
    let script = format!("mount --make-rprivate / && {script} && exec {last} \"$0\" \"$@\"");
    Some(check_by(&["unshare", "--mount", "sh", "-c", &script], port))
}

#[test]
fn a_missing_proc_is_the_cause_where_it_is() {
    let holder = OwnerProcess::listening();
    if let Some(said) = with_proc("mount -t tmpfs none /proc", "", holder.port) {
        assert_says(&said, &["owner not found; /proc cannot be read"]);
    }
}

#[test]
fn a_proc_that_hides_processes_is_the_cause_where_it_is() {
    let holder = OwnerProcess::listening();
    let hidden = "mount -t proc -o hidepid=2 proc /proc";
    if can_be_nobody(PORTMON.as_ref())
        && let Some(said) = with_proc(hidden, &NOBODY.join(" "), holder.port)
    {
        assert_says(
            &said,
            &["owner hidden; /proc hides", "(hidepid); sudo shows it"],
        );
    }
}

#[test]
fn few_descriptors_hide_no_owner() {
    let holder = OwnerProcess::listening();
    for limit in ["9", "12", "20"] {
        let script = format!("ulimit -n {limit}; exec \"$0\" \"$@\"");
        let said = check_by(&["sh", "-c", &script], holder.port);
        let named = said.contains(&format!("{} {}", holder.name, holder.pid()));
        assert!(
            named || said.contains("too many open files"),
            "{limit}: {said}"
        );
        assert!(!said.contains("hidden"), "{limit}: {said}");
    }
}

#[test]
fn few_descriptors_are_no_reason_to_call_a_target_ended() {
    for limit in ["10", "11", "12", "14", "20"] {
        let holder = OwnerProcess::listening();
        let script = format!("ulimit -n {limit}; exec \"$0\" \"$@\"");
        let port = holder.port.to_string();
        let freed = run_by(&["sh", "-c", &script], &["free", &port, "--yes"]);
        let said = freed.stdout + &freed.stderr;
        let is_told = said.to_lowercase().contains("too many open files");
        assert!(freed.code == Some(0) || is_told, "{limit}: {said}");
        assert!(!said.contains("has already exited"), "{limit}: {said}");
        assert!(!said.contains("hidden"), "{limit}: {said}");
    }
}

#[test]
fn the_monitor_says_that_descriptors_are_missing() {
    for limit in [7, 18, 20] {
        let script = format!("ulimit -n {limit}; exec \"$0\"");
        let words = ["-c", &script, PORTMON];
        let terminal = Terminal::start(Launch::program("sh", &words));
        assert_eq!(terminal.wait_for_exit(), 2, "{limit}");
        let said = String::from_utf8_lossy(&terminal.written()).into_owned();
        assert!(
            said.contains("portmon: too few file descriptors"),
            "{limit}: {said}"
        );
    }
}

/// Runs portmon in a network namespace with a VXLAN device, whose socket is the kernel's.
fn beside_vxlan(before: &str, arguments: &[&str]) -> Option<String> {
    if !is_root() || !can_unshare(&["--net"]) {
        return None;
    }
    let script = format!(
        "ip link set lo up && ip link add vx type vxlan id 42 dev lo dstport 4789 && ip link set vx up || exit 99
        exec {before} \"$0\" \"$@\""
    );
    let printed = run_by(&["unshare", "--net", "sh", "-c", &script], arguments);
    if printed.code == Some(99) {
        skipped("no VXLAN device can be made");
        return None;
    }
    Some(printed.stdout + &printed.stderr)
}

#[test]
fn a_socket_of_the_kernel_is_named_as_probably_that() {
    let name = "probably the kernel itself (VXLAN)";
    if let Some(said) = beside_vxlan("", &["check", "4789/udp"]) {
        assert_says(
            &said,
            &[
                "HELD :4789/udp, probably by the kernel itself (VXLAN), on ",
                "(no process ",
            ],
        );
    }
    if let Some(said) = beside_vxlan("", &["free", "4789/udp", "--yes"]) {
        assert_says(&said, &[name]);
        assert!(!said.contains("sudo"), "{said}");
    }
    if let Some(said) = beside_vxlan("", &["list", "port:4789"]) {
        assert_says(&said, &["- (VXLAN)", "1 owner not found"]);
        assert!(!said.contains("sudo"), "{said}");
    }
    if can_be_nobody(PORTMON.as_ref())
        && let Some(said) = beside_vxlan(&NOBODY.join(" "), &["check", "4789/udp"])
    {
        let name = "possibly the kernel itself (VXLAN); sudo shows which";
        assert_says(&said, &[name]);
    }
}
