//! Windows has no such limit.

/// Does nothing.
pub fn raise_limit() {}

/// Does nothing.
pub fn lower_limit() {}

/// Always true.
pub fn can_open(_count: usize) -> bool {
    true
}
