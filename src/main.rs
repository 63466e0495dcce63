//! Words of the command line in, exit code out; everything else is the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(portmon::run(std::env::args_os()))
}
