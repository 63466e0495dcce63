//! Why the kernel's answer is missing or not whole. It must never be taken for "there are no sockets".

use rustix::io::Errno;
use std::io;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiagError {
    #[error("{call} on a socket of NETLINK_SOCK_DIAG: {}", os_error(*.code))]
    Call { call: &'static str, code: i32 },
    /// The error that the kernel answered a request with.
    #[error("the kernel answered: {}", os_error(*.code))]
    ErrorReply { code: i32 },
    #[error("the kernel gave no answer in time")]
    TimedOut,
    #[error("the table changed while it was read")]
    Interrupted,
    #[error("the kernel lost a part of its answer")]
    Overrun,
    #[error("a message is cut short")]
    Truncated,
    #[error("a message of the unknown type {kind}")]
    UnknownMessage { kind: u16 },
}

impl DiagError {
    pub fn of_call(call: &'static str) -> impl Fn(Errno) -> Self {
        move |errno| Self::Call {
            call,
            code: errno.raw_os_error(),
        }
    }

    /// Whether this kernel, or what it lets this program do, has no such source, so that another one is needed.
    ///
    /// Sandboxes refuse the socket, security modules and kernels without `inet_diag` the request.
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

    /// Whether an exact look-up found nothing: UDP says of a cookie of another socket ESTALE (`udp_diag_dump_one` in
    /// net/ipv4/udp_diag.c), TCP says ENOENT (`inet_diag_find_one_icsk` in net/ipv4/inet_diag.c).
    pub fn is_not_found(self) -> bool {
        matches!(self, Self::ErrorReply { .. }) && self.is_one_of(&[Errno::NOENT, Errno::STALE])
    }

    /// Whether the answer was heard to its end, so that nothing of it is left in the socket.
    pub fn is_reply_complete(self) -> bool {
        matches!(self, Self::ErrorReply { .. } | Self::Interrupted)
    }

    fn is_one_of(self, some: &[Errno]) -> bool {
        let (Self::Call { code, .. } | Self::ErrorReply { code }) = self else {
            return false;
        };
        some.iter().any(|errno| errno.raw_os_error() == code)
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
                "connect on a socket of NETLINK_SOCK_DIAG: Permission denied (os error 13)",
                "the kernel answered: No such file or directory (os error 2)",
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
