//! Words as a POSIX shell takes them, and the command that starts a process again.
//!
//! The text is pasted into terminals, so it contains no character that a terminal or its line editor acts on, and
//! nothing that the system did not report.

use crate::model::process::Process;
use crate::model::text::{SystemText, is_plain};
use std::fmt::Write;

/// Returns a word that a shell reads as exactly these bytes.
///
/// Bytes that cannot be pasted are written in `$'…'` (dollar-single-quotes of POSIX.1-2024, older in bash, zsh and ksh) with
/// three octal digits: shells differ in how many hexadecimal ones they read.
pub fn quoted(word: &[u8]) -> String {
    match str::from_utf8(word) {
        Ok(text) if needs_no_quotes(text) => text.to_owned(),
        Ok(text) if text.chars().all(is_plain) => format!("'{}'", text.replace('\'', r"'\''")),
        Ok(_) | Err(_) => dollar_quoted(word),
    }
}

/// Quotes a name of ASCII letters, digits and these signs. `None` for any other name and for one that reads like a flag, so
/// that a command acts on what it shows and nothing else.
pub fn name(name: &SystemText, signs: &str) -> Option<String> {
    let raw = name.raw();
    let is_safe = |letter: char| letter.is_ascii_alphanumeric() || signs.contains(letter);
    let is_name = !raw.is_empty() && !raw.starts_with('-') && raw.chars().all(is_safe);
    is_name.then(|| quoted(raw.as_bytes()))
}

/// True for a word without a meaning of its own. `=` has one unless it is in a flag: zsh expands a word that begins with it,
/// and `a=b` before a command sets `a`.
fn needs_no_quotes(word: &str) -> bool {
    let is_flag = word.starts_with('-');
    let is_sign = |letter| "/._-+@:,%".contains(letter) || letter == '=' && is_flag;
    let is_safe = |letter: char| letter.is_ascii_alphanumeric() || is_sign(letter);
    !word.is_empty() && word.chars().all(is_safe)
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

/// The command that starts a process again where it ran, without its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestartCommand {
    /// `cd DIR && CMD`, with all arguments, also secrets.
    pub command: String,
    /// The same with secrets masked, for the screen.
    pub shown: String,
}

/// Why there is no restart command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRestartCommand {
    NoCommand,
    /// The process wrote a title over its arguments.
    Title,
    NoDirectory,
    DirectoryRemoved,
}

/// Returns the command that starts a process again, if the system reports all parts of it.
pub fn restart_command(process: &Process) -> Result<RestartCommand, NoRestartCommand> {
    use NoRestartCommand::{DirectoryRemoved, NoCommand, NoDirectory, Title};
    let first = process.command.first().ok_or(NoCommand)?;
    if process.is_titled {
        return Err(Title);
    }
    // A login shell has a dash before its name (login(1)), by which it cannot be started.
    let is_no_name = first.bytes().starts_with(b"-") || first.is_empty();
    let executable = process.executable.as_ref().filter(|_| is_no_name);
    let program = executable.or((!is_no_name).then_some(first));
    let program = program.ok_or(NoCommand)?;
    let directory = process.directory.as_ref().ok_or(NoDirectory)?;
    // `d_path` in the kernel's `fs/d_path.c`.
    if directory.bytes().ends_with(b" (deleted)") {
        return Err(DirectoryRemoved);
    }
    let written = |arguments: &[SystemText]| {
        let words = [program].into_iter().chain(arguments.iter().skip(1));
        let words: Vec<String> = words.map(|word| quoted(word.bytes())).collect();
        format!("cd {} && {}", quoted(directory.bytes()), words.join(" "))
    };
    Ok(RestartCommand {
        command: written(&process.command),
        shown: written(&process.arguments()),
    })
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
        use NoRestartCommand::{DirectoryRemoved, NoCommand, NoDirectory, Title};
        let cases: [(fn(&mut Process), _); 6] = [
            (|app| app.command.clear(), NoCommand),
            (|app| app.is_titled = true, Title),
            (
                |app| (app.command, app.executable) = (vec!["".into()], None),
                NoCommand,
            ),
            (|app| app.directory = None, NoDirectory),
            (
                |app| app.directory = Some("/srv/old (deleted)".into()),
                DirectoryRemoved,
            ),
            (
                |app| (app.command, app.executable) = (vec!["-app".into()], None),
                NoCommand,
            ),
        ];
        for (change, why) in cases {
            let app = process(7, "app").directory("/srv").with(change).build();
            assert_eq!(restart_command(&app), Err(why));
        }
    }
}
