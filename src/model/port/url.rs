//! The host and port in a URL (RFC 3986, section 3).

/// Splits `postgres://dev@localhost/shop` at the `://`; `None` if the text is no URL.
pub fn split_url(text: &str) -> Option<(&str, &str)> {
    text.split_once("://").filter(|(scheme, _)| {
        scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.'))
    })
}

/// Returns the host and the port of what follows the scheme, without user, password and path, and without `punctuation`
/// after them.
pub fn host_and_port<'u>(rest: &'u str, punctuation: &[char]) -> (&'u str, Option<&'u str>) {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let authority = authority.trim_end_matches(punctuation);
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// Default ports with their URL schemes, from the IANA registry and the vendors' manuals.
const DEFAULT_PORTS: [(u16, &[&str]); 14] = [
    (21, &["ftp"]),
    (22, &["ssh", "sftp"]),
    (80, &["http", "ws"]),
    (389, &["ldap"]),
    (443, &["https", "wss"]),
    (636, &["ldaps"]),
    (1883, &["mqtt"]),
    (3306, &["mysql", "mariadb"]),
    (4222, &["nats"]),
    (5432, &["postgres", "postgresql"]),
    (5671, &["amqps"]),
    (5672, &["amqp"]),
    (6379, &["redis", "rediss"]),
    (27017, &["mongodb"]),
];

pub fn default_port(scheme: &str) -> Option<u16> {
    let is_meant = |name: &&str| scheme.eq_ignore_ascii_case(name);
    let found = DEFAULT_PORTS
        .iter()
        .find(|(_, schemes)| schemes.iter().any(is_meant));
    found.map(|(port, _)| *port)
}
