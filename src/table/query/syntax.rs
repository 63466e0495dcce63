//! The words of the filter language, for the help and the README.

/// Each word and what it matches.
pub static FILTER_SYNTAX: &[(&str, &str)] = &[
    (
        "62893",
        "that port, local or remote; while typed also ports that begin so",
    ),
    ("628*", "ports that begin so"),
    ("3000-3999", "a range of ports"),
    ("49152-  >=49152", "that port and above"),
    ("-1023  <=1023", "that port and below"),
    (":3000  3000/tcp", "that local port"),
    (
        "127.0.0.1:5432  localhost:3000  [::1]:5173",
        "that local port on that address, or on all addresses",
    ),
    ("http://localhost:5173/x", "the port of a URL"),
    (
        "node",
        "rows that show this text; with a capital letter exactly so",
    ),
    ("\"two words\"", "text with a blank"),
    (
        "port:",
        "the local port: 3000, a range, a list, dynamic, registered, well-known, ephemeral",
    ),
    ("rport:", "the remote port"),
    ("proto:", "tcp or udp"),
    ("state:", "listen, established, time-wait, bound, udp, …"),
    ("pid:", "the process id of a holder"),
    ("proc:", "the name of a holder"),
    ("user:", "the user of the socket, by name or number"),
    (
        "addr:",
        "the local address, or a network such as 10.0.0.0/8",
    ),
    ("node|deno  3000,5432", "either"),
    ("!chrome  not:chrome", "not"),
];
