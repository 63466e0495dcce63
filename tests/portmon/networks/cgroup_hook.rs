//! An eBPF program that redirects the connects of a control group (BPF_CGROUP_INET4_CONNECT of bpf(2)).
#![expect(unsafe_code, reason = "only the system call loads a program")]

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::PathBuf;
use std::process;

/// include/uapi/linux/bpf.h.
const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_LINK_CREATE: libc::c_int = 28;
const BPF_PROG_TYPE_CGROUP_SOCK_ADDR: u32 = 18;
const BPF_CGROUP_INET4_CONNECT: u32 = 10;

/// A control group of its own, whose connects to one port lead to another until this is dropped.
pub struct Redirect {
    directory: PathBuf,
    _link: OwnedFd,
}

impl Redirect {
    /// Fails where the kernel or its control groups do not allow it.
    pub fn new(from: u16, to: u16) -> io::Result<Self> {
        let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(PathBuf::from);
        let is_v2 = |root: &PathBuf| root.join("cgroup.controllers").exists();
        let root = roots.into_iter().find(is_v2);
        let root = root.ok_or_else(|| io::Error::other("no control groups (cgroup2)"))?;
        let directory = root.join(format!("portmon-test-{}", process::id()));
        fs::create_dir(&directory)?;
        let link = File::open(&directory).and_then(|group| attach(from, to, &group));
        match link {
            Ok(link) => Ok(Self {
                directory,
                _link: link,
            }),
            Err(error) => {
                fs::remove_dir(&directory)?;
                Err(error)
            }
        }
    }

    /// The file that takes the pid of a process of the group.
    pub fn processes(&self) -> String {
        self.directory.join("cgroup.procs").display().to_string()
    }
}

impl Drop for Redirect {
    fn drop(&mut self) {
        // It is empty once its processes have ended, and the test has waited for them.
        fs::remove_dir(&self.directory).ok();
    }
}

/// `struct bpf_insn`: operation, destination and source, offset, immediate value.
fn instruction(operation: u8, registers: u8, offset: i16, value: i32) -> [u8; 8] {
    let ([o0, o1], [v0, v1, v2, v3]) = (offset.to_ne_bytes(), value.to_ne_bytes());
    [operation, registers, o0, o1, v0, v1, v2, v3]
}

fn attach(from: u16, to: u16, group: &File) -> io::Result<OwnedFd> {
    let port = |port: u16| i32::from(port.to_be());
    // r1 is a `struct bpf_sock_addr`, whose `user_port` is at 24.
    let program = [
        instruction(0x61, 0x12, 24, 0),
        instruction(0x55, 0x02, 2, port(from)),
        instruction(0xb7, 0x02, 0, port(to)),
        instruction(0x63, 0x21, 24, 0),
        instruction(0xb7, 0x00, 0, 1),
        instruction(0x95, 0x00, 0, 0),
    ]
    .concat();
    let count = u32::try_from(program.len() / 8).expect("a few");
    let license = *b"GPL\0";
    let mut attributes = Vec::new();
    attributes.extend(BPF_PROG_TYPE_CGROUP_SOCK_ADDR.to_ne_bytes());
    attributes.extend(count.to_ne_bytes());
    attributes.extend((program.as_ptr() as u64).to_ne_bytes());
    attributes.extend((license.as_ptr() as u64).to_ne_bytes());
    // No log, version, flags, name and device.
    attributes.extend([0; 24 + 16 + 4]);
    attributes.extend(BPF_CGROUP_INET4_CONNECT.to_ne_bytes());
    let program = bpf(BPF_PROG_LOAD, &attributes)?;
    let descriptor = |fd: RawFd| u32::try_from(fd).expect("a descriptor").to_ne_bytes();
    let attributes = [
        descriptor(program.as_raw_fd()),
        descriptor(group.as_raw_fd()),
        BPF_CGROUP_INET4_CONNECT.to_ne_bytes(),
        [0; 4],
    ]
    .concat();
    bpf(BPF_LINK_CREATE, &attributes)
}

fn bpf(command: libc::c_int, attributes: &[u8]) -> io::Result<OwnedFd> {
    // SAFETY: the attributes, and what they point to, outlive the call, which only reads them.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            attributes.as_ptr(),
            attributes.len(),
        )
    };
    let descriptor = RawFd::try_from(result).ok().filter(|fd| *fd >= 0);
    let descriptor = descriptor.ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the call returned a new descriptor, which nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}
