//! How a program is started in a terminal, or run without one.

use std::process::{Command, Output};

use portable_pty::CommandBuilder;

pub const PORTMON: &str = env!("CARGO_BIN_EXE_portmon");

#[derive(Clone, Copy)]
pub struct Launch<'a> {
    pub program: &'a str,
    pub columns: u16,
    pub lines: u16,
    arguments: &'a [&'a str],
    environment: &'a [(&'a str, &'a str)],
    polls_fast: bool,
}

impl<'a> Launch<'a> {
    pub fn program(program: &'a str, arguments: &'a [&'a str]) -> Self {
        Self {
            program,
            columns: 80,
            lines: 24,
            arguments,
            environment: &[],
            polls_fast: false,
        }
    }

    /// portmon, polling five times a second.
    pub fn portmon(arguments: &'a [&'a str]) -> Self {
        Self {
            polls_fast: true,
            ..Self::program(PORTMON, arguments)
        }
    }

    pub fn environment(self, environment: &'a [(&'a str, &'a str)]) -> Self {
        Self {
            environment,
            ..self
        }
    }

    pub fn size(self, columns: u16, lines: u16) -> Self {
        Self {
            columns,
            lines,
            ..self
        }
    }

    pub fn command(self) -> CommandBuilder {
        let mut command = CommandBuilder::new(self.program);
        if self.polls_fast {
            command.args(["-n", "0.2"]);
        }
        command.args(self.arguments);
        command.cwd(env!("CARGO_MANIFEST_DIR"));
        for name in ["NO_COLOR", "COLORTERM", "SUDO_UID", "ENV"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        // The user's own settings must not matter.
        for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME"] {
            command.env(name, concat!(env!("CARGO_TARGET_TMPDIR"), "/no-settings"));
        }
        for (name, value) in self.environment {
            command.env(name, value);
        }
        command
    }
}

/// What a program printed, and its exit code.
#[derive(Debug)]
pub struct Printed {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Printed {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// Runs portmon without a terminal.
pub fn run(arguments: &[&str]) -> Printed {
    run_by(&[], arguments)
}

/// Runs portmon by another program, such as one that changes the user.
pub fn run_by(program: &[&str], arguments: &[&str]) -> Printed {
    let words = [program, &[PORTMON], arguments].concat();
    let (program, arguments) = words.split_first().expect("a program");
    let output = Command::new(program).args(arguments).output();
    output.expect("an output").into()
}
