//! A line of text that reports what a key did or what went wrong.

use crate::free::FreeMachine;
use std::time::{Duration, Instant};

pub const NOTICE_TIME: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
pub struct Notice {
    pub text: String,
    /// When it disappears; `None` if it stays until a key other than movement is pressed.
    pub until: Option<Instant>,
    /// The freed ports that it says were taken again.
    pub taken_again: Vec<FreeMachine>,
}

impl Notice {
    pub fn persistent(text: String) -> Self {
        Self {
            text,
            until: None,
            taken_again: Vec::new(),
        }
    }
}
