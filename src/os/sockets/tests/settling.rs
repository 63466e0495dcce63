//! Which source it is, when some are refused.

use super::*;

/// Settles where sources open like this: the problems, and whether this listener was told.
fn settle(
    sockets: &mut Sockets,
    listener: &TcpListener,
    open: impl Fn(Source) -> Result<Reader, Error>,
) -> (Vec<Problem>, bool) {
    let at = listener.local_addr().expect("an address");
    let mut is_told = false;
    let mut see = |one: &Sighting| is_told |= one.local() == at;
    let problems = match sockets.reader {
        Some(_) => sockets.read(&EVERYTHING, &mut see),
        None => sockets.settle(open, &EVERYTHING, &mut see),
    };
    (problems, is_told)
}

/// Which source a reader reads.
fn source(sockets: &Sockets) -> Option<Source> {
    Some(match sockets.reader.as_ref()? {
        Reader::Diag(_) => Source::Diag,
        Reader::Netstat => Source::Netstat,
        Reader::Procnet => Source::Procnet,
        Reader::Refused => return None,
    })
}

#[test]
fn the_first_source_that_is_not_refused_is_read_from_then_on() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let open = |refusals: &'static [Source], later: bool| {
        move |source| match refusals.contains(&source) {
            true if later => Ok(Reader::Refused),
            true => Err(refused()),
            false => Reader::open(source),
        }
    };
    let cases: [(&[Source], Source); 3] = [
        (&[], Source::Diag),
        (&[Source::Diag], Source::Netstat),
        (&[Source::Diag, Source::Netstat], Source::Procnet),
    ];
    for (refusals, expected) in cases {
        for later in [true, false] {
            let mut sockets = Sockets::new(None);
            for _ in 0..2 {
                let told = settle(&mut sockets, &listener, open(refusals, later));
                assert_eq!(told, (Vec::new(), true), "{refusals:?} {later}");
                assert_eq!(source(&sockets), Some(expected));
            }
            assert_eq!(sockets.has_cookies(), expected == Source::Diag);
        }
    }
}

#[test]
fn where_every_source_is_refused_all_tables_are_problems_and_the_next_look_tries_again() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let mut sockets = Sockets::new(None);
    let (problems, is_told) = settle(&mut sockets, &listener, |_| Err(refused()));
    assert_eq!(problems, TABLES.map(|table| problem(table, &refused())));
    assert_eq!((is_told, source(&sockets)), (false, None));
    let told = settle(&mut sockets, &listener, Reader::open);
    assert_eq!(
        (told, source(&sockets)),
        ((Vec::new(), true), Some(Source::Diag))
    );
}

#[test]
fn a_source_that_was_asked_for_has_no_other_behind_it() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let mut sockets = Sockets::new(Some(Source::Diag));
    let (problems, is_told) = settle(&mut sockets, &listener, |_| Ok(Reader::Refused));
    assert_eq!(problems, TABLES.map(|table| problem(table, &refused())));
    assert!(!is_told);
    assert_eq!(source(&sockets), None);
}
