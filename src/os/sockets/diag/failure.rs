//! Why the kernel's answer is missing or not whole. It must never be taken for "there are no sockets".

use rustix::io::Errno;
use std::io;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("{call} on a socket of NETLINK_SOCK_DIAG: {}", words(*.code))]
    Call { call: &'static str, code: i32 },
    /// The error that the kernel answered a request with.
    #[error("the kernel answered: {}", words(*.code))]
    Answer { code: i32 },
    #[error("the kernel gave no answer in time")]
    Silent,
    #[error("the table changed while it was read")]
    Changed,
    #[error("the kernel lost a part of its answer")]
    Lost,
    #[error("a message is cut short")]
    Cut,
    #[error("a message of the unknown type {kind}")]
    Unknown { kind: u16 },
}

impl Failure {
    pub fn of_call(call: &'static str) -> impl Fn(Errno) -> Self {
        move |errno| Self::Call {
            call,
            code: errno.raw_os_error(),
        }
    }

    /// Whether this kernel, or what it lets this program do, has no such source, so that another one is needed.
    ///
    /// Sandboxes refuse the socket, security modules and kernels without `inet_diag` the request.
    pub fn is_refusal(self) -> bool {
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
    pub fn is_absence(self) -> bool {
        matches!(self, Self::Answer { .. }) && self.is_one_of(&[Errno::NOENT, Errno::STALE])
    }

    /// Whether the answer was heard to its end, so that nothing of it is left in the socket.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Answer { .. } | Self::Changed)
    }

    fn is_one_of(self, some: &[Errno]) -> bool {
        let (Self::Call { code, .. } | Self::Answer { code }) = self else {
            return false;
        };
        some.iter().any(|errno| errno.raw_os_error() == code)
    }
}

fn words(code: i32) -> io::Error {
    io::Error::from_raw_os_error(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_call_or_the_answer() {
        let refused = Failure::of_call("connect")(Errno::ACCESS);
        assert_eq!(
            [refused, Failure::Answer { code: 2 }].map(|failure| failure.to_string()),
            [
                "connect on a socket of NETLINK_SOCK_DIAG: Permission denied (os error 13)",
                "the kernel answered: No such file or directory (os error 2)",
            ]
        );
    }

    #[test]
    fn a_refusal_is_known_whether_a_call_or_the_kernel_says_it() {
        let failures = [
            Failure::of_call("socket")(Errno::PROTONOSUPPORT),
            Failure::Answer { code: 2 },
            Failure::of_call("recv")(Errno::NOBUFS),
            Failure::Changed,
        ];
        assert_eq!(
            failures.map(Failure::is_refusal),
            [true, true, false, false]
        );
    }
}
