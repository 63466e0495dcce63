use super::*;
use crate::model::testing::process;

fn row(local: &str) -> Row {
    Row {
        protocol: Protocol::Tcp,
        table: Family::Ipv4,
        local: local.parse().expect("an address and a port"),
        remote: None,
        state: Some(State::Listen),
        inode: Some(7),
        uid: Some(1000),
        pids: Vec::new(),
    }
}

fn connection(pids: &[u32]) -> Row {
    Row {
        remote: "127.0.0.1:5000".parse().ok(),
        state: Some(State::Established),
        inode: None,
        uid: None,
        pids: pids.iter().copied().map(Pid).collect(),
        ..row("127.0.0.1:80")
    }
}

fn made(rows: Vec<Row>) -> Vec<Socket> {
    let family = [
        process(20, "master").build(),
        process(10, "worker").parent(20).build(),
    ];
    let described = family.map(|process| (process.pid(), process)).into();
    sockets(rows, &described, |uid| (uid == 1000).then(|| "dev".into()))
}

fn pids(socket: &Socket) -> Vec<u32> {
    let known = socket.owners.known().iter();
    known.map(|process| process.pid().0).collect()
}

#[test]
fn an_owner_is_known_hidden_or_there_is_none() {
    let known = Owners::Known([process(20, "master").build()].into());
    let with = |state, inode, pids: &[u32]| Row {
        state: Some(state),
        inode,
        pids: pids.iter().copied().map(Pid).collect(),
        ..row("127.0.0.1:80")
    };
    let cases = [
        (with(State::Listen, Some(7), &[20]), known),
        (with(State::Listen, Some(7), &[]), Owners::Hidden),
        (with(State::Listen, Some(7), &[99]), Owners::Hidden),
        (with(State::Established, Some(0), &[]), Owners::None),
        (with(State::TimeWait, Some(0), &[]), Owners::None),
        (with(State::TimeWait, None, &[]), Owners::None),
        (with(State::Established, None, &[]), Owners::Hidden),
    ];
    for (row, owners) in cases {
        let expected = match owners {
            Owners::None => (None, None),
            _ => (Some(1000), Some("dev".into())),
        };
        let socket = made(vec![row.clone()]).remove(0);
        assert_eq!(socket.owners, owners, "{row:?}");
        assert_eq!((socket.uid, socket.user), expected, "{row:?}");
    }
}

#[test]
fn rows_of_one_connection_are_one_socket_with_all_owners_the_topmost_first() {
    let sockets = made(vec![
        connection(&[10]),
        connection(&[99]),
        connection(&[20]),
    ]);
    let seen: Vec<(Vec<u32>, Option<u32>)> =
        sockets.iter().map(|one| (pids(one), one.uid)).collect();
    assert_eq!(seen, [(vec![20, 10], Some(1000))]);
}

#[test]
fn sockets_that_nothing_tells_apart_are_counted() {
    let sockets = made(vec![
        row("0.0.0.0:80"),
        row("0.0.0.0:80"),
        row("0.0.0.0:80"),
    ]);
    let ordinals: Vec<u32> = sockets
        .iter()
        .filter_map(|socket| match socket.id {
            EndpointId::Standing { ordinal, .. } => Some(ordinal),
            EndpointId::Cookie(_) | EndpointId::Pair { .. } => None,
        })
        .collect();
    assert_eq!(ordinals, [0, 1, 2]);
}

#[test]
fn only_what_nobody_else_holds_is_portmons_own() {
    let is_own =
        [&[5][..], &[5, 6], &[6], &[]].map(|pids| connection(pids).is_only_of(Some(Pid(5))));
    assert_eq!(is_own, [true, false, false, false]);
}
