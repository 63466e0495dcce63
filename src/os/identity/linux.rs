//! `/proc/PID/stat`, as described in proc_pid_stat(5).

use super::Stat;
use crate::model::process::{Pid, StartTime};
use crate::model::text::SystemText;

/// `PF_KTHREAD` of the kernel's `sched.h`.
const KERNEL_THREAD: u64 = 0x0020_0000;

pub fn stat(pid: Pid) -> Option<Stat> {
    parse(&std::fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// The name stands in parentheses and may hold blanks and parentheses itself, so it ends at the last one.
fn parse(line: &[u8]) -> Option<Stat> {
    let open = line.iter().position(|byte| *byte == b'(')?;
    let close = line.iter().rposition(|byte| *byte == b')')?;
    let name = line.get(open + 1..close)?;
    let rest = std::str::from_utf8(line.get(close + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // Fields are numbered from 1 in the manual, and the third is the first one after the name.
    let field = |number: usize| fields.get(number - 3).copied();
    let parent: u32 = field(4)?.parse().ok()?;
    let flags: u64 = field(9)?.parse().ok()?;
    Some(Stat {
        start: StartTime(field(22)?.parse().ok()?),
        name: Some(SystemText::new(name)),
        parent: (parent != 0).then_some(Pid(parent)),
        state: field(3)?.chars().next(),
        terminal: terminal(field(7)?.parse().ok()?),
        is_kernel_thread: flags & KERNEL_THREAD != 0,
    })
}

/// The name of a terminal by its device number: `devices.txt` of the kernel, majors 4 and 136 to 143.
fn terminal(device: i32) -> Option<SystemText> {
    let device = device.cast_unsigned();
    let (major, minor) = (
        (device >> 8) & 0xfff,
        (device & 0xff) | ((device >> 12) & 0xfff00),
    );
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

    fn line(name: &str, terminal: u32, flags: u32) -> String {
        format!(
            "42 ({name}) S 7 42 42 {terminal} 42 {flags} 1 2 3 4 5 6 7 8 20 0 1 0 987654321 5000 6"
        )
    }

    #[test]
    fn a_name_may_hold_what_separates_the_fields() {
        let stat = parse(line("a) R 1 (b", 0, 0).as_bytes());
        assert_eq!(
            stat,
            Some(Stat {
                start: StartTime(987_654_321),
                name: Some("a) R 1 (b".into()),
                parent: Some(Pid(7)),
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
            assert_eq!(terminal(device), name.map(Into::into), "{device:#x}");
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
    fn a_line_that_was_cut_is_no_process() {
        assert_eq!(parse(b"42 (sh) S 7 42"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn a_pid_without_a_process_has_no_start() {
        let own = Pid(std::process::id());
        assert!(stat(own).is_some_and(|stat| stat.parent.is_some()));
        assert_eq!(stat(Pid(u32::MAX)), None);
    }
}
