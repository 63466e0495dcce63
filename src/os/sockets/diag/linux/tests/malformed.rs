//! Malformed replies: each must end in a reply or an error, and none may pass for a complete one.

use super::super::netlink_reply::NetlinkMessages;
use super::super::request::TCPDIAG_GETSOCK;
use super::super::{destroy_events, inet_diag_msg};
use super::*;
use proptest::prelude::*;

const TCP: &[u8] = recorded!("tcp");
const SEQUENCE: u32 = 7;

/// Length of its first message.
const ROW_AND_ATTRIBUTES: usize = 132;

/// Number of rows of a datagram, and its result.
fn read(datagram: &[u8]) -> (usize, Result<bool, DiagError>) {
    let mut rows = 0;
    let mut parser = reply(TCPDIAG_GETSOCK, SEQUENCE, true);
    let ended = parser.read(datagram, &mut |row, attributes| {
        rows += 1;
        inet_diag_msg::raw_socket(row, attributes, Protocol::Tcp);
        attributes::flow(attributes);
        attributes::protocol(attributes);
    });
    (rows, ended)
}

fn framed(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).expect("a short message");
    let fields = [
        &length.to_ne_bytes()[..],
        &kind.to_ne_bytes(),
        &flags.to_ne_bytes(),
        &sequence.to_ne_bytes(),
        &[0; 4],
        body,
    ];
    fields.concat()
}

fn done(code: i32) -> Vec<u8> {
    framed(3, 2, SEQUENCE, &code.to_ne_bytes())
}

fn error(code: i32) -> Vec<u8> {
    framed(2, 0, SEQUENCE, &code.to_ne_bytes())
}

/// The recorded rows without the end.
fn rows() -> &'static [u8] {
    TCP.get(..TCP.len() - 20).expect("a message before the end")
}

#[test]
fn control_messages_between_rows_are_handled() {
    let row = rows().get(..ROW_AND_ATTRIBUTES).expect("a row");
    let interrupted = framed(18, 0x12, SEQUENCE, &[0; 72]);
    let cases = [
        ("the end", [row, &done(0)].concat(), (1, Ok(true))),
        (
            "rows behind the end",
            [&done(0)[..], row].concat(),
            (0, Ok(true)),
        ),
        ("no end yet", row.to_vec(), (1, Ok(false))),
        ("nothing", Vec::new(), (0, Ok(false))),
        (
            "an error in the end",
            [row, &done(-2)].concat(),
            (1, Err(DiagError::ErrorReply { code: 2 })),
        ),
        (
            "an error",
            error(-95),
            (0, Err(DiagError::ErrorReply { code: 95 })),
        ),
        (
            "the largest error",
            error(i32::MIN),
            (0, Err(DiagError::ErrorReply { code: i32::MAX })),
        ),
        (
            "an acknowledgement",
            [&error(0)[..], row].concat(),
            (1, Ok(false)),
        ),
        ("padding", framed(1, 0, SEQUENCE, &[]), (0, Ok(false))),
        (
            "lost data",
            framed(4, 0, SEQUENCE, &[]),
            (0, Err(DiagError::Overrun)),
        ),
        (
            "another type",
            framed(99, 0, SEQUENCE, &[]),
            (0, Err(DiagError::UnknownMessage { kind: 99 })),
        ),
        (
            "an end without a code",
            framed(3, 0, SEQUENCE, &[]),
            (0, Err(DiagError::Truncated)),
        ),
        (
            "a row without a body",
            framed(18, 0, SEQUENCE, &[0; 71]),
            (0, Err(DiagError::Truncated)),
        ),
        (
            "a change",
            [&interrupted[..], &done(0)].concat(),
            (1, Err(DiagError::Interrupted)),
        ),
        (
            "an old answer",
            framed(3, 0, SEQUENCE - 1, &[0; 4]),
            (0, Ok(false)),
        ),
    ];
    for (what, datagram, expected) in cases {
        assert_eq!(read(&datagram), expected, "{what}");
    }
}

#[test]
fn an_interruption_is_remembered_across_datagrams() {
    let mut parser = reply(TCPDIAG_GETSOCK, SEQUENCE, true);
    let first = parser.read(&framed(18, 0x12, SEQUENCE, &[0; 72]), &mut |_, _| ());
    let last = parser.read(&done(0), &mut |_, _| ());
    assert_eq!((first, last), (Ok(false), Err(DiagError::Interrupted)));
}

#[test]
fn a_length_that_cannot_be_is_an_error() {
    for length in [0_u32, 3, 15, 2000, u32::MAX] {
        let mut datagram = rows().to_vec();
        datagram.splice(
            ROW_AND_ATTRIBUTES..ROW_AND_ATTRIBUTES + 4,
            length.to_ne_bytes(),
        );
        assert_eq!(read(&datagram), (1, Err(DiagError::Truncated)), "{length}");
    }
}

#[test]
fn malformed_attributes_leave_fields_unknown() {
    // SKV6ONLY after an attribute with the tested length.
    let with = |length: u16| {
        let [low, high] = length.to_ne_bytes();
        attributes::v6only(&[low, high, 8, 0, 0, 0, 0, 0, 5, 0, 11, 0, 1, 0, 0, 0])
    };
    let cases = [5, 8, 0, 3, 9, 16, 17, u16::MAX].map(with);
    assert_eq!(
        cases,
        [Some(true), Some(true), None, None, None, None, None, None]
    );
    assert_eq!(attributes::v6only(&[4, 0, 11, 0]), None);
}

proptest! {
    /// Only a datagram with the whole last message is a complete reply.
    #[test]
    fn a_truncated_reply_is_never_complete(length in 0..TCP.len()) {
        let (_, ended) = read(TCP.get(..length).expect("a part"));
        prop_assert!(ended == Ok(false) || ended == Err(DiagError::Truncated), "{ended:?}");
    }

    #[test]
    fn random_bytes_terminate(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&bytes);
        let _ = destroy_events::parse_datagram(&bytes, &mut |_| ());
        attributes::v6only(&bytes);
        prop_assert!(NetlinkMessages(&bytes).count() <= bytes.len() / 16 + 1);
    }

    #[test]
    fn a_corrupted_reply_terminates(
        changes in proptest::collection::vec((0..TCP.len(), any::<u8>()), 1..8),
    ) {
        let mut datagram = TCP.to_vec();
        for (at, byte) in changes {
            *datagram.get_mut(at).expect("a place in it") = byte;
        }
        let (rows, _) = read(&datagram);
        prop_assert!(rows <= TCP.len() / 88);
        let _ = destroy_events::parse_datagram(&datagram, &mut |_| ());
    }

    /// Messages of every kind in any order: the reply ends at the first that ends it.
    #[test]
    fn the_message_before_the_end_decides(
        kinds in proptest::collection::vec((0_u16..6, any::<bool>(), -3_i32..1), 0..12),
    ) {
        let mut datagram = Vec::new();
        for (kind, is_ours, code) in &kinds {
            let sequence = if *is_ours { SEQUENCE } else { SEQUENCE + 1 };
            let kind = if *kind == 5 { 18 } else { *kind };
            let mut body = vec![0; 72];
            body.splice(..4, code.to_ne_bytes());
            datagram.extend(framed(kind, 0, sequence, &body));
        }
        let expected = kinds.iter().filter(|(_, is_ours, _)| *is_ours).find_map(|(kind, _, code)| {
            match kind {
                3 if *code == 0 => Some(Ok(true)),
                2 | 3 if *code < 0 => Some(Err(DiagError::ErrorReply { code: -code })),
                4 => Some(Err(DiagError::Overrun)),
                0 => Some(Err(DiagError::UnknownMessage { kind: 0 })),
                _ => None,
            }
        });
        prop_assert_eq!(read(&datagram).1, expected.unwrap_or(Ok(false)));
    }
}
