//! The words of the filter language, for the help and the README.

/// The forms of a word, each with what it matches.
pub static FILTER_SYNTAX: &[(&str, &str)] = &[
    (
        "62893",
        "that port, local or remote; while typing, also ports that start with it",
    ),
    (
        "3000 5173 node",
        "either port, and that text; port: narrows instead",
    ),
    ("628*", "ports that start with 628"),
    ("3000-3999", "ports in that range"),
    ("49152-  >=49152", "that port and above"),
    ("-1023  <=1023", "that port and below"),
    (":3000  3000/tcp", "that local port"),
    (
        "127.0.0.1:5432  localhost:3000  [::1]:5173  [fe80::1%eth0]:80",
        "that local port on that address, or on all addresses",
    ),
    ("http://localhost:5173/x", "the port in that URL"),
    (
        "node",
        "rows that contain this text (case-sensitive if it has an uppercase letter)",
    ),
    ("\"two words\"", "text with a space"),
    (
        "port:",
        "local port: a number, range or list; dynamic (IANA's range or this machine's own), ephemeral (its own), registered, well-known",
    ),
    ("rport:", "remote port"),
    ("proto:", "tcp or udp"),
    ("state:", "listen, established, time-wait, bound, udp, …"),
    ("pid:", "pid of an owner"),
    (
        "proc:",
        "program of an owner, or what it calls its main thread",
    ),
    ("user:", "user of the socket, by name or uid"),
    ("addr:", "local address, or a network such as 10.0.0.0/8"),
    ("node|deno  3000,5432", "either one"),
    ("!chrome  not:chrome", "rows that do not match"),
];
