//! Every sentence, label, duration and number that a person reads, for the screen, the command line and the JSON's `message`.
//!
//! Takes values from the modules below and returns text. Decides nothing; no text is ever parsed.

pub mod check;
mod duration;
mod errors;
mod explanation;
mod free_report;
mod number;
mod port;
mod preview;
mod process;
pub mod screen;
mod socket;
mod verdict;
mod warning;

pub use duration::{
    age, age_cell, duration, duration_cell, interval, known_age, latency, seconds, time_left,
    time_left_at_most, time_left_roughly,
};
pub use errors::{
    SHORT_LIVED_MISSED, filter_hint, left_out, not_found_but_unread, owners_not_found,
    pids_problem, short_lived_unseen, unread, unread_table,
};
pub use explanation::{explanation_lines, explanation_summary, explanation_title};
pub use free_report::{
    count_question, empty_range, foreign_address, free_question, free_report, pid_question,
    two_addresses, typed_question, watching,
};
pub use number::{alternatives, bytes, count, joined, list, percent};
pub use port::{
    address_error, address_with_protocol, bind_result, doubt, place, port, port_spec_error, suffix,
    target, unseen,
};
pub use preview::{
    Describer, LineKind, PreviewLine, UNSEEN_TARGETS, drop_repeated_labels, freeing_title, line,
    preview_lines, preview_title, unit_text,
};
pub use process::{
    no_restart_command, origin, process_and_thread, protected, signal_error, unknown_signal,
};
pub use socket::{
    CONNECTED_TO_ITSELF, candidate_names, cause, count_states, one_of_many, owner_not_found,
    owners, probably, states, unproved, unreadable, user,
};
pub use verdict::{
    NOTHING_SENT, escalation, held_now, next_commands, progress, rest_with_parent, stop_rest,
    verdict,
};
pub use warning::{not_permitted_text, type_to_confirm, unseen_text, warning};
