//! What a look at the sockets costs, beside what the kernel and other programs take for the same.
//!
//! `cargo bench --bench sampler` prints one table of CPU times as ratios to a bare dump, in which nobody does more than
//! to count what the kernel sends. It builds its own load: processes that hold loopback sockets and end with it. It must
//! never touch a process or a socket that it did not start, leave anything running, or fail because a figure is bad.

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
