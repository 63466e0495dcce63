//! The picture in the README: a developer's machine, played by shells under other names and drawn from portmon's screen.
//!
//!     cargo test --test portmon picture && cp target/tmp/portmon.svg assets/portmon.svg

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::display::Display;
use crate::harness::helper_process::{ChildProcess, scratch, shell_named};
use crate::harness::launch::{Launch, PORTMON};
use crate::harness::svg;
use crate::harness::terminal::Terminal;

const WAITS: &str = "echo\nread -r line <&1\n";

/// A program of the picture.
struct DemoProcess {
    /// `program script arguments`, the script below `directory`.
    command: &'static str,
    directory: &'static str,
    address: &'static str,
    /// Used if it is free, else another one.
    port: u16,
}

const THERE_BEFORE: [DemoProcess; 6] = [
    scene(
        "node node_modules/.bin/next dev",
        "code/shop",
        "0.0.0.0",
        3000,
    ),
    scene(
        "node node_modules/.bin/vite",
        "code/shop-admin",
        "127.0.0.1",
        5173,
    ),
    scene("postgres data", "code/shop-db", "127.0.0.1", 5432),
    scene("redis-server redis.conf", "code/shop-db", "127.0.0.1", 6379),
    scene("gunicorn api.wsgi", "code/api", "127.0.0.1", 8000),
    scene("python3 manage.py runserver", "code/api", "127.0.0.1", 8001),
];
const CLOSED_MEANWHILE: DemoProcess = scene(
    "node node_modules/.bin/jest",
    "code/shop",
    "127.0.0.1",
    9229,
);
const OPENED_MEANWHILE: [DemoProcess; 2] = [
    scene(
        "node node_modules/.bin/vite preview",
        "code/shop-pay",
        "127.0.0.1",
        5174,
    ),
    scene("python3 debugpy", "code/api", "127.0.0.1", 62893),
];

const fn scene(
    command: &'static str,
    directory: &'static str,
    address: &'static str,
    port: u16,
) -> DemoProcess {
    DemoProcess {
        command,
        directory,
        address,
        port,
    }
}

/// A running program of the picture.
struct RunningDemo {
    port: u16,
    _child: ChildProcess,
}

#[test]
fn picture_of_a_developers_machine() {
    let home = scratch("home");
    let before: Vec<RunningDemo> = THERE_BEFORE
        .iter()
        .map(|scene| play(scene, &home))
        .collect();
    let closing = play(&CLOSED_MEANWHILE, &home);
    let closed = closing.port;
    let clients = [
        visit(&home, "firefox", before.first()),
        visit(&home, "psql", before.get(2)),
    ];

    let terminal = Terminal::start(
        Launch::program(PORTMON, &["code/shop,code/api"])
            .environment(&[("HOME", home.to_str().expect("a path"))])
            .size(100, 24),
    );
    let expected: Vec<u16> = before
        .iter()
        .chain([&closing])
        .map(|actor| actor.port)
        .collect();
    terminal.wait_for("what was there before", |display| {
        shows_all(display, &expected)
    });

    drop(closing);
    terminal.wait_for("the closed one", |display| is_marked(display, closed, '-'));
    let after = OPENED_MEANWHILE.map(|scene| play(&scene, &home));
    let is_complete = |display: &Display| {
        // The rule of the connections comes last, so the frame is drawn to its end.
        shows_all(display, &expected)
            && display.contains("── connections 2")
            && after
                .iter()
                .all(|actor| is_marked(display, actor.port, '+'))
    };
    let display = terminal.wait_for("those that opened meanwhile", is_complete);
    assert!(display.contains("~/code/shop"), "{display}");
    drop(clients);

    let picture = svg::picture_of(&display);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("portmon.svg");
    fs::write(&file, &picture).expect("a file");
    let port = expected.first().map(u16::to_string).expect("a port");
    assert!(picture.contains(&port), "{picture}");
}

fn shows_all(display: &Display, ports: &[u16]) -> bool {
    ports.iter().all(|port| display.shows(*port))
}

fn is_marked(display: &Display, port: u16, mark: char) -> bool {
    display.row(port).is_some_and(|row| row.mark == Some(mark))
}

fn play(scene: &DemoProcess, home: &Path) -> RunningDemo {
    let listener = TcpListener::bind((scene.address, scene.port))
        .or_else(|_| TcpListener::bind((scene.address, 0)))
        .expect("a port");
    let port = listener.local_addr().expect("an address").port();
    RunningDemo {
        port,
        _child: run(scene.command, &home.join(scene.directory), listener.into()),
    }
}

/// A client of `server` that stays connected.
fn visit(home: &Path, name: &str, server: Option<&RunningDemo>) -> ChildProcess {
    let port = server.expect("a server").port;
    let connection = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    let command = format!("{name} start");
    run(&command, &home.join("code/shop"), connection.into())
}

/// Runs a script that waits, under the name and with the arguments of the real program.
fn run(command: &str, directory: &Path, socket: OwnedFd) -> ChildProcess {
    let mut words = command.split(' ');
    let (name, script) = (
        words.next().expect("a name"),
        words.next().expect("a script"),
    );
    let script = directory.join(script);
    fs::create_dir_all(script.parent().expect("a directory")).expect("a directory");
    fs::write(&script, WAITS).expect("a script");
    let mut command = Command::new(shell_below(directory, name));
    command
        .arg(script)
        .args(words)
        .current_dir(directory)
        .stdin(socket);
    ChildProcess::start(&mut command)
}

fn shell_below(directory: &Path, name: &str) -> PathBuf {
    let programs = directory.join(".bin");
    fs::create_dir_all(&programs).expect("a directory");
    shell_named(&programs, name)
}
