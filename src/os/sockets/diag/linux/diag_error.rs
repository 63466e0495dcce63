//! Errors of NETLINK_SOCK_DIAG. None may be taken for an empty table.

use rustix::io::Errno;
use std::io;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiagError {
    #[error("{call} on a NETLINK_SOCK_DIAG socket: {}", os_error(*.code))]
    Call { call: &'static str, code: i32 },
    /// The kernel replied with an error.
    #[error("sock_diag request refused: {}", os_error(*.code))]
    ErrorReply { code: i32 },
    #[error("sock_diag reply timed out")]
    TimedOut,
    #[error("sock_diag dump interrupted: the table changed")]
    Interrupted,
    #[error("sock_diag reply overrun: a part is lost")]
    Overrun,
    #[error("sock_diag message truncated")]
    Truncated,
    #[error("sock_diag message of unknown type {kind}")]
    UnknownMessage { kind: u16 },
}

impl DiagError {
    pub fn of_call(call: &'static str) -> impl Fn(Errno) -> Self {
        move |errno| Self::Call {
            call,
            code: errno.raw_os_error(),
        }
    }

    /// True if the system does not have this source: sandboxes refuse the socket, security modules and kernels without
    /// `inet_diag` the request.
    pub fn is_unavailable(self) -> bool {
        self.is_one_of(&[
            Errno::PERM,
            Errno::ACCESS,
            Errno::PROTONOSUPPORT,
            Errno::AFNOSUPPORT,
            Errno::OPNOTSUPP,
            Errno::NOENT,
            Errno::INVAL,
            Errno::NOSYS,
            Errno::CONNREFUSED,
        ])
    }

    /// True if a lookup found nothing: for another cookie UDP returns ESTALE (`udp_diag_dump_one` in net/ipv4/udp_diag.c),
    /// TCP ENOENT (`inet_diag_find_one_icsk` in net/ipv4/inet_diag.c).
    pub fn is_not_found(self) -> bool {
        matches!(self, Self::ErrorReply { .. }) && self.is_one_of(&[Errno::NOENT, Errno::STALE])
    }

    /// True if the reply was read to its end, so that nothing of it is left in the socket.
    pub fn is_reply_complete(self) -> bool {
        matches!(self, Self::ErrorReply { .. } | Self::Interrupted)
    }

    fn is_one_of(self, errnos: &[Errno]) -> bool {
        let (Self::Call { code, .. } | Self::ErrorReply { code }) = self else {
            return false;
        };
        errnos.iter().any(|errno| errno.raw_os_error() == code)
    }
}

fn os_error(code: i32) -> io::Error {
    io::Error::from_raw_os_error(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_call_or_the_reply() {
        let refused = DiagError::of_call("connect")(Errno::ACCESS);
        assert_eq!(
            [refused, DiagError::ErrorReply { code: 2 }].map(|error| error.to_string()),
            [
                "connect on a NETLINK_SOCK_DIAG socket: Permission denied (os error 13)",
                "sock_diag request refused: No such file or directory (os error 2)",
            ]
        );
    }

    #[test]
    fn call_and_kernel_errors_can_mean_unavailable() {
        let failures = [
            DiagError::of_call("socket")(Errno::PROTONOSUPPORT),
            DiagError::ErrorReply { code: 2 },
            DiagError::of_call("recv")(Errno::NOBUFS),
            DiagError::Interrupted,
        ];
        assert_eq!(
            failures.map(DiagError::is_unavailable),
            [true, true, false, false]
        );
    }
}
