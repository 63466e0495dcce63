//! Tells a title that a process wrote over its arguments (setproctitle(3)) from the arguments of an exec.

/// The name of the file that a process executes, and what the kernel calls its thread, as far as they are known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'p> {
    pub executable: Option<&'p [u8]>,
    pub comm: Option<&'p [u8]>,
}

/// True if the first argument is a title, such as `nginx: master process /usr/sbin/nginx`, and not what was executed.
///
/// It has a blank and is no path of the program, or it begins with a name of the thread that exec(2), which takes what is
/// behind the last slash, did not give.
pub fn is_title(first: &[u8], names: Names) -> bool {
    if is_path_of_program(first, names) {
        return false;
    }
    let begins_with_name = |comm: &[u8]| !comm.is_empty() && first.starts_with(comm);
    let is_named_by_itself = first.contains(&b'/') && names.comm.is_some_and(begins_with_name);
    first.contains(&b' ') || is_named_by_itself
}

/// True if this is the path of the executable or of the script that was executed, or looks like it.
pub fn is_path_of_program(first: &[u8], names: Names) -> bool {
    let program = names.executable.map(base_name);
    let of_program = [program, names.comm.filter(|_| has_separator(first))];
    let mut of_program = of_program.into_iter().flatten();
    let has_none_of = |signs: [&[u8]; 3]| signs.into_iter().all(|sign| !has(first, sign));
    names.executable == Some(first)
        || of_program.any(|name| name == base_name(first)) && has_none_of([b": ", b" /", b" -"])
}

fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn has_separator(path: &[u8]) -> bool {
    path.iter().any(|byte| b"/\\".contains(byte))
}

/// Returns what follows the last slash, or the last backslash of a path of Windows (also under wine).
pub fn base_name(path: &[u8]) -> &[u8] {
    let is_of_windows = !path.contains(&b'/') || path.get(1) == Some(&b':');
    let is_separator = |byte: &u8| *byte == b'/' || is_of_windows && *byte == b'\\';
    path.rsplit(is_separator).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_told_from_a_path_with_a_blank() {
        let cases = [
            (
                "nginx: master process /usr/sbin/nginx",
                "/usr/sbin/nginx",
                "nginx",
                true,
            ),
            ("nginx: worker process", "/usr/sbin/nginx", "nginx", true),
            (
                "puma 6.4.0 (tcp://localhost:3000) [shop]",
                "/usr/bin/ruby3.1",
                "puma 6.4.0 (tcp",
                true,
            ),
            (
                "postgres: 15/main: checkpointer",
                "/usr/lib/postgresql/15/bin/postgres",
                "postgres",
                true,
            ),
            (
                "php-fpm: master process (/etc/php/fpm/php-fpm.conf)",
                "/usr/sbin/php-fpm8.2",
                "php-fpm8.2",
                true,
            ),
            (
                "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups",
                "/usr/sbin/sshd",
                "sshd",
                true,
            ),
            (
                "/opt/google/chrome/chrome --type=utility",
                "/opt/google/chrome/chrome",
                "chrome",
                true,
            ),
            ("shop/api", "/usr/bin/node", "shop/api", true),
            (
                "jobs-of-the-shop/1",
                "/usr/bin/ruby",
                "jobs-of-the-sho",
                true,
            ),
            ("./my app", "/opt/my app", "my app", false),
            ("/opt/My App/run", "/opt/My App/run", "run", false),
            ("My App/run", "/opt/My App/run", "run", false),
            (
                r"C:\Program Files\Shop\shop.exe",
                "/usr/lib/wine/wine64-preloader",
                "shop.exe",
                false,
            ),
            ("bin/serve", "/usr/bin/node", "serve", false),
            ("node", "/usr/bin/node", "MainThread", false),
        ];
        for (first, executable, comm, expected) in cases {
            let names = Names {
                executable: Some(executable.as_bytes()),
                comm: Some(comm.as_bytes()),
            };
            assert_eq!(is_title(first.as_bytes(), names), expected, "{first}");
        }
    }
}
