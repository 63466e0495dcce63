//! Words as a POSIX shell takes them, and the command that starts a process again.
//!
//! What is copied from here is pasted into terminals, so it never holds a character that a terminal or its line editor
//! acts on, and it never claims more than the system told.

use crate::model::process::Process;
use crate::model::text::{SystemText, is_plain};
use std::fmt::{self, Display, Write};

/// A word that a shell reads as exactly these bytes.
///
/// Bytes that cannot be pasted as they are stand in `$'…'` (dollar-single-quotes of POSIX.1-2024, which bash, zsh and ksh
/// always had), each with three octal digits: how many hexadecimal ones a shell takes is not agreed on.
pub fn quoted(word: &[u8]) -> String {
    match str::from_utf8(word) {
        Ok(text) if needs_no_quotes(text) => text.to_owned(),
        Ok(text) if text.chars().all(is_plain) => format!("'{}'", text.replace('\'', r"'\''")),
        Ok(_) | Err(_) => dollar_quoted(word),
    }
}

/// Likewise a name of ASCII letters, digits and these signs; `None` of any other, and of one that would be taken for a flag,
/// so that a command acts on what it reads like and on nothing else.
pub fn name(name: &SystemText, signs: &str) -> Option<String> {
    let raw = name.raw();
    let is_safe = |letter: char| letter.is_ascii_alphanumeric() || signs.contains(letter);
    let is_name = !raw.is_empty() && !raw.starts_with('-') && raw.chars().all(is_safe);
    is_name.then(|| quoted(raw.as_bytes()))
}

/// Whether no shell reads anything into it: zsh expands a word that begins with `=`, and `a=b` before a command sets `a`.
fn needs_no_quotes(word: &str) -> bool {
    let has_sign = |letter: char| letter == '=' && word.starts_with('-');
    let is_safe = |letter: char| letter.is_ascii_alphanumeric() || "/._-+@:,%".contains(letter);
    !word.is_empty()
        && word
            .chars()
            .all(|letter| is_safe(letter) || has_sign(letter))
}

fn dollar_quoted(word: &[u8]) -> String {
    let mut out = String::from("$'");
    for chunk in word.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\'' | '\\' => out.extend(['\\', letter]),
                letter if is_plain(letter) => out.push(letter),
                letter => push_octal(&mut out, letter.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        push_octal(&mut out, chunk.invalid());
    }
    out.push('\'');
    out
}

fn push_octal(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string never fails.
        let _ = write!(out, "\\{byte:03o}");
    }
}

/// The command that starts a process again where it ran. Its environment is not part of it: nothing tells that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestartCommand {
    /// `cd DIR && CMD`, with every argument as it was, also secrets.
    pub command: String,
    /// The same with secrets masked, for whoever looks over a shoulder.
    pub shown: String,
}

/// Why no command is told; `Display` is the sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRestartCommand {
    process: String,
    why: MissingPart,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MissingPart {
    NoCommand,
    /// It shows a title of its own where its arguments were.
    Title,
    NoDirectory,
    /// The directory was removed (`d_path` in the kernel's `fs/d_path.c` says so at the end of the path).
    DirectoryGone,
}

/// How to start a process again, as far as the system told how it was started.
pub fn restart_command(process: &Process) -> Result<RestartCommand, NoRestartCommand> {
    let unknown = |why| NoRestartCommand {
        process: process.to_string(),
        why,
    };
    let Some(first) = process.command.first() else {
        return Err(unknown(MissingPart::NoCommand));
    };
    if is_title(process, first) {
        return Err(unknown(MissingPart::Title));
    }
    let program = program(process, first).ok_or_else(|| unknown(MissingPart::NoCommand))?;
    let directory = process.directory.as_ref();
    let directory = directory.ok_or_else(|| unknown(MissingPart::NoDirectory))?;
    if directory.bytes().ends_with(b" (deleted)") {
        return Err(unknown(MissingPart::DirectoryGone));
    }
    let written = |arguments: &[SystemText]| {
        let rest = arguments.iter().skip(1);
        let words = [program].into_iter().chain(rest);
        let words: Vec<String> = words.map(|word| quoted(word.bytes())).collect();
        format!("cd {} && {}", quoted(directory.bytes()), words.join(" "))
    };
    Ok(RestartCommand {
        command: written(&process.command),
        shown: written(&process.arguments()),
    })
}

/// Whether a process wrote a title over its arguments (`nginx: master process nginx`), of which some may be left behind it:
/// what has a blank in it and is not the name of its program.
fn is_title(process: &Process, first: &SystemText) -> bool {
    let name = |path: &SystemText| {
        path.bytes()
            .rsplit(|byte| *byte == b'/')
            .next()
            .map(<[u8]>::to_vec)
    };
    let own = process.executable.as_ref().and_then(name);
    first.bytes().contains(&b' ') && name(first) != own
}

/// A login shell is told by a dash before its name (login(1)), which is no name to start it by.
fn program<'a>(process: &'a Process, first: &'a SystemText) -> Option<&'a SystemText> {
    if first.bytes().starts_with(b"-") {
        process.executable.as_ref()
    } else {
        Some(first)
    }
}

impl Display for NoRestartCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let process = &self.process;
        let why = match self.why {
            MissingPart::NoCommand => format!("how {process} was started is not known"),
            MissingPart::Title => {
                format!("{process} shows a title of its own in place of how it was started")
            }
            MissingPart::NoDirectory => format!("the directory of {process} is not known"),
            MissingPart::DirectoryGone => format!("the directory of {process} was removed"),
        };
        write!(f, "{why}, so nothing was copied")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::process;

    #[test]
    fn only_words_special_to_a_shell_are_quoted() {
        let cases: [(&[u8], &str); 12] = [
            (b"server.js", "server.js"),
            (b"--port=3000", "--port=3000"),
            (b"A=b", "'A=b'"),
            (b"=ls", "'=ls'"),
            (b"", "''"),
            (b"two words", "'two words'"),
            (b"it's", r"'it'\''s'"),
            (b"$(reboot)", "'$(reboot)'"),
            ("~/käse".as_bytes(), "'~/käse'"),
            (b"a\x03\nb'\\", r"$'a\003\012b\'\\'"),
            (b"caf\xe9", r"$'caf\351'"),
            ("exe.\u{202e}gpj".as_bytes(), r"$'exe.\342\200\256gpj'"),
        ];
        for (word, shell) in cases {
            assert_eq!(quoted(word), shell);
        }
    }

    #[test]
    fn the_restart_command_hides_secrets_only_on_screen() {
        let node = process(4242, "node")
            .command("node server.js --token hunter2")
            .directory("/home/dev/my code")
            .build();
        let expected = RestartCommand {
            command: "cd '/home/dev/my code' && node server.js --token hunter2".to_owned(),
            shown: "cd '/home/dev/my code' && node server.js --token '•••'".to_owned(),
        };
        assert_eq!(restart_command(&node), Ok(expected));
        let shell = process(7, "bash").command("-bash").directory("/").build();
        let command = restart_command(&shell).map(|restart| restart.command);
        assert_eq!(command, Ok("cd / && /usr/bin/bash".to_owned()));
    }

    #[test]
    fn a_restart_command_never_guesses() {
        let of = |change: fn(&mut Process)| {
            let known = process(7, "app").directory("/srv");
            restart_command(&known.with(change).build())
                .map_err(|unknown| unknown.to_string())
                .expect_err("not known")
        };
        let said = [
            of(|app| app.command.clear()),
            of(|app| app.command = vec!["app: master process".into()]),
            of(|app| app.command = vec!["app: worker".into(), "-x".into()]),
            of(|app| app.directory = None),
            of(|app| app.directory = Some("/srv/old (deleted)".into())),
            of(|app| (app.command, app.executable) = (vec!["-app".into()], None)),
        ];
        let expected = [
            "how app 7 was started is not known",
            "app 7 shows a title of its own in place of how it was started",
            "app 7 shows a title of its own in place of how it was started",
            "the directory of app 7 is not known",
            "the directory of app 7 was removed",
            "how app 7 was started is not known",
        ];
        assert_eq!(
            said,
            expected.map(|why| format!("{why}, so nothing was copied"))
        );
    }

    #[test]
    fn a_program_path_with_a_space_is_not_a_title() {
        let app = process(7, "my app").directory("/").with(|app| {
            app.command = vec!["./my app".into(), "-x".into()];
            app.executable = Some("/opt/my app".into());
        });
        let command = restart_command(&app.build()).map(|restart| restart.command);
        assert_eq!(command, Ok("cd / && './my app' -x".to_owned()));
    }
}
