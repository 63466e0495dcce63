//! Processes in which someone is at work: ending one ends a session, whatever port it holds.

use super::Process;

/// How a process carries the login of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginKind {
    /// A login on a terminal: an `ssh host`, the `sshd` of a session, or the shell that leads a terminal.
    Terminal,
    /// The server's side of a login, which has no terminal of its own, such as mosh-server.
    Session,
    /// Terminals that outlive their windows, such as those of tmux.
    Multiplexer,
    /// A display with the programs on it.
    Desktop,
}

/// Clients with the options of ssh(1).
const SSH_CLIENTS: [&str; 4] = ["ssh", "autossh", "dbclient", "plink"];

/// The options of ssh(1) that take a value, so that the value is not taken for options.
const SSH_OPTIONS_WITH_ARGUMENT: &str = "BbcDEeFIiJLlmOoPpQRSWw";

/// Other clients that are a login if they have a terminal.
const CLIENTS: [&str; 4] = ["mosh-client", "et", "telnet", "rlogin"];

/// Servers of which each process carries logins: those of mosh(1), Eternal Terminal, telnetd(8) and rlogind(8).
const SESSION_SERVERS: [&str; 6] = [
    "mosh-server",
    "etserver",
    "etterminal",
    "in.telnetd",
    "telnetd",
    "in.rlogind",
];

/// Multiplexers. Only their server has no terminal.
const MULTIPLEXERS: [&str; 6] = ["tmux", "screen", "zellij", "dtach", "abduco", "shpool"];

/// Servers of a display, and compositors.
const DESKTOPS: [&str; 11] = [
    "X",
    "Xorg",
    "Xwayland",
    "Xvnc",
    "Xtigervnc",
    "Xtightvnc",
    "gnome-shell",
    "kwin_wayland",
    "sway",
    "weston",
    "Hyprland",
];

/// Shells in which people type.
const SHELLS: [&str; 14] = [
    "ash", "bash", "csh", "dash", "elvish", "fish", "ksh", "mksh", "nu", "pwsh", "sh", "tcsh",
    "xonsh", "zsh",
];

/// Options of a shell that take a value.
const SHELL_VALUES: [&str; 4] = ["--rcfile", "--init-file", "-o", "+o"];

/// Returns how the process carries someone's login, if it does.
pub fn login_kind(process: &Process) -> Option<LoginKind> {
    let name = process.name.raw();
    let program = name.split(':').next().unwrap_or(&name);
    let has_terminal = process.terminal.is_some();
    let is_terminal_login = if SSH_CLIENTS.contains(&program) {
        has_terminal && !is_forward_only(process)
    } else {
        has_terminal && CLIENTS.contains(&program)
            || is_interactive_shell(process) && leads_terminal(process)
    };
    if is_terminal_login {
        Some(LoginKind::Terminal)
    } else if program.starts_with("sshd") {
        login_of_sshd(process)
    } else if SESSION_SERVERS.contains(&program) {
        Some(LoginKind::Session)
    } else if !has_terminal
        && MULTIPLEXERS
            .iter()
            .any(|one| one.eq_ignore_ascii_case(program))
    {
        Some(LoginKind::Multiplexer)
    } else {
        DESKTOPS.contains(&program).then_some(LoginKind::Desktop)
    }
}

/// Decides by the title that sshd writes (`setproctitle` in its session.c and monitor): `sshd: dev@pts/3` for a session,
/// `sshd: dev [priv]` for its monitor, `sshd: dev@notty` without a terminal.
fn login_of_sshd(process: &Process) -> Option<LoginKind> {
    let title = process.command_line();
    if title.contains("@pts/") || title.contains("@tty") {
        Some(LoginKind::Terminal)
    } else {
        let is_monitor = title.trim_end().ends_with("[priv]");
        is_monitor.then_some(LoginKind::Session)
    }
}

/// True if ssh was started with `-N` (no command) or `-f` (in the background).
fn is_forward_only(process: &Process) -> bool {
    let mut arguments = process
        .command
        .iter()
        .skip(1)
        .map(|argument| argument.raw());
    while let Some(argument) = arguments.next() {
        let mut letters = argument.strip_prefix('-').unwrap_or_default().chars();
        match letters
            .find(|letter| "Nf".contains(*letter) || SSH_OPTIONS_WITH_ARGUMENT.contains(*letter))
        {
            Some('N' | 'f') => return true,
            // Its value is the next argument.
            Some(_) if letters.next().is_none() => drop(arguments.next()),
            Some(_) | None => {}
        }
    }
    false
}

/// True for a shell on a terminal that runs no script and no command of its own (POSIX, sh).
pub fn is_interactive_shell(process: &Process) -> bool {
    let arguments: Vec<_> = process
        .command
        .iter()
        .map(|argument| argument.raw())
        .collect();
    let Some((_, options)) = arguments.split_first() else {
        return false;
    };
    let mut options = options.iter();
    let mut runs_something = false;
    while let Some(option) = options.next() {
        let is_option = option.starts_with(['-', '+']);
        let runs_command =
            option.starts_with('-') && !option.starts_with("--") && option.contains('c');
        runs_something |= !is_option || runs_command;
        if SHELL_VALUES.contains(&&**option) {
            options.next();
        }
    }
    process.terminal.is_some() && SHELLS.contains(&&*process.name.raw()) && !runs_something
}

/// True if the process leads a terminal's session: without it the terminal closes.
pub fn leads_terminal(process: &Process) -> bool {
    process.terminal.is_some() && process.session == Some(process.pid())
}

#[cfg(test)]
mod tests {
    use super::LoginKind::{Desktop, Multiplexer, Session, Terminal};
    use super::*;
    use crate::model::process::Pid;
    use crate::model::testing::process;

    /// A process with this command line on a terminal or without one; it leads its session.
    fn kind(command: &str, terminal: Option<&str>) -> Option<LoginKind> {
        let name = command.split([' ', ':']).next().unwrap_or_default();
        let mut process = process(7, name.trim_start_matches('-')).command(command);
        if let Some(terminal) = terminal {
            process = process.terminal(terminal);
        }
        login_kind(&process.with(|it| it.session = Some(Pid(7))).build())
    }

    #[test]
    fn an_ssh_is_a_login_unless_it_only_forwards() {
        let cases = [
            ("ssh host", Some("pts/4"), Some(Terminal)),
            (
                "ssh -L 3000:localhost:3000 host",
                Some("pts/4"),
                Some(Terminal),
            ),
            (
                "ssh -L3000:localhost:3000 -p 22 host",
                Some("pts/4"),
                Some(Terminal),
            ),
            ("ssh -NL 3000:localhost:3000 host", Some("pts/4"), None),
            ("ssh -L 3000:localhost:3000 host -N", Some("pts/4"), None),
            ("ssh -fL 3000:localhost:3000 host", Some("pts/4"), None),
            ("ssh -i -N host", Some("pts/4"), Some(Terminal)),
            ("ssh -L 3000:localhost:3000 host", None, None),
            (
                "autossh -M 20000 -N -L 3000:db:3000 host",
                Some("pts/4"),
                None,
            ),
            ("sshd: dev@pts/3", None, Some(Terminal)),
            ("sshd-session: dev@pts/3,pts/5", None, Some(Terminal)),
            ("sshd-session: dev [priv]", None, Some(Session)),
            ("sshd: dev@notty", None, None),
            (
                "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups",
                None,
                None,
            ),
            ("node ssh", Some("pts/4"), None),
        ];
        for (command, terminal, expected) in cases {
            assert_eq!(kind(command, terminal), expected, "{command}");
        }
    }

    #[test]
    fn whatever_carries_a_session_is_a_login() {
        let cases = [
            ("mosh-server new -s -c 256", None, Some(Session)),
            (
                "mosh-client -# host 192.0.2.1 60001",
                Some("pts/1"),
                Some(Terminal),
            ),
            ("et -t 3000:3000 host", Some("pts/1"), Some(Terminal)),
            ("etserver --cfgfile=/etc/et.cfg", None, Some(Session)),
            ("tmux new -s work", None, Some(Multiplexer)),
            ("tmux attach", Some("pts/2"), None),
            ("SCREEN -S work", None, Some(Multiplexer)),
            ("Xvnc :1 -rfbport 5901", None, Some(Desktop)),
            ("-bash", Some("pts/3"), Some(Terminal)),
            ("bash -l", Some("pts/3"), Some(Terminal)),
            ("bash serve.sh", Some("pts/3"), None),
            ("sh -c 'npm run dev'", Some("pts/3"), None),
            ("bash", None, None),
        ];
        for (command, terminal, expected) in cases {
            assert_eq!(kind(command, terminal), expected, "{command}");
        }
    }
}
