//! Text of the column WHAT: script or module and directory, which tell nine `node` rows apart; for a connection its
//! other end.

use crate::model::process::Process;
use crate::model::socket::{Endpoint, SocketRole};
use crate::model::text::SystemText;
use crate::table::row::DisplayContext;

/// The program and the directory apart, so that a narrow screen can shorten the directory first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub program: String,
    pub directory: Option<String>,
}

pub fn describe(endpoint: &Endpoint, context: &DisplayContext) -> Option<Description> {
    match endpoint.relation.role {
        SocketRole::Unconnected => {
            let owner = endpoint.socket.owners.first()?;
            Some(describe_process(owner, context))
        }
        role => Some(Description {
            program: peer_text(endpoint, role, context)?,
            directory: None,
        }),
    }
}

/// Returns what a process runs, and where.
pub fn describe_process(process: &Process, context: &DisplayContext) -> Description {
    let directory = process.directory.as_ref();
    let shown = directory.map(|directory| shortened(directory, context.home));
    Description {
        program: program(process),
        directory: shown.filter(|directory| directory != "/"),
    }
}

impl Description {
    pub fn text(&self, context: &DisplayContext) -> String {
        match &self.directory {
            Some(directory) => format!("{} {} {directory}", self.program, context.dot()),
            None => self.program.clone(),
        }
    }
}

/// Returns `← chrome 942` on the server side, `→ :5432 postgres 812` on the client side.
fn peer_text(endpoint: &Endpoint, role: SocketRole, context: &DisplayContext) -> Option<String> {
    let remote = endpoint.socket.remote?;
    let peer = endpoint.relation.peer.as_ref();
    let is_local = peer.is_some() || remote.ip() == endpoint.socket.local.ip();
    let place = if is_local {
        format!(":{}", remote.port())
    } else {
        endpoint.socket.remote_end()?
    };
    let (arrow, other_end) = match (role, peer) {
        (SocketRole::Server, Some(peer)) => (context.from_arrow(), peer.to_string()),
        (SocketRole::Server, None) if is_local => (context.from_arrow(), place),
        (SocketRole::Server, None) => (context.from_arrow(), endpoint.socket.remote_address()?),
        (_, Some(peer)) => (context.to_arrow(), format!("{place} {peer}")),
        (_, None) => (context.to_arrow(), place),
    };
    Some(format!("{arrow} {other_end}"))
}

/// Programs that run scripts: the script is shown instead.
const INTERPRETERS: [&str; 19] = [
    "node", "nodejs", "deno", "bun", "python", "pypy", "uv", "ruby", "perl", "php", "java", "sh",
    "bash", "dash", "zsh", "fish", "dotnet", "tsx", "npx",
];

/// Returns the script or module without interpreter and path, with the words directly after it.
fn program(process: &Process) -> String {
    let arguments = process.arguments();
    let Some((first, rest)) = arguments.split_first() else {
        return process.name.to_string();
    };
    let name = file_stem(first);
    let script = is_interpreter(&name).then(|| script(rest)).flatten();
    let (name, rest) = script.unwrap_or((name, rest));
    let mut words = vec![name];
    words.extend(
        rest.iter()
            .take(2)
            .map(ToString::to_string)
            .take_while(|word| is_subcommand_or_port(word)),
    );
    // The PROCESS column already shows this name.
    if words.len() > 1 && words.first() == Some(&process.name.to_string()) {
        words.remove(0);
    }
    words.join(" ")
}

fn is_interpreter(name: &str) -> bool {
    let plain = name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    INTERPRETERS.contains(&plain)
}

/// Returns what an interpreter runs: `-m module`, `-jar file` or the first argument that is no flag.
fn script(arguments: &[SystemText]) -> Option<(String, &[SystemText])> {
    let mut rest = arguments;
    while let Some((first, after)) = rest.split_first() {
        let word = first.raw();
        match word.as_ref() {
            "-m" | "-jar" => {
                let (name, rest) = after.split_first()?;
                return Some((file_stem(name), rest));
            }
            "-c" | "-e" | "--eval" => return None,
            "-r" | "--require" | "--import" | "--loader" | "-cp" | "-classpath" | "-W" | "-X" => {
                rest = after.get(1..).unwrap_or_default();
            }
            word if word.starts_with('-') => rest = after,
            _ => return Some((file_stem(first), after)),
        }
    }
    None
}

/// True for a word such as `dev` or `runserver`, or a port: neither a flag nor a path.
fn is_subcommand_or_port(word: &str) -> bool {
    !word.is_empty()
        && word.len() <= 24
        && !word.starts_with(['-', '/', '.', '~'])
        && !word.contains(['/', '\\', ' '])
}

/// Returns the file name of a path; of a package's `bin/vite.js` only `vite`.
fn file_stem(path: &SystemText) -> String {
    let raw = path.raw();
    let name = raw
        .rsplit(['/', '\\'])
        .find(|part| !part.is_empty())
        .unwrap_or(&raw);
    let in_package = raw.contains("node_modules/") || raw.ends_with(".exe");
    let stem = [".js", ".mjs", ".cjs", ".exe"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending));
    SystemText::from(stem.filter(|_| in_package).unwrap_or(name)).to_string()
}

/// Returns a directory with the home directory as `~`.
fn shortened(directory: &SystemText, home: Option<&str>) -> String {
    let shown = directory.to_string();
    let Some(home) = home.filter(|home| home.len() > 1) else {
        return shown;
    };
    match shown.strip_prefix(home) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("~{rest}"),
        _ => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::port::EphemeralRange;
    use crate::model::testing::{moment, process, socket};
    use std::sync::Arc;

    const CONTEXT: fn() -> DisplayContext<'static> = || DisplayContext {
        now: moment(0.0),
        home: Some("/home/dev"),
        ephemeral: EphemeralRange::IANA,
        is_ascii: false,
    };

    #[test]
    fn the_script_is_named_without_interpreter_and_path() {
        let cases = "\
node: node /home/dev/code/shop/node_modules/.bin/next dev => next dev
node: node /home/dev/node_modules/vite/bin/vite.js --port 5173 => vite
node: /usr/bin/node --inspect=9229 -r dotenv/config server.js => server.js
python3: python3 -m http.server 8000 => http.server 8000
python3: /usr/bin/python3.11 manage.py runserver 0:8000 => manage.py runserver 0:8000
gunicorn: /usr/bin/python3 /usr/bin/gunicorn api.wsgi => api.wsgi
postgres: /usr/lib/postgresql/15/bin/postgres -D /var/lib => postgres
java: java -Xmx1g -cp a:b -jar /opt/app.jar => app.jar
python3: python3 -c import_socket => python3
node: node => node";
        for line in cases.lines() {
            let (process_text, expected) = line.split_once(" => ").expect("a case");
            let (name, command) = process_text.split_once(": ").expect("a case");
            let process = process(1, name).command(command).build();
            assert_eq!(program(&process), expected, "{command}");
        }
    }

    #[test]
    fn the_directory_is_shortened_by_the_home_directory_only() {
        let cases = [
            ("/home/dev/code", "~/code"),
            ("/home/dev", "~"),
            ("/home/developer/code", "/home/developer/code"),
            ("/srv", "/srv"),
        ];
        for (path, shown) in cases {
            assert_eq!(shortened(&path.into(), Some("/home/dev")), shown);
        }
    }

    #[test]
    fn a_connection_is_described_by_its_peer() {
        let described = |from: &str, to, role, peer: Option<Arc<Process>>| {
            let mut endpoint = socket(from).to(to).endpoint();
            (endpoint.relation.role, endpoint.relation.peer) = (role, peer);
            describe(&endpoint, &CONTEXT()).map(|what| what.program)
        };
        let chrome = Some(process(942, "chrome").build());
        let node = Some(process(4242, "node").build());
        let (near, far) = (SocketRole::Server, SocketRole::Client);
        let programs = [
            described("127.0.0.1:3000", "127.0.0.1:51324", near, chrome),
            described("127.0.0.1:51324", "127.0.0.1:3000", far, node),
            described("10.0.0.1:51324", "93.184.216.34:443", far, None),
        ];
        let expected = ["← chrome 942", "→ :3000 node 4242", "→ 93.184.216.34:443"];
        assert_eq!(programs, expected.map(|program| Some(program.to_owned())));
    }
}
