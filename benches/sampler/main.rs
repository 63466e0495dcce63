//! Cost of a poll, compared with the bare dump and with other programs.
//!
//! `cargo bench --bench sampler` prints a table of CPU times and their ratios to a bare dump, which only counts the rows
//! that the kernel sends. The benchmark starts its own load: processes that hold loopback sockets and exit with it. It
//! must never touch a process or a socket that it did not start, leave anything running, or fail because of a bad figure.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main(&std::env::args().skip(1).collect::<Vec<_>>())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("This benchmark is for Linux.");
}
