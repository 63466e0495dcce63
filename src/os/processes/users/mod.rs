//! The names of users, each looked up once: a directory service behind the lookup may be slow.

use crate::model::text::SystemText;
use std::collections::HashMap;

#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

pub use system::{invoking_uid, is_root};

#[derive(Default)]
pub struct UserNames {
    names: HashMap<u32, Option<SystemText>>,
}

impl UserNames {
    /// Returns the name of a user, `None` where the system has none.
    pub fn name(&mut self, uid: u32) -> Option<SystemText> {
        let name = self.names.entry(uid);
        name.or_insert_with(|| system::look_up(uid)).clone()
    }
}
