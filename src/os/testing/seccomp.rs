//! System calls that fail on one thread, as a seccomp filter of a container or a sandbox makes them fail (seccomp(2)).

use crate::os::testing::requirements::skipped;
use std::mem::offset_of;
use std::thread;

/// A system call that fails.
#[derive(Clone, Copy)]
pub struct FailingCall {
    call: libc::c_long,
    /// Only with this first argument.
    argument: Option<libc::c_int>,
    errno: libc::c_int,
}

impl FailingCall {
    /// No netlink socket can be opened (EPERM).
    pub const NETLINK: Self = Self {
        call: libc::SYS_socket,
        argument: Some(libc::AF_NETLINK),
        errno: libc::EPERM,
    };

    /// Every bind(2) fails with this error.
    pub const fn of_bind(errno: libc::c_int) -> Self {
        Self {
            call: libc::SYS_bind,
            argument: None,
            errno,
        }
    }
}

/// Runs `act` on a thread of its own on which this call fails; `None` where the machine has no filters.
#[track_caller]
pub fn refusing<T: Send>(failing: FailingCall, act: impl FnOnce() -> T + Send) -> Option<T> {
    let outcome = thread::scope(|scope| {
        let thread = scope.spawn(|| install(failing).then(act));
        thread.join().expect("the thread ends")
    });
    if outcome.is_none() {
        skipped("seccomp filters cannot be set");
    }
    outcome
}

/// Sets the filter for this thread alone; it ends with the thread.
#[expect(unsafe_code, reason = "no safe binding for prctl(PR_SET_SECCOMP)")]
fn install(failing: FailingCall) -> bool {
    let instructions = instructions(failing);
    let program = libc::sock_fprog {
        len: u16::try_from(instructions.len()).expect("a short program"),
        filter: instructions.as_ptr().cast_mut(),
    };
    // SAFETY: the program and its instructions outlive the calls, which copy them.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(
                libc::PR_SET_SECCOMP,
                libc::SECCOMP_MODE_FILTER,
                &raw const program,
            ) == 0
    }
}

fn instructions(failing: FailingCall) -> Vec<libc::sock_filter> {
    let (load, equals, give) = (
        libc::BPF_LD | libc::BPF_W | libc::BPF_ABS,
        libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
        libc::BPF_RET | libc::BPF_K,
    );
    let of = |code: u32, value: u32, otherwise: u8| libc::sock_filter {
        code: u16::try_from(code).expect("an operation"),
        jt: 0,
        jf: otherwise,
        k: value,
    };
    let offset = |bytes: usize| u32::try_from(bytes).expect("an offset");
    let call = u32::try_from(failing.call).expect("a number");
    let errno = libc::SECCOMP_RET_ERRNO | failing.errno.cast_unsigned();
    let number = offset(offset_of!(libc::seccomp_data, nr));
    // The lower half of the first argument, on a little-endian machine.
    let first = offset(offset_of!(libc::seccomp_data, args));
    let argument = failing.argument.map(libc::c_int::cast_unsigned);
    let to_allow = if argument.is_some() { 3 } else { 1 };
    let mut program = vec![of(load, number, 0), of(equals, call, to_allow)];
    if let Some(argument) = argument {
        program.extend([of(load, first, 0), of(equals, argument, 1)]);
    }
    program.extend([of(give, errno, 0), of(give, libc::SECCOMP_RET_ALLOW, 0)]);
    program
}
