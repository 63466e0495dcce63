use super::*;
use std::net::Ipv4Addr;

fn resolved(host: &str) -> Result<AddressSpec, AddressError> {
    resolve(host.parse().expect(host))
}

#[test]
fn localhost_is_what_the_system_resolves_it_to() {
    let Ok(AddressSpec::Localhost(localhost)) = resolved("localhost") else {
        panic!("localhost");
    };
    let ips: Vec<IpAddr> = localhost.ips().collect();
    assert!(ips.iter().all(IpAddr::is_loopback), "{ips:?}");
    assert!(
        !ips.contains(&Ipv4Addr::new(127, 0, 0, 2).into()),
        "{ips:?}"
    );
}

#[test]
fn an_unknown_interface_and_a_missing_one_are_errors() {
    let unknown = resolved("[fe80::1%no-such-if]");
    assert!(
        matches!(unknown, Err(AddressError::UnknownInterface(_))),
        "{unknown:?}"
    );
    let missing = resolved("[fe80::1]");
    assert!(
        matches!(missing, Err(AddressError::NeedsInterface(_))),
        "{missing:?}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn the_loopback_interface_is_found_by_name_and_number() {
    for host in ["[fe80::1%lo]", "[fe80::1%1]"] {
        let Ok(AddressSpec::OnInterface { index, .. }) = resolved(host) else {
            panic!("{host}");
        };
        assert_eq!(index, 1, "{host}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn interfaces_are_described_together_in_their_order() {
    let described = describe(&[u32::MAX, 1]);
    let [unknown, lo] = &*described else {
        panic!("{described:?}");
    };
    assert_eq!((lo.to_string().as_str(), lo.is_loopback), ("lo", true));
    assert!(lo.addresses.contains(&Ipv4Addr::LOCALHOST.into()), "{lo:?}");
    assert_eq!(unknown.to_string(), u32::MAX.to_string());
    assert_eq!(describe(&[]), []);
}

#[test]
fn a_look_up_without_an_answer_in_time_is_what_the_rfc_says() {
    let (end, never) = channel::<Vec<IpAddr>>();
    let lookup = Lookup::of(move || never.recv().unwrap_or_default());
    let default: Vec<IpAddr> = Localhost::default().ips().collect();
    assert_eq!(lookup.finish(), default);
    drop(end);
    let answered = Lookup::of(|| vec![Ipv4Addr::LOCALHOST.into()]);
    assert_eq!(answered.finish(), [Ipv4Addr::LOCALHOST]);
}
