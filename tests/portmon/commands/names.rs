//! What a process is called: by its program, whatever it calls itself.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::helper_process::{ChildProcess, OwnerProcess, WAITS, listen, scratch};
use crate::harness::launch::run;

/// A listener that gives its main thread a name, and the program that it runs.
fn renamed(comm: &str) -> (OwnerProcess, String) {
    let holder = OwnerProcess::running(&format!("printf '{comm}' >/proc/$$/comm; {WAITS}"));
    let executable = fs::read_link(format!("/proc/{}/exe", holder.pid())).expect("a program");
    let name = executable.file_name().expect("a name").to_string_lossy();
    (holder, name.into_owned())
}

fn owner(holder: &OwnerProcess, filter: &str) -> Value {
    let printed = run(&["list", "--json", &holder.filter(), filter]);
    let printed: Value = serde_json::from_str(&printed.stdout).expect("JSON");
    let owner = printed.pointer("/endpoints/0/owners/0").cloned();
    owner.unwrap_or_else(|| panic!("no owner: {printed:#}"))
}

#[test]
fn a_renamed_main_thread_does_not_rename_the_program() {
    let (holder, program) = renamed("MainThread");
    for filter in [format!("proc:{program}"), "proc:MainThread".to_owned()] {
        let found = owner(&holder, &filter);
        let names = ["pid", "name", "comm"].map(|key| found.get(key));
        let expected = [json!(holder.pid()), json!(program), json!("MainThread")];
        assert_eq!(names, expected.each_ref().map(Some), "{filter}");
    }
    let port = holder.port.to_string();
    let preview = run(&["free", &port, "--dry-run"]).stdout;
    let both = format!("{program} {} (MainThread)", holder.pid());
    assert!(preview.contains(&both), "{preview}");
}

#[test]
fn a_process_without_a_name_is_named_by_its_program() {
    let (holder, program) = renamed(r"\000");
    let found = owner(&holder, &format!("pid:{}", holder.pid()));
    let names = ["name", "comm"].map(|key| found.get(key));
    assert_eq!(names, [&json!(program), &json!("")].map(Some));
    let port = holder.port.to_string();
    let preview = run(&["free", &port, "--dry-run"]).stdout;
    let process = format!("{program} {}", holder.pid());
    assert!(preview.contains(&process), "{preview}");
}

/// What `list` prints for a shell that is started with this first argument and those.
fn listed(first: &str, arguments: &[&str]) -> String {
    let directory = scratch("launchers");
    // The shell reads the file that its first argument names.
    if let Some(script) = arguments.first().filter(|word| !word.starts_with('-')) {
        fs::write(directory.join(script), WAITS).expect("a script");
    }
    let listener = listen("127.0.0.1:0");
    let port = listener.local_addr().expect("an address").port();
    let mut command = Command::new("/bin/sh");
    command.arg0(first).args(arguments).current_dir(directory);
    let _child = ChildProcess::start(command.stdin(OwnedFd::from(listener)));
    run(&["list", &format!("port:{port}")]).stdout
}

#[test]
fn what_runs_is_named_behind_options_and_subcommands() {
    let cases = [
        ("deno run -A main.ts", " main.ts "),
        ("tsx watch src/server.ts", " server.ts "),
        ("dotnet exec /app/Shop.dll", " Shop.dll "),
        (
            "kubectl port-forward svc/web 8080:80",
            " port-forward svc/web 8080:80 ",
        ),
    ];
    for (command, expected) in cases {
        let words: Vec<&str> = command.split(' ').collect();
        let (first, arguments) = words.split_first().expect("a program");
        let printed = listed(first, arguments);
        assert!(printed.contains(expected), "{command}: {printed}");
    }
}

#[test]
fn a_title_with_a_slash_is_shown_whole() {
    for title in [
        "puma 6.4.0 (tcp://localhost:3000) [shop]",
        "nginx: master process /usr/sbin/nginx",
    ] {
        let printed = listed(title, &["-c", WAITS]);
        assert!(printed.contains(&format!(" {title} ")), "{printed}");
    }
}
