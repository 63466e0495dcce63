//! Who has a socket, in the words of a check.

use crate::model::process::Process;
use crate::model::socket::{NotFound, Owners, Socket};
use crate::wording::socket::not_found;
use crate::wording::user;

/// Longest command that is shown; the details and the JSON have the rest.
const MAX_COMMAND: usize = 60;

/// `java 812 of ops`, or its user where the owner is hidden.
pub fn owner(socket: &Socket) -> String {
    match (socket.owners.known(), &socket.owners, user(socket)) {
        ([only], ..) => process_and_user(only),
        ([first, ..], owners, _) => format!(
            "{} (one of {} processes that share the socket)",
            process_and_user(first),
            owners.known().len()
        ),
        ([], Owners::NoProcess, _) => "the kernel itself".to_owned(),
        ([], Owners::NotFound(not_found), user) => not_found::noun(not_found, user.as_deref()),
        ([], _, Some(user)) => format!("a process of {user}"),
        ([], _, None) => "a process".to_owned(),
    }
}

/// ` by java 812 of ops`, `, probably by the kernel itself (VXLAN),`: after `HELD :8080`.
pub fn by_owner(socket: &Socket) -> String {
    let not_found = socket.owners.not_found();
    match not_found.and_then(NotFound::probably_kernel) {
        Some(services) => format!(", probably by {},", not_found::the_kernel(services)),
        None => format!(" by {}", owner(socket)),
    }
}

pub fn process_and_user(process: &Process) -> String {
    match &process.user {
        Some(user) => format!("{process} of {user}"),
        None => process.to_string(),
    }
}

/// `node server.js, in /srv/shop`: the title, or the masked command without the path of its program, and its directory.
pub fn command(process: &Process) -> Option<String> {
    let mut command = match process.title() {
        Some(title) => title.to_string(),
        None => command_line(process)?,
    };
    if let Some((end, _)) = command.char_indices().nth(MAX_COMMAND) {
        command.truncate(end);
        command = format!("{}…", command.trim_end());
    }
    let says_more = command != process.name.to_string();
    let directory = process.directory.as_ref();
    let directory = directory.map(|directory| format!("in {directory}"));
    let parts = says_more.then_some(command).into_iter().chain(directory);
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

pub fn command_line(process: &Process) -> Option<String> {
    let arguments = process.arguments();
    let (program, rest) = arguments.split_first()?;
    let program = program.to_string();
    let name = program.rsplit('/').next().unwrap_or_default().to_owned();
    let words = rest.iter().map(ToString::to_string);
    Some(
        [name]
            .into_iter()
            .chain(words)
            .collect::<Vec<_>>()
            .join(" "),
    )
}
