//! The Windows console.

/// Does nothing: std cannot discard console input.
pub fn discard_typed_ahead() {}

/// Does nothing: a console takes all output.
pub fn discard_unsent_output() {}

/// Always false: closing the console ends the program.
pub fn is_gone() -> bool {
    false
}

/// Always false: Windows has no job control.
pub fn is_in_background() -> bool {
    false
}
