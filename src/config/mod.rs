//! Settings: what flags and environment variables ask for.
//!
//! Must never describe the machine; that is [`Environment`](crate::model::environment::Environment).

mod settings;

pub use settings::Settings;
