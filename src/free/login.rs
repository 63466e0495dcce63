//! Whether an ssh that holds a port is somebody's login, which would be lost with the port it forwards.

use crate::model::process::Process;

/// The options of ssh(1) that take a value, so that the value is not taken for options.
const WITH_VALUE: &str = "BbcDEeFIiJLlmOoPpQRSWw";

/// Whether ending this process ends a login on a terminal: an `ssh host` with a terminal that is more than a forward,
/// or the `sshd` of a session, which names its terminal in its title (`sshd: dev@pts/3`).
pub(super) fn is_login(process: &Process) -> bool {
    let name = process.name.raw();
    if name == "ssh" {
        process.terminal.is_some() && !is_forward_only(process)
    } else if name.starts_with("sshd") {
        let title = process.command_line();
        title.contains("@pts/") || title.contains("@tty")
    } else {
        false
    }
}

/// Whether it was started with `-N` (no command) or `-f` (in the background).
fn is_forward_only(process: &Process) -> bool {
    let mut is_value = false;
    for argument in process.command.iter().skip(1) {
        let argument = argument.raw();
        if std::mem::take(&mut is_value) {
            continue;
        }
        let Some(letters) = argument.strip_prefix('-') else {
            continue;
        };
        for (at, letter) in letters.char_indices() {
            match letter {
                'N' | 'f' => return true,
                letter if WITH_VALUE.contains(letter) => {
                    is_value = at + 1 == letters.len();
                    break;
                }
                _ => {}
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::process;

    #[test]
    fn an_ssh_is_a_login_unless_it_only_forwards() {
        let cases = [
            ("ssh host", Some("pts/4"), true),
            ("ssh -L 3000:localhost:3000 host", Some("pts/4"), true),
            ("ssh -L3000:localhost:3000 -p 22 host", Some("pts/4"), true),
            ("ssh -NL 3000:localhost:3000 host", Some("pts/4"), false),
            ("ssh -L 3000:localhost:3000 host -N", Some("pts/4"), false),
            ("ssh -fL 3000:localhost:3000 host", Some("pts/4"), false),
            ("ssh -i -N host", Some("pts/4"), true),
            ("ssh -L 3000:localhost:3000 host", None, false),
            ("sshd: dev@pts/3", None, true),
            ("sshd: dev@notty", None, false),
            ("node ssh", Some("pts/4"), false),
        ];
        for (command, terminal, expected) in cases {
            let name = command.split([' ', ':']).next().unwrap_or_default();
            let mut process = process(7, name).command(command);
            if let Some(terminal) = terminal {
                process = process.terminal(terminal);
            }
            assert_eq!(is_login(&process.build()), expected, "{command}");
        }
    }
}
