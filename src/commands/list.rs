//! `portmon list`: one look, and its rows.

use super::{WRONG, demanded};
use crate::app::Setup;
use crate::cli::ListOptions;
use crate::os::eye::Eye;
use crate::os::machine;
use crate::os::sockets::{Demand, Extent};
use crate::report;
use crate::report::list::{Look, Order, Outcome};
use std::io;

/// The exit code of a list without rows.
const NOTHING: u8 = 1;

/// Prints what is there now; the exit code says whether there were rows.
pub fn run(options: &ListOptions) -> anyhow::Result<u8> {
    let setup = Setup::of(machine::facts());
    let (filter, hint) = demanded(&setup, &options.filter, options.all);
    let look = look(&setup, options, filter.query.needed_ports());
    let around = setup.surroundings(look.taken);
    let order = Order {
        filter,
        hint,
        as_json: options.json,
    };
    let (mut out, mut errors) = (io::BufWriter::new(io::stdout().lock()), io::stderr().lock());
    match report::list::print(look, order, &around, &mut out, &mut errors) {
        Ok(Outcome::Rows) => Ok(0),
        Ok(Outcome::Nothing) => Ok(NOTHING),
        Ok(Outcome::Unknown) => Ok(WRONG),
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// One look, at no more than the rows that can be asked for.
fn look(setup: &Setup, options: &ListOptions, ports: Option<Vec<u16>>) -> Look {
    let demand = Demand {
        extent: ports.map_or(Extent::Everything, Extent::Touching),
        with_bound: true,
    };
    let mut eye = Eye::new(setup.ephemeral, options.source, demand);
    let changes = eye.look();
    Look {
        taken: changes.taken,
        endpoints: eye.endpoints(),
        problems: changes.problems,
        pids_problem: setup.pids_problem.clone(),
    }
}
