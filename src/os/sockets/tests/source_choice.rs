//! The choice of the source if some are refused.

use super::*;

/// Chooses a source and returns the problems, and true if this listener was reported.
fn choose_source(
    sockets: &mut Sockets,
    listener: &TcpListener,
    open: impl Fn(SocketSource) -> Result<SourceReader, Error>,
) -> (Vec<Problem>, bool) {
    let at = listener.local_addr().expect("an address");
    let mut is_answered = false;
    let mut emit = |one: &RawSocket| is_answered |= one.local() == at;
    let problems = match sockets.reader {
        Some(_) => sockets.read(&EVERYTHING, &mut emit),
        None => sockets.choose_source(open, &EVERYTHING, &mut emit),
    };
    (problems, is_answered)
}

/// The chosen source.
fn source(sockets: &Sockets) -> Option<SocketSource> {
    Some(match sockets.reader.as_ref()? {
        SourceReader::Diag(_) => SocketSource::Diag,
        SourceReader::Netstat => SocketSource::Netstat,
        SourceReader::Procnet => SocketSource::Procnet,
        SourceReader::Refused => return None,
    })
}

#[test]
fn the_first_available_source_is_kept() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let open = |refusals: &'static [SocketSource], later: bool| {
        move |source| match refusals.contains(&source) {
            true if later => Ok(SourceReader::Refused),
            true => Err(refused()),
            false => SourceReader::open(source),
        }
    };
    let cases: [(&[SocketSource], SocketSource); 3] = [
        (&[], SocketSource::Diag),
        (&[SocketSource::Diag], SocketSource::Netstat),
        (
            &[SocketSource::Diag, SocketSource::Netstat],
            SocketSource::Procnet,
        ),
    ];
    for (refusals, expected) in cases {
        for later in [true, false] {
            let mut sockets = Sockets::new(None);
            for _ in 0..2 {
                let reported = choose_source(&mut sockets, &listener, open(refusals, later));
                assert_eq!(reported, (Vec::new(), true), "{refusals:?} {later}");
                assert_eq!(source(&sockets), Some(expected));
            }
            assert_eq!(sockets.has_cookies(), expected == SocketSource::Diag);
        }
    }
}

#[test]
fn without_a_source_all_tables_are_problems_until_the_next_poll() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let mut sockets = Sockets::new(None);
    let (problems, is_answered) = choose_source(&mut sockets, &listener, |_| Err(refused()));
    assert_eq!(problems, TABLES.map(|table| problem(table, &refused())));
    assert_eq!((is_answered, source(&sockets)), (false, None));
    let reported = choose_source(&mut sockets, &listener, SourceReader::open);
    assert_eq!(
        (reported, source(&sockets)),
        ((Vec::new(), true), Some(SocketSource::Diag))
    );
}

#[test]
fn an_explicit_source_has_no_fallback() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let mut sockets = Sockets::new(Some(SocketSource::Diag));
    let (problems, is_answered) =
        choose_source(&mut sockets, &listener, |_| Ok(SourceReader::Refused));
    assert_eq!(problems, TABLES.map(|table| problem(table, &refused())));
    assert!(!is_answered);
    assert_eq!(source(&sockets), None);
}
