//! Errors of filters that are wrong or unfinished.

use super::*;

#[test]
fn a_parse_error_has_its_range_and_a_way_out() {
    let cases = "\
99999 => 0..5 not a port: 99999 (the highest is 65535)
node 0 => 5..6 not a port: 0 (the lowest is 1)
3999-3000 => 0..9 reversed range: 3999-3000 (try 3000-3999)
port:3000,99999 => 10..15 not a port: 99999 (the highest is 65535)
! => 0..1 missing word after !
not: => 0..4 missing word after not:
a ! => 2..3 missing word after !
3000| => 4..5 nothing after | (write a|b to match either)
3000||1 => 4..5 nothing after | (write a|b to match either)
,3000 => 0..1 nothing before , (write a,b to match either)
a|!b => 2..4 ! goes before the whole word: !a|b matches neither
\"two words => 0..10 missing closing quote: \"two words
\"\" => 0..2 nothing between the quotes
port: => 0..5 port: needs a value
port:d => 5..6 not a port: d (try 3000, 3000-3999, 300*, dynamic, registered, well-known or ephemeral)
port:\u{1b}[2J => 5..9 not a port: \\x1b[2J (try 3000, 3000-3999, 300*, dynamic, registered, well-known or ephemeral)
pid:x => 4..5 not a pid: x (try pid:4242)
proto:t => 6..7 not a protocol: t (try tcp or udp)
3000/t => 5..6 not a protocol: t (try tcp or udp)
state:lost => 6..10 not a state: lost (try listen, established, time-wait, close-wait, bound or udp)
addr:127. => 5..9 not an address: 127. (try 127.0.0.1, ::1, 10.0.0.0/8, localhost or *)
addr:10.0.0.0/33 => 5..16 not an address: 10.0.0.0/33 (try 127.0.0.1, ::1, 10.0.0.0/8, localhost or *)
localhost: => 0..10 missing port after localhost:
é :99999 => 3..9 not a port: 99999 (the highest is 65535)";
    for line in cases.lines() {
        let (text, expected) = line.split_once(" => ").expect("a case");
        let ParseError {
            at,
            what,
            is_unfinished,
        } = parse(text).error.expect(text);
        assert_eq!(format!("{at:?} {what}"), expected, "{text}");
        assert!(is_unfinished, "{text}");
    }
}

#[test]
fn only_the_last_word_before_a_blank_is_unfinished() {
    let unfinished = |text: &str| parse(text).error.map(|error| error.is_unfinished);
    let cases = [
        ("!", Some(true)),
        ("! ", Some(false)),
        ("port:d", Some(true)),
        ("port:d ", Some(false)),
        ("port:d node", Some(false)),
        ("3000| node", Some(false)),
        ("port:d !", Some(false)),
        ("node port:d", Some(true)),
        ("\"open ", Some(true)),
        ("node", None),
    ];
    for (text, expected) in cases {
        assert_eq!(unfinished(text), expected, "{text}");
        let finished = parse_finished(text).error;
        let is_unfinished = finished.map(|error| error.is_unfinished);
        assert_eq!(is_unfinished, expected.map(|_| false), "{text}");
    }
}

#[test]
fn valid_words_apply_beside_an_unfinished_one() {
    let cases = [
        ("node !", "NSV"),
        ("node port:d", "NSV"),
        ("3000|", "NSC"),
        ("port:3000,d", "NS"),
        ("\"open", ALL),
    ];
    for (text, expected) in cases {
        let found = matched(&parse(text).query.exact());
        assert_eq!(found, named(expected), "{text}");
    }
}

/// Numbers that look random and are the same in every run (xorshift, Marsaglia 2003).
fn noise(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

fn parse_without_panic(text: &str) {
    let parsed = parse(text);
    let _ = parse_finished(text);
    let _ = committed(text, &|_| false, &|_| true);
    let _ = from_paste(text);
    if let Some(error) = parsed.error {
        assert!(text.get(error.at.clone()).is_some(), "{text:?} {error:?}");
        assert!(!error.what.is_empty(), "{text:?}");
    }
    for (_, row) in rows().iter().take(2) {
        let _ = parsed.query.matches(row, &CONTEXT());
        let _ = parsed.query.rank(row);
    }
}

#[test]
fn no_text_makes_the_parser_panic() {
    let samples = [
        "!node|\"two words\",é port:3000-3999,dynamic :3000 not:state:time-wait",
        "http://dev:pw@[::1]:5173/x?a|b [fe80::1%eth0]:22 3000/tcp 49152- >=1 <2 -3 628*",
        "addr:10.0.0.0/8,::1 user:0 pid:1-2 proc:\"日本 語\" proto:udp rport:80 cmd:x",
    ];
    for sample in samples {
        for (end, _) in sample.char_indices() {
            parse_without_panic(&sample[..end]);
            parse_without_panic(&sample[end..]);
        }
    }
    let letters: Vec<char> = "!|,:\"*-–<>=/[]%.@ 0369anotporurlé\u{1b}\n日"
        .chars()
        .collect();
    let mut seed = 0x2545_f491_4f6c_dd1d;
    for _ in 0..4_000 {
        let length = noise(&mut seed) % 14;
        let index = |seed: &mut u64| usize::try_from(noise(seed)).unwrap_or(0) % letters.len();
        let text: String = (0..length).map(|_| letters[index(&mut seed)]).collect();
        parse_without_panic(&text);
    }
}
