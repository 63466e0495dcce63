//! `/proc/PID/stat` (proc_pid_stat(5)).

use super::ProcessStat;
use crate::model::process::{Pid, StartTime};
use crate::model::text::SystemText;
use rustix::fs::{CWD, Mode, OFlags, openat};
use std::os::fd::AsFd;
use std::str::FromStr;

/// `PF_KTHREAD` of the kernel's `sched.h`.
const KERNEL_THREAD: u64 = 0x0020_0000;

pub fn read(pid: Pid) -> Option<ProcessStat> {
    let mut buffer = StatLine::EMPTY_BUFFER;
    StatLine::of(pid, &mut buffer)?.stat()
}

/// The line of a process, its fields numbered as in the manual page.
pub struct StatLine<'l> {
    pub name: &'l [u8],
    /// The fields after the name, from the third.
    fields: Vec<&'l str>,
}

impl<'l> StatLine<'l> {
    /// A buffer larger than any line: 52 numbers of at most 20 digits and a name. One read returns it all.
    pub const EMPTY_BUFFER: [u8; 2048] = [0; 2048];

    pub fn of(pid: Pid, buffer: &'l mut [u8]) -> Option<Self> {
        Self::read(CWD, &format!("/proc/{pid}/stat"), buffer)
    }

    /// Reads the file at a path relative to a directory.
    pub fn read(from: impl AsFd, path: &str, buffer: &'l mut [u8]) -> Option<Self> {
        let file = openat(from, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let length = rustix::io::read(file, &mut *buffer).ok()?;
        Self::parse(buffer.get(..length)?)
    }

    /// The name is in parentheses and may contain blanks and parentheses, so it ends at the last one.
    pub fn parse(line: &'l [u8]) -> Option<Self> {
        let open = line.iter().position(|byte| *byte == b'(')?;
        let close = line.iter().rposition(|byte| *byte == b')')?;
        let rest = std::str::from_utf8(line.get(close + 1..)?).ok()?;
        Some(Self {
            name: line.get(open + 1..close)?,
            fields: rest.split_ascii_whitespace().collect(),
        })
    }

    /// Returns a field by its number, at least 3.
    pub fn field(&self, number: usize) -> Option<&'l str> {
        self.fields.get(number.checked_sub(3)?).copied()
    }

    /// Returns a numeric field.
    pub fn number<N: FromStr>(&self, number: usize) -> Option<N> {
        self.field(number)?.parse().ok()
    }

    /// True if all these flags are set (`PF_*` of the kernel's `sched.h`).
    pub fn has_flag(&self, flag: u64) -> bool {
        self.number(9)
            .is_some_and(|flags: u64| flags & flag == flag)
    }

    pub fn start(&self) -> Option<StartTime> {
        self.number(22).map(StartTime)
    }

    /// True if the first thread has exited and others run on (pthread_exit(3) in `main`).
    pub fn has_lost_first_thread(&self) -> bool {
        let threads: u32 = self.number(20).unwrap_or_default();
        self.field(3) == Some("Z") && threads > 1
    }

    pub fn stat(&self) -> Option<ProcessStat> {
        // 0 means none, as for the first process and kernel threads.
        let pid = |number| Some(Some(Pid(self.number(number)?)).filter(|pid| pid.0 != 0));
        Some(ProcessStat {
            start: self.start()?,
            name: Some(SystemText::new(self.name)),
            parent: pid(4)?,
            group: pid(5)?,
            session: pid(6)?,
            state: self.field(3)?.chars().next(),
            terminal: terminal_name(self.number(7)?),
            is_kernel_thread: self.has_flag(KERNEL_THREAD),
        })
    }
}

/// Returns the name of a terminal by its device number (majors 4 and 136 to 143 in the kernel's `devices.txt`).
fn terminal_name(device: i32) -> Option<SystemText> {
    let device = device.cast_unsigned();
    let major = (device >> 8) & 0xfff;
    let minor = (device & 0xff) | ((device >> 12) & 0xfff00);
    let name = match (major, minor) {
        (4, 0..=63) => format!("tty{minor}"),
        (4, _) => format!("ttyS{}", minor - 64),
        (136..=143, _) => format!("pts/{}", (major - 136) * 256 + minor),
        _ => return None,
    };
    Some(name.as_str().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[u8]) -> Option<ProcessStat> {
        StatLine::parse(line)?.stat()
    }

    fn line(name: &str, terminal: u32, flags: u32) -> String {
        format!(
            "42 ({name}) S 7 41 40 {terminal} 42 {flags} 1 2 3 4 5 6 7 8 20 0 1 0 987654321 5000 6"
        )
    }

    #[test]
    fn a_name_may_contain_field_separators() {
        let stat = parse(line("a) R 1 (b", 0, 0).as_bytes());
        assert_eq!(
            stat,
            Some(ProcessStat {
                start: StartTime(987_654_321),
                name: Some("a) R 1 (b".into()),
                parent: Some(Pid(7)),
                group: Some(Pid(41)),
                session: Some(Pid(40)),
                state: Some('S'),
                terminal: None,
                is_kernel_thread: false,
            })
        );
    }

    #[test]
    fn terminals_are_named_by_their_device_numbers() {
        let cases = [
            (0, None),
            (0x8804, Some("pts/4")),
            (0x8901, Some("pts/257")),
            (0x0010_882c, Some("pts/300")),
            (0x0401, Some("tty1")),
            (0x0441, Some("ttyS1")),
            (0x0501, None),
        ];
        for (device, name) in cases {
            assert_eq!(terminal_name(device), name.map(Into::into), "{device:#x}");
        }
    }

    #[test]
    fn kernel_threads_are_known_by_their_flag() {
        let is_kernel_thread = [0x0020_8040, 0x0040_0100].map(|flags| {
            parse(line("kworker/0:1", 0, flags).as_bytes()).map(|stat| stat.is_kernel_thread)
        });
        assert_eq!(is_kernel_thread, [Some(true), Some(false)]);
    }

    #[test]
    fn a_truncated_line_is_no_process() {
        assert_eq!(parse(b"42 (sh) S 7 42"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn a_pid_without_a_process_has_no_stat() {
        let own = Pid(std::process::id());
        assert!(read(own).is_some_and(|stat| stat.parent.is_some()));
        assert_eq!(read(Pid(u32::MAX)), None);
    }
}
