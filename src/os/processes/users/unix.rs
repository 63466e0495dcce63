//! Users by getpwuid_r(3), which asks every source the system is configured for, not only `/etc/passwd`.

use crate::model::text::SystemText;
use crate::os::processes::access;

/// Returns the name of a user; `unmapped` where this uid stands for every user that the user namespace does not map.
pub fn look_up(uid: u32) -> Option<SystemText> {
    if let Some(name) = access::name_of_unmapped(uid) {
        return Some(name.into());
    }
    uzers::get_user_by_uid(uid).map(|user| user.name().into())
}

/// True if portmon has root's rights.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Returns the user this program works for: under sudo the invoking one.
pub fn invoking_uid() -> Option<u32> {
    let own = rustix::process::geteuid().as_raw();
    let invoking = std::env::var("SUDO_UID").ok().filter(|_| own == 0);
    invoking.and_then(|uid| uid.parse().ok()).or(Some(own))
}

#[cfg(test)]
mod tests {
    use super::look_up;

    #[test]
    fn user_0_is_root_and_an_unknown_user_has_no_name() {
        let names = [0, u32::MAX - 7].map(look_up);
        assert_eq!(names, [Some("root".into()), None]);
    }
}
