//! Link-local addresses, which mean one address only together with their interface.

use std::net::{TcpListener, TcpStream};

use crate::harness::helper_process::OwnerProcess;
use crate::harness::launch::run;
use crate::networks::is_in_a_network;

#[test]
fn a_link_local_address_has_its_interface_by_name() {
    if !is_in_a_network() {
        return;
    }
    let listener = TcpListener::bind(("fe80::77%v0", 0)).expect("a port");
    let to = listener.local_addr().expect("an address");
    let client = TcpStream::connect(to).expect("connects");
    let holder = OwnerProcess::named("linked", listener);
    let place = format!("[fe80::77%v0]:{}", holder.port);
    let listed = run(&["list", &place]);
    assert!(listed.stdout.contains(" fe80::77%v0 "), "{listed:?}");
    let index = to.to_string();
    for place in [&place, &index] {
        let waited = run(&["wait", place, "--timeout", "0"]);
        assert_eq!(waited.code, Some(0), "{waited:?}");
        let checked = run(&["check", place, "--connect"]);
        assert_eq!(checked.code, Some(1), "{checked:?}");
        let words = format!("by {holder} of");
        assert!(checked.stdout.contains(&words), "{checked:?}");
        assert!(!checked.stdout.contains("Invalid argument"), "{checked:?}");
        let freed = run(&["free", place, "--dry-run"]);
        assert!(freed.stdout.contains(&holder.to_string()), "{freed:?}");
    }
    let elsewhere = run(&[
        "wait",
        &format!("[fe80::77%lo]:{}", holder.port),
        "--timeout",
        "0",
    ]);
    assert_eq!(elsewhere.code, Some(124), "{elsewhere:?}");
    let bare = run(&["check", &format!("[fe80::77]:{}", holder.port)]);
    assert_eq!(bare.code, Some(2), "{bare:?}");
    assert!(
        bare.stderr.contains("needs its interface: [fe80::77%eth0]"),
        "{bare:?}"
    );
    drop(client);
}
