//! The name of a program, from the name of its main thread (comm), its executable and its arguments.
//!
//! exec(2) names the thread after the file it executes, which may be a script or a link, and cuts that name at 15 bytes.
//! The program may then name it anything (`PR_SET_NAME` of prctl(2)): node calls it `MainThread`.

use super::exec_arguments::ExecArguments;
use crate::os::processes::reading::title::base_name;

/// Linux cuts names of threads at this many bytes (`TASK_COMM_LEN` without its NUL).
const MAX_COMM_LEN: usize = 15;

/// Links to whatever the process that executes them runs or has open, which are no names.
const SELF_LINKS: [&[u8]; 3] = [b"/proc/self/", b"/proc/thread-self/", b"/dev/fd/"];

/// Returns comm where it is the beginning of the name of the executable or of an argument, in full if it was cut; else the
/// name of the executable, and of an executable that may not be read the name by which it was started.
///
/// Empty if none of them is known.
pub fn program_name<'p>(
    comm: &'p [u8],
    executable: Option<&'p [u8]>,
    command: &ExecArguments<'p>,
) -> &'p [u8] {
    let executable = executable.map(file_name).filter(|name| !name.is_empty());
    let names = || {
        let arguments = command.arguments.iter().copied();
        let arguments = arguments.filter(|argument| !is_self_link(argument));
        executable
            .into_iter()
            .chain(arguments.map(|argument| base_name(without_dash(argument))))
    };
    let is_cut = comm.len() == MAX_COMM_LEN;
    let title = command.title().filter(|title| title.starts_with(comm));
    if comm.trim_ascii().is_empty() {
        return executable
            .or_else(|| started_as(command))
            .unwrap_or_default();
    }
    if let Some(title) = title {
        return name_in_title(title, comm, is_cut);
    }
    // fexecve(3) names the thread after the number of a descriptor, with which a port may begin.
    let is_number = comm.iter().all(u8::is_ascii_digit);
    let begins = |name: &&[u8]| name.starts_with(comm) && (!is_number || *name == comm);
    match names().find(begins) {
        Some(name) if is_cut => name,
        Some(_) => comm,
        None => executable
            .or_else(|| started_as(command).filter(|name| *name != INIT))
            .unwrap_or(comm),
    }
}

/// The name of the first process for the kernel and for users, whatever program it is (init(1)).
const INIT: &[u8] = b"init";

/// Returns the base name of the first argument, without the dash of a login shell (login(1)).
fn started_as<'p>(command: &ExecArguments<'p>) -> Option<&'p [u8]> {
    let first = *command.arguments.first()?;
    if command.is_titled || is_self_link(first) {
        return None;
    }
    let name = base_name(without_dash(first));
    (!name.is_empty()).then_some(name)
}

/// Returns the name with which a title begins, of which comm is the beginning: what setproctitle(3) puts before the colon.
/// Without a colon comm, if it is whole.
fn name_in_title<'p>(title: &'p [u8], comm: &'p [u8], is_cut: bool) -> &'p [u8] {
    let word = title.split(|byte| *byte == b' ').next().unwrap_or(title);
    match word.strip_suffix(b":") {
        Some(name) if !name.is_empty() => name,
        // A title may be cut too, by the room that the arguments left for it.
        _ if (is_cut || comm.contains(&b':')) && !word.is_empty() => word,
        _ => comm,
    }
}

/// Returns the name of a file, also of one made by memfd_create(2), which has no directory but may have slashes in its name.
fn file_name(path: &[u8]) -> &[u8] {
    let name = path.strip_prefix(b"/").unwrap_or(path);
    if name.starts_with(b"memfd:") {
        name
    } else {
        base_name(path)
    }
}

fn without_dash(argument: &[u8]) -> &[u8] {
    argument.strip_prefix(b"-").unwrap_or(argument)
}

fn is_self_link(argument: &[u8]) -> bool {
    SELF_LINKS.iter().any(|link| argument.starts_with(link))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::processes::reading::title::Names;

    /// The name of a process with this comm, executable and command line.
    fn name((comm, executable, command): (&str, &str, &str)) -> String {
        let executable = Some(executable.as_bytes()).filter(|path| !path.is_empty());
        let names = Names {
            executable,
            comm: Some(comm.as_bytes()),
        };
        let command = command.replace('|', "\0") + "\0";
        let command = ExecArguments::parse(command.as_bytes(), names);
        let name = program_name(comm.as_bytes(), executable, &command);
        String::from_utf8_lossy(name).into_owned()
    }

    #[test]
    fn a_program_is_named_by_its_file_not_by_its_thread() {
        let cases = [
            ("MainThread", "/usr/bin/node", "node|server.js", "node"),
            ("node-MainThread", "/opt/node/bin/node", "node|a", "node"),
            ("main", "/usr/bin/ustreamer", "ustreamer|-p|80", "ustreamer"),
            ("", "/usr/bin/app", "app", "app"),
            ("  ", "", "/usr/bin/app|-x", "app"),
            ("", "", "", ""),
            (
                "exe",
                "/usr/bin/rootlessport",
                "/proc/self/exe|-x",
                "rootlessport",
            ),
            ("3", "/memfd:a/b", "serve|3000", "memfd:a/b"),
        ];
        for (comm, executable, command, expected) in cases {
            assert_eq!(name((comm, executable, command)), expected, "{command}");
        }
    }

    #[test]
    fn a_thread_called_like_file_script_or_link_names_it() {
        let cases = [
            ("python3", "/usr/bin/python3.11", "python3|-m|a", "python3"),
            ("node", "/usr/bin/nodejs", "nodejs", "node"),
            (
                "gunicorn",
                "/usr/bin/python3.11",
                "/usr/bin/python3|/usr/bin/gunicorn|api",
                "gunicorn",
            ),
            ("httpd", "/bin/busybox", "httpd|-f", "httpd"),
            ("bash", "", "-bash", "bash"),
            (
                "shop.exe",
                "/usr/lib/wine/wine64",
                r"C:\Shop\shop.exe",
                "shop.exe",
            ),
            (
                "node",
                "/usr/bin/qemu-aarch64",
                "/usr/bin/qemu-aarch64|/usr/bin/node",
                "node",
            ),
            ("kworker/0:1", "", "", "kworker/0:1"),
            ("systemd", "", "/sbin/init", "systemd"),
            ("MainThread", "", "/usr/bin/node|a.js", "node"),
        ];
        for (comm, executable, command, expected) in cases {
            assert_eq!(name((comm, executable, command)), expected, "{command}");
        }
    }

    #[test]
    fn a_cut_name_is_completed() {
        let handler = "/opt/chrome_crashpad_handler";
        let cases = [
            ("chrome_crashpad", handler, "x", "chrome_crashpad_handler"),
            (
                "my-long-program",
                "/usr/bin/python3.11",
                "python3|./my-long-program.py",
                "my-long-program.py",
            ),
            ("123456789012345", "/usr/bin/python3", "python3", "python3"),
            (
                "exactly15letter",
                "/x/exactly15letter",
                "x",
                "exactly15letter",
            ),
        ];
        for (comm, executable, command, expected) in cases {
            assert_eq!(name((comm, executable, command)), expected, "{command}");
        }
    }

    #[test]
    fn a_title_names_the_program_before_its_colon() {
        let cases = [
            (
                "gunicorn: maste",
                "/usr/bin/python3.11",
                "gunicorn: master [api]",
                "gunicorn",
            ),
            (
                "puma 6.4.0 (tcp",
                "/usr/bin/ruby3.1",
                "puma 6.4.0 (tcp://localhost:3000) [shop]",
                "puma",
            ),
            (
                "PM2 v5.3.0: God",
                "/usr/bin/node",
                "PM2 v5.3.0: God Daemon (/home/dev/.pm2)",
                "PM2",
            ),
            ("PM2 v5.3.0:", "/usr/bin/node", "PM2 v5.3.0:", "PM2"),
            ("shop api", "/usr/bin/node", "shop api", "shop api"),
            (
                "postgres",
                "/usr/lib/postgresql/15/bin/postgres",
                "postgres: 15/main: checkpointer",
                "postgres",
            ),
            ("MainThread", "/usr/bin/node", "my server", "node"),
        ];
        for (comm, executable, command, expected) in cases {
            assert_eq!(name((comm, executable, command)), expected, "{command}");
        }
    }
}
