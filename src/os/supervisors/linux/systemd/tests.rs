use super::*;
use crate::os::supervisors::system::testing::{TempDir, system_unit};
use std::os::unix::fs::symlink;

const SSH: Port = Port {
    protocol: Protocol::Tcp,
    number: 22,
};

fn completed(name: &str, script: &str) -> Unit {
    let directory = TempDir::new();
    let mut unit = system_unit(name);
    Systemctl::fake(&directory, script).complete(&mut unit);
    unit
}

#[test]
fn a_service_gets_its_details_from_systemd() {
    let script = "cat <<'END'\n\
                  MainPID=4242\nRestart=always\nLoadState=loaded\nId=shop.service\n\
                  TriggeredBy=shop.timer shop.socket shop-admin.socket\nEND";
    let mut expected = system_unit("shop.service");
    expected.main = Some(Pid(4242));
    expected.restart = Some("always".to_owned());
    expected.triggered_by = vec!["shop.socket".into(), "shop-admin.socket".into()];
    assert_eq!(completed("shop.service", script), expected);
}

#[test]
fn output_about_another_unit_is_ignored() {
    let cases = [
        "echo Id=shop.service; echo LoadState=not-found; echo MainPID=0; echo Restart=no",
        "echo Id=other.service; echo LoadState=loaded; echo MainPID=7; echo Restart=no",
        "echo Id=shop.service; echo LoadState=loaded; echo Restart=no; exit 1",
        "echo garbage; echo =; echo",
        "exit 0",
    ];
    for script in cases {
        let expected = system_unit("shop.service");
        assert_eq!(completed("shop.service", script), expected, "{script}");
    }
}

#[test]
fn a_systemctl_that_does_not_answer_is_ignored() {
    let directory = TempDir::new();
    let mut hasty = Systemctl::fake(&directory, "exec sleep 60");
    hasty.timeout = Duration::from_millis(50);
    let mut unit = system_unit("shop.service");
    hasty.complete(&mut unit);
    assert_eq!(unit, system_unit("shop.service"));
}

#[test]
fn a_service_without_a_main_process_has_none() {
    let script = "echo Id=x.service; echo LoadState=loaded; echo MainPID=0; echo Restart=; echo TriggeredBy=";
    let expected = system_unit("x.service");
    assert_eq!(completed("x.service", script), expected);
}

#[test]
fn a_unit_is_queried_by_name_only() {
    let directory = TempDir::new();
    let asked = directory.path().join("asked");
    let script = format!("printf '%s\\n' \"$@\" > {}", asked.display());
    let name = r"my\x2dapp@1.service";
    let mut unit = system_unit(name);
    Systemctl::fake(&directory, &script).complete(&mut unit);
    let words = fs::read_to_string(&asked).expect("it was asked");
    let expected = format!(
        "show\n--no-pager\n--property=Id,LoadState,MainPID,Restart,TriggeredBy\n--\n{name}\n"
    );
    assert_eq!(words, expected);
}

#[test]
fn a_unit_name_that_systemctl_reads_as_a_glob_is_not_queried() {
    let directory = TempDir::new();
    let asked = directory.path().join("asked");
    let script = format!("echo asked > {}", asked.display());
    let fake = Systemctl::fake(&directory, &script);
    let names = [
        "*.service",
        "?.service",
        "[s]hop.service",
        "/shop.service",
        "-shop.service",
        "--host=evil.service",
        "two words.service",
        "\n.service",
    ];
    for name in names {
        fake.complete(&mut system_unit(name));
        assert!(!asked.exists(), "{name:?}");
    }
    fake.complete(&mut system_unit("shop.service"));
    assert!(asked.exists());
}

#[test]
fn the_first_systemctl_that_exists_is_run() {
    let [none, first, second] = [(); 3].map(|()| TempDir::new());
    let says = |name: &str| {
        format!("echo Id={name}.socket; echo ActiveState=active; echo 'Listen=[::]:22 (Stream)'")
    };
    let programs = vec![
        none.path().join("none"),
        first.program("systemctl", &says("first")),
        second.program("systemctl", &says("second")),
    ];
    let systemctl = Systemctl {
        programs,
        ..Systemctl::fake(&none, "exit 1")
    };
    let expected = system_unit("first.socket");
    assert_eq!(systemctl.socket_on(SSH, Manager::System), Some(expected));
}

#[test]
fn systemctl_is_run_only_from_directories_of_root() {
    let installed = Systemctl::installed();
    let expected = ["/usr/bin/systemctl", "/bin/systemctl"].map(PathBuf::from);
    assert_eq!(installed.programs, expected);
    assert_eq!(installed.runtime, Path::new("/run/user"));
}

#[test]
fn the_manager_of_the_user_is_found_by_uid_only() {
    let directory = TempDir::new();
    let asked = directory.path().join("asked");
    let script = format!("tr '\\0' '\\n' < /proc/$$/environ > {}", asked.display());
    let fake = Systemctl::fake(&directory, &script);
    let own = directory
        .path()
        .join(rustix::process::geteuid().as_raw().to_string());
    let mut unit = Unit::new("shop.service".into(), Manager::User);
    fake.complete(&mut unit);
    assert!(!asked.exists(), "there is no manager");
    symlink("/tmp", &own).expect("a link");
    fake.complete(&mut unit);
    assert!(!asked.exists(), "a link may lead anywhere");
    fs::remove_file(&own).expect("the link is no longer needed");
    fs::create_dir(&own).expect("a directory");
    fake.complete(&mut unit);
    let variables = fs::read_to_string(&asked).expect("it was asked");
    let mut variables: Vec<&str> = variables.lines().collect();
    variables.sort_unstable();
    assert_eq!(
        variables,
        ["LC_ALL=C", &format!("XDG_RUNTIME_DIR={}", own.display())]
    );
}

#[test]
fn the_manager_of_another_user_is_not_queried() {
    let directory = TempDir::new();
    let script = "echo Id=x.service; echo LoadState=loaded; echo Restart=always";
    let mut unit = Unit::new("x.service".into(), Manager::OtherUser(4_000_000));
    Systemctl::fake(&directory, script).complete(&mut unit);
    assert_eq!(unit.restart, None);
}

#[test]
fn socket_units_on_a_port_name_what_they_start() {
    let directory = TempDir::new();
    let fake = Systemctl::fake(
        &directory,
        "cat <<'END'\n\
         Id=ssh.socket\nListen=0.0.0.0:22 (Stream)\nListen=[::]:22 (Stream)\nTriggers=ssh.service\nActiveState=active\n\n\
         Listen=[::]:22 (Stream)\nId=old.socket\nActiveState=inactive\n\n\
         Id=dns.socket\nListen=127.0.0.1:22 (Datagram)\nListen=[::1]:53 (Datagram)\nActiveState=active\nTriggers=\n\n\
         Id=dbus.socket\nListen=/run/dbus:22 (Stream)\nActiveState=active\nEND",
    );
    let mut ssh = system_unit("ssh.socket");
    ssh.triggers = vec!["ssh.service".into()];
    let dns = system_unit("dns.socket");
    let on = |number, protocol| fake.socket_on(Port { protocol, number }, Manager::System);
    assert_eq!(on(22, Protocol::Tcp), Some(ssh));
    assert_eq!(on(53, Protocol::Udp), Some(dns));
    assert_eq!(on(53, Protocol::Tcp), None);
}

#[test]
fn a_listen_line_is_an_address_a_port_and_a_type() {
    let cases = [
        ("[::]:22 (Stream)", true),
        ("127.0.0.1:22 (Stream)", true),
        ("[fe80::1]:22%eth0 (Stream)", true),
        ("[::]:22 (Datagram)", false),
        ("[::]:2 (Stream)", false),
        ("/run/x:22 (Stream)", false),
        ("@x:22 (Stream)", false),
        ("vsock:2:22 (Stream)", false),
        ("[::]:22", false),
        ("", false),
    ];
    for (place, expected) in cases {
        assert_eq!(listens_on(place, SSH), expected, "{place}");
    }
}
