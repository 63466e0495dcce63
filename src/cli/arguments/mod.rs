//! The arguments of each command, one file a command, and the readers of their values.

mod check;
mod filter;
mod free;
mod list;
mod monitor;
mod unused;
pub(super) mod values;
mod wait;
mod watch;

pub use check::CheckArgs;
pub use filter::FilterArgs;
pub use free::{Consent, FreeArgs};
pub use list::ListArgs;
pub use monitor::MonitorArgs;
pub use unused::{SearchRange, UnusedArgs};
pub use wait::WaitArgs;
pub use watch::WatchArgs;

use super::CommandArgs;
