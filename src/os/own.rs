//! The sockets that this program opens itself: the binds it tries. They are no rows, whoever looks meanwhile.
//!
//! Known by their cookies, which the kernel gives once and never again, so that not even a look in the midst of a bind on
//! another thread takes one for a stranger's.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

static COOKIES: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());

/// How many are remembered. A bind that is tried is over long before so many others are.
const KEPT: usize = 4096;

/// Makes a socket known as the program's own. To be called before it is bound.
#[cfg(target_os = "linux")]
pub fn note(socket: impl rustix::fd::AsFd) {
    // A kernel without cookies has no source that would tell them.
    let Ok(cookie) = rustix::net::sockopt::socket_cookie(socket) else {
        return;
    };
    let mut cookies = COOKIES.lock().unwrap_or_else(PoisonError::into_inner);
    cookies.insert(cookie);
    if cookies.len() > KEPT {
        cookies.pop_first();
    }
}

pub fn is_own(cookie: u64) -> bool {
    let cookies = COOKIES.lock().unwrap_or_else(PoisonError::into_inner);
    cookies.contains(&cookie)
}
