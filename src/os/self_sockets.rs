//! The sockets that this program opens itself: the binds it tries. They are no rows, whoever looks meanwhile.
//!
//! Known by their cookies, which the kernel gives once and never again, so that not even a look in the midst of a bind on
//! another thread takes one for a stranger's. The only state that threads share: whoever binds has no channel to whoever
//! looks.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// In the order in which they were noted. Elsewhere than on Linux sockets have no cookies, and the bind that is tried is
/// over before a look could meet it.
static COOKIES: Mutex<VecDeque<u64>> = Mutex::new(VecDeque::new());

/// How many are remembered: a bind that is tried is over long before so many others are.
#[cfg(target_os = "linux")]
const MAX_COOKIES: usize = 256;

/// Makes a socket known as the program's own. To be called before it is bound.
#[cfg(target_os = "linux")]
pub fn register(socket: impl rustix::fd::AsFd) {
    // A kernel without cookies has no source that would tell them.
    let Ok(cookie) = rustix::net::sockopt::socket_cookie(socket) else {
        return;
    };
    let mut cookies = COOKIES.lock().unwrap_or_else(PoisonError::into_inner);
    if cookies.len() == MAX_COOKIES {
        cookies.pop_front();
    }
    cookies.push_back(cookie);
}

pub fn contains(cookie: u64) -> bool {
    let cookies = COOKIES.lock().unwrap_or_else(PoisonError::into_inner);
    cookies.contains(&cookie)
}
