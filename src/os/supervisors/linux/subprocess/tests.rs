use super::*;
use crate::os::supervisors::system::testing::TempDir;
use std::fs;

const LONG: Duration = Duration::from_secs(10);

fn output_of(script: &str, timeout: Duration) -> Option<String> {
    output(Path::new("/bin/sh"), &["-c", script], &[], timeout)
}

#[test]
fn the_output_of_a_failed_program_is_ignored() {
    assert_eq!(output_of("echo yes", LONG).as_deref(), Some("yes\n"));
    assert_eq!(output_of("echo yes; exit 1", LONG), None);
    assert_eq!(output_of("echo yes; kill -KILL $$", LONG), None);
    assert_eq!(output_of(r"printf '\377'", LONG), None);
    let missing = Path::new("/nonexistent/systemctl");
    assert_eq!(output(missing, &[], &[], LONG), None);
}

#[test]
fn a_program_without_an_absolute_path_is_not_run() {
    for name in ["true", "./true", "bin/true", "../bin/true", ""] {
        assert_eq!(output(Path::new(name), &[], &[], LONG), None, "{name:?}");
    }
}

#[test]
fn a_program_runs_in_the_root_with_the_given_variables_alone() {
    // The environment of the exec, before the shell adds its own variables.
    let script = r"pwd -P; tr '\0' '\n' < /proc/$$/environ";
    let given = [("GIVEN", PathBuf::from("/a b"))];
    let reported = output(Path::new("/bin/sh"), &["-c", script], &given, LONG).expect("an output");
    let mut lines: Vec<&str> = reported.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["/", "GIVEN=/a b", "LC_ALL=C"]);
}

#[test]
fn a_hanging_program_is_killed_at_the_timeout() {
    let directory = TempDir::new();
    let file = directory.path().join("pid");
    let scripts = [
        "exec sleep 60",
        "while :; do echo more; done",
        "exec >&-; exec sleep 60",
    ];
    for script in scripts {
        let script = format!("echo $$ > {}; {script}", file.display());
        assert_eq!(
            output_of(&script, Duration::from_millis(500)),
            None,
            "{script}"
        );
        let pid = fs::read_to_string(&file).expect("it ran");
        let process = Path::new("/proc").join(pid.trim());
        assert!(!process.exists(), "{script}");
    }
}

#[test]
fn output_over_the_limit_is_discarded() {
    let blocks = MAX_BYTES / 1024;
    let script = |blocks| format!("head -c {blocks}k /dev/zero");
    let length = |script: &str| output_of(script, LONG).map(|output| output.len() / 1024);
    assert_eq!(length(&script(blocks - 1)), Some(1023));
    assert_eq!(length(&script(blocks)), None);
}

#[test]
fn a_program_has_the_usual_limit_of_descriptors() {
    descriptors::raise_limit();
    let limit = output_of("ulimit -Sn", LONG).expect("an output");
    let limit: u64 = limit.trim().parse().expect("a number");
    assert!(limit <= 1024, "{limit}");
}
