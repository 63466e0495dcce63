//! The sockets that portmon opens itself (bind and connect probes), which are never shown as rows.
//!
//! They are known by cookie (SO_COOKIE), which the kernel never reuses, so that a poll in the midst of a probe on another
//! thread recognizes them. The only state that threads share: a probe has no channel to the poller.

use rustix::fd::AsFd;
use rustix::net::sockopt::socket_cookie;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// The latest cookies, oldest first.
static COOKIES: Mutex<VecDeque<u64>> = Mutex::new(VecDeque::new());

/// A probe is over long before this many others were made.
const MAX_COOKIES: usize = 256;

/// Registers a socket of this program. A socket to be bound must be registered before the bind.
pub fn register(socket: impl AsFd) {
    // A kernel without cookies has no source that reports them.
    let Ok(cookie) = socket_cookie(socket) else {
        return;
    };
    let mut cookies = COOKIES.lock().unwrap_or_else(PoisonError::into_inner);
    if cookies.len() == MAX_COOKIES {
        cookies.pop_front();
    }
    cookies.push_back(cookie);
}

/// True if a socket of this program has the cookie.
pub fn contains(cookie: u64) -> bool {
    let cookies = COOKIES.lock().unwrap_or_else(PoisonError::into_inner);
    cookies.contains(&cookie)
}
