//! The names of users, each looked up once: a directory service behind the lookup may be slow.

use crate::model::text::SystemText;
use std::collections::HashMap;

#[derive(Default)]
pub struct UserNames {
    names: HashMap<u32, Option<SystemText>>,
}

impl UserNames {
    pub fn name(&mut self, uid: u32) -> Option<SystemText> {
        self.names
            .entry(uid)
            .or_insert_with(|| look_up(uid))
            .clone()
    }
}

/// `getpwuid_r`, and so every source that the system is configured for, not only `/etc/passwd`.
#[cfg(unix)]
fn look_up(uid: u32) -> Option<SystemText> {
    uzers::get_user_by_uid(uid).map(|user| user.name().into())
}

/// The last part of a SID does not name a user by itself.
#[cfg(windows)]
fn look_up(_uid: u32) -> Option<SystemText> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn user_0_is_root_and_an_unknown_user_has_no_name() {
        let mut users = UserNames::default();
        let names = [0, u32::MAX - 7].map(|uid| users.name(uid));
        assert_eq!(names, [Some("root".into()), None]);
    }
}
