//! `/proc/PID/cmdline` (proc_pid_cmdline(5)): the arguments of an exec, or what the process wrote over them.

use crate::os::processes::reading::title::{Names, is_path_of_program, is_title};

pub struct ExecArguments<'p> {
    pub arguments: Vec<&'p [u8]>,
    /// True if the process wrote a title over its arguments; what remains of them may follow it.
    pub is_titled: bool,
}

impl<'p> ExecArguments<'p> {
    /// Splits at each NUL, which ends an argument.
    ///
    /// More NULs, or none, show that something else was written over the arguments: a title is shorter than they were, or
    /// as long (`get_mm_cmdline` of the kernel's `fs/proc/base.c`). Its empty arguments are leftovers, and are dropped.
    pub fn parse(text: &'p [u8], names: Names) -> Self {
        let is_padded = text.ends_with(&[0, 0, 0]);
        let is_overwritten = is_padded || !text.ends_with(&[0]);
        let text = text.strip_suffix(&[0]).unwrap_or(text);
        let mut arguments: Vec<&[u8]> = text.split(|byte| *byte == 0).collect();
        let mut filled = arguments.iter().copied().filter(|part| !part.is_empty());
        let is_titled = filled.next().is_some_and(|first| {
            let is_alone = filled.next().is_none();
            let is_other = !is_path_of_program(first, names);
            // Arguments that follow at once are those of an exec, unless the first one has the signs of a title.
            let is_cleared = arguments.get(1).is_some_and(|second| second.is_empty());
            let may_be_title =
                is_alone || is_overwritten || is_cleared || has_signs_of_title(first);
            may_be_title && is_title(first, names) || is_overwritten && is_alone && is_other
        });
        if is_titled || is_padded || text.is_empty() {
            arguments.retain(|part| !part.is_empty());
        }
        Self {
            arguments,
            is_titled,
        }
    }

    pub fn title(&self) -> Option<&'p [u8]> {
        self.arguments.first().copied().filter(|_| self.is_titled)
    }
}

/// True if it has what titles have and names of programs have not: `nginx: master`, `puma 6.4.0 (tcp://…) [shop]`.
fn has_signs_of_title(first: &[u8]) -> bool {
    let has = |sign: &[u8]| first.windows(sign.len()).any(|part| part == sign);
    has(b": ") || has(b" (") || has(b" [")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The arguments with a bar between them, and whether they are a title.
    fn parsed(text: &str) -> (String, bool) {
        let names = Names {
            executable: Some(b"/usr/bin/serve"),
            comm: Some(b"serve"),
        };
        let command = ExecArguments::parse(text.as_bytes(), names);
        let arguments = command.arguments.join(&b'|');
        let arguments = String::from_utf8(arguments).expect("UTF-8");
        (arguments, command.is_titled)
    }

    #[test]
    fn arguments_end_at_nul_and_a_title_has_no_empty_ones() {
        let cases = [
            ("serve: worker\0\0\0-x\0", "serve: worker|-x", true),
            ("serve\0--bind\0\x008000\0", "serve|--bind||8000", false),
            ("serve\0\0", "serve|", false),
            ("serve\0\0\0\0\0", "serve", false),
            ("shop/api\0\0\0\0", "shop/api", true),
            ("shop/api", "shop/api", true),
            ("my $name\0app.py\0-v\0", "my $name|app.py|-v", false),
            ("my name: idle\0", "my name: idle", true),
            ("\0-x\0", "|-x", false),
            ("\0\0\0\0", "", false),
            ("", "", false),
        ];
        for (text, arguments, is_titled) in cases {
            assert_eq!(parsed(text), (arguments.to_owned(), is_titled), "{text:?}");
        }
    }
}
