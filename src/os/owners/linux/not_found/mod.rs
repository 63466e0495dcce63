//! Why no process was found that has a socket.
//!
//! A cause is established by what the search met and by portmon's own rights, never by the socket alone.

use super::owner_cache::OwnerCache;
use super::pid_table::PidEntry;
use crate::model::process::ProcessId;
use crate::model::socket::{KernelServices, NotFoundCause, RawSocket};
use crate::os::descriptors;
use crate::os::processes::access::{self, Rights};
use kernel::BuiltInModules;
use rustix::io::Errno;
use std::sync::Arc;

pub mod kernel;

/// What the searches met so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchReport {
    rights: Rights,
    built_in: Arc<BuiltInModules>,
    /// Why `/proc` or a process in it could not be opened.
    failed: Option<Errno>,
    /// Users of the processes that could not be read, each once.
    denied: Vec<u32>,
    coverage: Coverage,
    /// Processes with a UNIX socket through which files are on their way.
    pub carriers: Vec<ProcessId>,
}

/// Processes that `/proc` shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Coverage {
    #[default]
    All,
    /// Those of one PID namespace.
    OneNamespace,
    /// It leaves out even the first process of its namespace.
    Partial,
}

impl SearchReport {
    pub fn of(cache: &mut OwnerCache) -> Self {
        let rights = *cache.rights.get_or_insert_with(Rights::read);
        let built_in = &mut cache.built_in_modules;
        let built_in = built_in.get_or_insert_with(|| Arc::new(BuiltInModules::read()));
        let built_in = Arc::clone(built_in);
        let known = cache.pid_table.known.all();
        let denied = known.filter(|known| known.denied_until > 0);
        let mut denied: Vec<u32> = denied
            .map(|known: &PidEntry| known.denied_uid.unwrap_or(RawSocket::NO_USER))
            .collect();
        denied.sort_unstable();
        denied.dedup();
        Self {
            rights,
            built_in,
            failed: cache
                .proc
                .error()
                .or(cache.no_descriptors)
                .or_else(no_descriptors),
            denied,
            coverage: if !access::is_shown(1) {
                Coverage::Partial
            } else if access::shows_kernel_threads() {
                Coverage::All
            } else {
                Coverage::OneNamespace
            },
            carriers: cache.indirect.carriers.clone(),
        }
    }

    /// Returns why no owner of this socket was found, and the services of the kernel that it may belong to.
    pub fn explain(&self, socket: &RawSocket) -> (NotFoundCause, KernelServices) {
        let none = KernelServices::default();
        let obstacle = self.obstacle(socket.uid);
        let (is_searched, may_be_kernel) = match obstacle {
            // Nothing that this user can see has it.
            NotFoundCause::NoProcess | NotFoundCause::OtherPidNamespace => (true, true),
            NotFoundCause::SecurityModule => (true, socket.uid == 0),
            // The kernel's own are root's.
            NotFoundCause::OtherUser
            | NotFoundCause::MissingPtrace
            | NotFoundCause::UserNamespace
            | NotFoundCause::HiddenProcesses => (false, socket.uid == 0),
            NotFoundCause::ClosedProcess
            | NotFoundCause::NoProc
            | NotFoundCause::InFlight
            | NotFoundCause::OutOfDescriptors
            | NotFoundCause::Unknown => (false, false),
        };
        let services = if may_be_kernel {
            kernel::services_of_port(socket, &self.built_in)
        } else {
            none
        };
        if !services.is_empty() {
            (obstacle, services)
        } else if is_searched && !self.carriers.is_empty() {
            (NotFoundCause::InFlight, none)
        } else if obstacle == NotFoundCause::NoProcess {
            (
                obstacle,
                kernel::services_of_any_port(socket.protocol, &self.built_in),
            )
        } else {
            (obstacle, none)
        }
    }

    /// Returns what kept the search from finding an owner.
    fn obstacle(&self, uid: u32) -> NotFoundCause {
        let rights = &self.rights;
        let is_denied = !self.denied.is_empty();
        match (self.failed, is_denied, self.coverage) {
            (Some(Errno::MFILE | Errno::NFILE), ..) => return NotFoundCause::OutOfDescriptors,
            (Some(_), ..) => return NotFoundCause::NoProc,
            (None, false, Coverage::All) => return NotFoundCause::NoProcess,
            (None, false, Coverage::OneNamespace) => return NotFoundCause::OtherPidNamespace,
            // Its owner may as well be in another namespace if no process of its user was denied.
            (None, true, Coverage::OneNamespace) if !self.denied.contains(&uid) => {
                return NotFoundCause::Unknown;
            }
            (None, ..) => {}
        }
        let is_beyond = rights.can_read_all || rights.is_unmapped(uid);
        if rights.is_in_user_namespace && is_beyond {
            NotFoundCause::UserNamespace
        } else if rights.can_read_all {
            NotFoundCause::SecurityModule
        } else if rights.is_root() {
            NotFoundCause::MissingPtrace
        } else if self.coverage == Coverage::Partial {
            NotFoundCause::HiddenProcesses
        } else if uid == rights.uid && self.denied.contains(&uid) {
            // Root is not meant: it is denied any process that has a capability which it lacks.
            NotFoundCause::ClosedProcess
        } else if self.coverage == Coverage::OneNamespace {
            // Root there may see no more.
            NotFoundCause::Unknown
        } else {
            NotFoundCause::OtherUser
        }
    }
}

/// Descriptors that reading a process takes at a time.
const DESCRIPTORS: usize = 4;

/// Returns the error of a search that fails for lack of descriptors without telling.
fn no_descriptors() -> Option<Errno> {
    (!descriptors::can_open(DESCRIPTORS)).then_some(Errno::MFILE)
}

#[cfg(test)]
mod tests;
