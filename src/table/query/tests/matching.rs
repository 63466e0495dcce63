//! Rows that a filter matches.

use super::*;

fn assert_matches(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let parsed = parse_finished(text);
        assert_eq!(parsed.error, None, "{text}");
        let found = matched(&parsed.query.exact());
        assert_eq!(found, named(expected), "{text}");
    }
}

#[test]
fn bare_numbers_are_ports_at_either_end() {
    assert_matches(&[
        ("", ALL),
        ("  ", ALL),
        ("3000", "NSC"),
        ("300", "B"),
        ("51324", "SC"),
        ("300*", "NSCB"),
        ("3000-3999", "NSC"),
        ("49152-", "SCD"),
        (">=49152", "SCD"),
        (">62892", "D"),
        ("-1023", "B"),
        ("<=300", "B"),
        ("<300", ""),
        ("3000,5173", "NSCV"),
        ("3000|5173", "NSCV"),
        ("3000 5173", "NSCV"),
        ("3000 5173 node", "NSV"),
        ("3000-3999 5173", "NSCV"),
        ("5432 62893 !root", "PDT"),
        ("3000 5173 !3000 !node", ""),
        ("3000 port:51324", "C"),
        ("port:3000 port:5173", ""),
        (":3000 localhost:5173", "NSV"),
        ("3000|node 5173", "V"),
        ("!3000", "VPWUDBT"),
        ("7777", ""),
    ]);
}

#[test]
fn an_endpoint_is_a_local_port_and_maybe_an_address() {
    assert_matches(&[
        (":3000", "NS"),
        ("*:3000", "NS"),
        (":::3000", "NS"),
        ("3000/tcp", "NS"),
        ("5353/tcp", ""),
        ("5353/udp", "U"),
        ("localhost:3000", "NS"),
        ("127.0.0.1:3000", "NS"),
        ("[::1]:3000", "N"),
        ("127.0.0.1:5432", "PWT"),
        ("[::1]:5432", ""),
        ("10.0.0.9:5432", "W"),
        ("0.0.0.0:5432", "PWT"),
        ("[::1]:5173", "V"),
        ("127.0.0.1:5173", ""),
        ("http://localhost:5173/x", "V"),
        ("postgres://dev:pw@localhost/shop", "PWT"),
        (":3000:", "NS"),
        ("127.0.0.1:5432,", "PWT"),
        (":3000,:5173", "NSV"),
    ]);
}

#[test]
fn plain_words_search_the_text_of_a_row() {
    assert_matches(&[
        ("vite", "V"),
        ("Vite", ""),
        ("CHROME", ""),
        ("python", "D"),
        ("Python", "D"),
        ("next", "NS"),
        ("shop", "NS"),
        ("code/shop", "NS"),
        ("\"python 3\"", "D"),
        ("\"next dev\"", "NS"),
        ("postgres|vite", "VPWT"),
        ("postgres,vite", "VPWT"),
        ("!root 5432", "PT"),
        ("!node", "CPWUDBT"),
        ("not:node", "CPWUDBT"),
        ("!!node", "NSV"),
        ("!node|postgres", "CUDB"),
        ("node 3000", "NS"),
        ("\"3000\"", "C"),
        ("dev node", "NSV"),
    ]);
}

#[test]
fn a_key_searches_one_field() {
    assert_matches(&[
        ("port:3000", "NS"),
        ("PORT:3000", "NS"),
        ("port:3000,5173", "NSV"),
        ("port:300*", "NSB"),
        ("port:5000-5999", "VPWUT"),
        ("port:>=49152", "CD"),
        ("port:dynamic", "CD"),
        ("port:Registered", "NSVPWUT"),
        ("port:well-known", "B"),
        ("port:ephemeral", "C"),
        ("port:dynamic|300", "CDB"),
        ("not:port:dynamic", "NSVPWUBT"),
        ("rport:3000", "C"),
        ("rport:ephemeral", "ST"),
        ("rport:dynamic", "ST"),
        ("proto:udp", "U"),
        ("proto:TCP", "NSCVPWDBT"),
        ("state:listen", "NVPWD"),
        ("state:LISTENING", "NVPWD"),
        ("state:estab", "SC"),
        ("state:established,time-wait", "SCT"),
        ("state:TIME_WAIT", "T"),
        ("state:bound", "B"),
        ("state:udp", "U"),
        ("state:unconn", "U"),
        ("pid:4242", "NS"),
        ("pid:813", "P"),
        ("pid:81*", "P"),
        ("pid:800-999", "CP"),
        ("proc:node", "NSV"),
        ("proc:\"python 3\"", "D"),
        ("proc:node,chrome", "NSCV"),
        ("!proc:node", "CPWUDBT"),
        ("user:root", "W"),
        ("user:0", "W"),
        ("user:70", "P"),
        ("user:dev", "NSCVUDB"),
        ("addr:127.0.0.1", "SCPUDT"),
        ("addr:127.0.0.0/8", "SCPUDT"),
        ("addr:10.0.0.0/8,::1", "VB"),
        ("addr:[::1]", "V"),
        ("addr:localhost", "SCVPUDT"),
        ("addr:*", "NW"),
        ("addr:::", "N"),
    ]);
}

#[test]
fn several_words_must_all_match() {
    assert_matches(&[
        ("port:5432 user:root", "W"),
        ("port:5432 !state:time-wait not:user:root", "P"),
        ("cmd:vite", ""),
    ]);
}
