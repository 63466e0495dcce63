//! Masks passwords, tokens and keys in arguments and titles.

use crate::model::text::SystemText;
use std::mem;

const MASK: &str = "•••";
const SECRET_WORDS: [&str; 9] = [
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "access_key",
    "private_key",
    "credential",
];

/// Masks one argument after another.
#[derive(Default)]
pub(super) struct Mask {
    hides_next: bool,
}

impl Mask {
    pub fn apply(&mut self, argument: &SystemText) -> SystemText {
        let raw = argument.raw();
        self.masked(&raw)
            .map_or_else(|| argument.clone(), |text| text.as_str().into())
    }

    /// Returns what is shown in place of the argument, if that has a secret or follows an option that takes one.
    fn masked(&mut self, argument: &str) -> Option<String> {
        let is_flag = argument.starts_with('-');
        let takes_secret = is_flag && !argument.contains('=') && names_a_secret(argument);
        if mem::replace(&mut self.hides_next, takes_secret) && !is_flag {
            return Some(MASK.to_owned());
        }
        mask_within(argument)
    }
}

/// Masks the words of a title, which may be all arguments in one text.
pub(super) fn in_title(title: &SystemText) -> SystemText {
    let raw = title.raw();
    let mut mask = Mask::default();
    let words = raw.split(' ').map(|word| (word, mask.masked(word)));
    let words: Vec<_> = words.collect();
    if words.iter().all(|(_, masked)| masked.is_none()) {
        return title.clone();
    }
    let words = words.into_iter();
    let words = words.map(|(word, masked)| masked.unwrap_or_else(|| word.to_owned()));
    words.collect::<Vec<_>>().join(" ").as_str().into()
}

/// Masks the value of `--token=VALUE` or `API_KEY=VALUE` and the password of `scheme://user:password@host`.
fn mask_within(argument: &str) -> Option<String> {
    if let Some((name, value)) = argument.split_once('=')
        && names_a_secret(name)
        && !value.is_empty()
    {
        return Some(format!("{name}={MASK}"));
    }
    let (scheme, rest) = argument.split_once("://")?;
    let (login, host) = rest.split_once('@')?;
    let (user, _) = login.split_once(':').filter(|_| !login.contains('/'))?;
    Some(format!("{scheme}://{user}:{MASK}@{host}"))
}

fn names_a_secret(name: &str) -> bool {
    let name = name.to_lowercase().replace('-', "_");
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use crate::model::testing::process;

    #[test]
    fn secrets_in_arguments_are_masked() {
        let cases = [
            ("app --password=hunter2 -v", "app --password=••• -v"),
            ("app --api-key abc --port 3", "app --api-key ••• --port 3"),
            ("env GITHUB_TOKEN=abc node", "env GITHUB_TOKEN=••• node"),
            (
                "psql postgres://dev:pw@localhost/shop",
                "psql postgres://dev:•••@localhost/shop",
            ),
            ("app --token --verbose", "app --token --verbose"),
            ("curl http://localhost/a:b@c", "curl http://localhost/a:b@c"),
        ];
        for (command, shown) in cases {
            assert_eq!(
                process(1, "app").command(command).build().command_line(),
                shown
            );
        }
    }

    #[test]
    fn secrets_in_a_title_are_masked_word_by_word() {
        let title = "app: --token abc -v (redis://u:pw@h) api_key=1";
        let titled = process(1, "app").with(|it| {
            (it.command, it.is_titled) = (vec![title.into()], true);
        });
        let shown = "app: --token ••• -v (redis://u:•••@h) api_key=•••";
        assert_eq!(titled.build().title(), Some(shown.into()));
    }
}
