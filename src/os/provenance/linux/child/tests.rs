use super::*;
use crate::os::provenance::linux::testing::Directory;
use std::fs;

const LONG: Duration = Duration::from_secs(10);

fn said(script: &str, within: Duration) -> Option<String> {
    output(Path::new("/bin/sh"), &["-c", script], &[], within)
}

#[test]
fn only_a_program_that_succeeds_has_said_anything() {
    assert_eq!(said("echo yes", LONG).as_deref(), Some("yes\n"));
    assert_eq!(said("echo yes; exit 1", LONG), None);
    assert_eq!(said("echo yes; kill -KILL $$", LONG), None);
    assert_eq!(said(r"printf '\377'", LONG), None);
    let missing = Path::new("/nonexistent/systemctl");
    assert_eq!(output(missing, &[], &[], LONG), None);
}

#[test]
fn a_program_is_never_looked_for() {
    for name in ["true", "./true", "bin/true", "../bin/true", ""] {
        assert_eq!(output(Path::new(name), &[], &[], LONG), None, "{name:?}");
    }
}

#[test]
fn a_program_runs_in_the_root_with_the_given_variables_alone() {
    // What the kernel gave it, before the shell adds its own.
    let script = r"pwd -P; tr '\0' '\n' < /proc/$$/environ";
    let given = [("GIVEN", PathBuf::from("/a b"))];
    let told = output(Path::new("/bin/sh"), &["-c", script], &given, LONG).expect("an output");
    let mut lines: Vec<&str> = told.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["/", "GIVEN=/a b", "LC_ALL=C"]);
}

#[test]
fn a_program_that_does_not_end_is_not_waited_for_and_does_not_live_on() {
    let directory = Directory::new();
    let file = directory.path().join("pid");
    let scripts = [
        "exec sleep 60",
        "while :; do echo more; done",
        "exec >&-; exec sleep 60",
    ];
    for script in scripts {
        let script = format!("echo $$ > {}; {script}", file.display());
        assert_eq!(said(&script, Duration::from_millis(500)), None, "{script}");
        let pid = fs::read_to_string(&file).expect("it ran");
        let process = Path::new("/proc").join(pid.trim());
        assert!(!process.exists(), "{script}");
    }
}

#[test]
fn more_than_the_limit_is_nothing_said() {
    let blocks = LIMIT / 1024;
    let script = |blocks| format!("head -c {blocks}k /dev/zero");
    let length = |script: &str| said(script, LONG).map(|output| output.len());
    assert_eq!(length(&script(blocks - 1)), Some(LIMIT - 1024));
    assert_eq!(length(&script(blocks)), None);
}
