//! stub
use crate::table::row::{Row, Surroundings};
use std::ops::Range;
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    port: Option<u16>,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub at: Range<usize>,
    pub what: String,
    pub is_unfinished: bool,
}
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    pub query: Query,
    pub trouble: Option<Trouble>,
    pub hint: Option<String>,
}
pub fn parse(text: &str) -> Parsed {
    Parsed {
        query: Query {
            port: text.parse().ok(),
        },
        ..Default::default()
    }
}
pub fn parse_finished(text: &str) -> Parsed {
    parse(text)
}
impl Query {
    pub fn is_empty(&self) -> bool {
        self.port.is_none()
    }
    pub fn matches(&self, row: &Row, _around: &Surroundings) -> bool {
        self.port.is_none_or(|p| p == row.endpoint.socket.port())
    }
    pub fn resolved(&self, _has: &dyn Fn(u16) -> bool) -> Query {
        self.clone()
    }
    pub fn exact(self) -> Query {
        self
    }
    pub fn names_exact_port(&self) -> bool {
        self.port.is_some()
    }
    pub fn meant_local_port(&self) -> Option<u16> {
        self.port
    }
    pub fn rank(&self, _row: &Row) -> u8 {
        0
    }
}
pub fn kept(text: &str, _a: &dyn Fn(u16) -> bool, _b: &dyn Fn(&str) -> bool) -> String {
    text.to_owned()
}
pub fn pasted(text: &str) -> String {
    text.to_owned()
}
pub static WORDS: [(&str, &str); 0] = [];
