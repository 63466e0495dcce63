//! The choice of the source if some are refused.

use super::*;
use std::cell::RefCell;

/// Refuses a source when it is opened, or when it is read.
#[derive(Clone, Copy, Debug)]
enum RefusedCall {
    Open,
    Read,
}

fn refuse(refusal: RefusedCall) -> Result<SourceReader, Error> {
    match refusal {
        RefusedCall::Open => Err(refused()),
        RefusedCall::Read => Ok(SourceReader::Tables(|_, _| Err(refused()))),
    }
}

fn all_problems() -> Vec<Problem> {
    TABLES.map(|table| problem(table, &refused())).to_vec()
}

/// Reads from the chosen source, or chooses one, and returns the problems, and true if this listener was reported.
fn choose_source(
    sockets: &mut Sockets,
    listener: &TcpListener,
    open: impl Fn(SocketSource) -> Result<SourceReader, Error>,
) -> (Vec<Problem>, bool) {
    let at = local_addr(listener);
    let mut is_reported = false;
    let mut emit = |one: &RawSocket| is_reported |= one.local() == at;
    let problems = match sockets.reader {
        Some(_) => sockets.read(&EVERYTHING, &mut emit),
        None => sockets.choose_source(open, &EVERYTHING, &mut emit),
    };
    (problems, is_reported)
}

#[test]
fn the_first_available_source_is_kept() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    for refusal in [RefusedCall::Open, RefusedCall::Read] {
        for count in 0..SOURCES.len() {
            let opened = RefCell::new(Vec::new());
            let open = |source| {
                opened.borrow_mut().push(source);
                if SOURCES[..count].contains(&source) {
                    refuse(refusal)
                } else {
                    sources::open(source)
                }
            };
            let mut sockets = Sockets::new(None);
            for _ in 0..2 {
                let reported = choose_source(&mut sockets, &listener, open);
                assert_eq!(reported, (Vec::new(), true), "{refusal:?} {count}");
                assert_eq!(*opened.borrow(), SOURCES[..=count]);
            }
            assert_eq!(sockets.has_cookies(), count == 0);
        }
    }
}

#[test]
fn without_a_source_all_tables_are_problems_until_the_next_poll() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    for refusal in [RefusedCall::Open, RefusedCall::Read] {
        let mut sockets = Sockets::new(None);
        let reported = choose_source(&mut sockets, &listener, |_| refuse(refusal));
        assert_eq!(reported, (all_problems(), false), "{refusal:?}");
        let reported = choose_source(&mut sockets, &listener, sources::open);
        assert_eq!(reported, (Vec::new(), true));
        assert!(sockets.has_cookies());
    }
}

#[test]
fn an_explicit_source_has_no_fallback() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    for refusal in [RefusedCall::Open, RefusedCall::Read] {
        let opened = RefCell::new(Vec::new());
        let mut sockets = Sockets::new(Some(SocketSource::Diag));
        let reported = choose_source(&mut sockets, &listener, |source| {
            opened.borrow_mut().push(source);
            match source {
                SocketSource::Diag => refuse(refusal),
                _ => sources::open(source),
            }
        });
        assert_eq!(reported, (all_problems(), false), "{refusal:?}");
        assert_eq!(*opened.borrow(), [SocketSource::Diag]);
    }
}
