//! Finds what holds the ports and plans what to do about it.

use super::Prepared;
use super::arguments::FreeArgs;
use crate::free::{Explanation, FreeContext, FreeReport, PortPlan, Refusal, plan_port};
use crate::model::environment::Environment;
use crate::model::port::PortSpec;
use crate::model::process::Supervisor;
use crate::model::snapshot::Problem;
use crate::model::socket::{Endpoint, Protocol, SocketSource};
use crate::os::poller::SocketPoller;
use crate::os::processes::{Processes, process_trees};
use crate::os::sockets::{DumpScope, held_tcp_ports};
use crate::os::supervisors::SupervisorLookup;
use crate::os::{bind_probe, now};

/// Polls every socket, since the preview names what else closes.
pub fn poll(environment: &Environment, options: &FreeArgs) -> Result<Vec<Endpoint>, Problem> {
    let request = DumpScope::All.with_bound();
    let mut poller = SocketPoller::new(environment.ephemeral, options.source, request);
    let problems = poller.poll().problems;
    let concerns = |problem: &Problem| {
        let mut targets = options.targets.iter();
        targets.any(|target| target.protocol == problem.protocol)
    };
    match problems.into_iter().find(concerns) {
        Some(problem) => Err(problem),
        None => Ok(poller.endpoints()),
    }
}

/// Returns a plan for each port, or the report why there is none.
pub fn prepare(
    port_specs: &[PortSpec],
    table: &[Endpoint],
    environment: &Environment,
    options: &FreeArgs,
) -> Vec<Prepared> {
    let context = FreeContext::new(environment, now());
    let endpoints: Vec<&Endpoint> = table.iter().collect();
    let mut processes = Processes::default();
    let prepare_port = |&spec: &PortSpec| {
        let planned = plan_port(spec, &endpoints, &context);
        let plan = PortPlan {
            spec,
            kill_plan: planned
                .ok_or_else(|| unowned(spec, table, options.source))?
                .map_err(|explanation| explained(spec, explanation))?,
            targets: options.target_set(),
            signal: options.signal,
        };
        inspected(plan, &mut processes)
    };
    port_specs.iter().map(prepare_port).collect()
}

/// Reports on a port that no process holds, by a bind.
pub fn unowned(
    spec: PortSpec,
    table: &[Endpoint],
    source: Option<SocketSource>,
) -> Box<FreeReport> {
    let binds = bind_probe::probe_port(spec, source);
    Box::new(FreeReport::unowned(spec, table, &binds, now().instant))
}

fn explained(spec: PortSpec, mut explanation: Box<Explanation>) -> Box<FreeReport> {
    explanation.add_supervisors(&supervisors_of(&explanation));
    // Only TCP ports are found to be unused.
    let near = explanation.unused_near();
    let near = near.filter(|_| spec.protocol == Protocol::Tcp);
    let unused = near.and_then(|near| {
        let held = held_tcp_ports();
        bind_probe::unused_after(near, |port| held.contains(&port))
    });
    Box::new(FreeReport::explained(spec, explanation, unused))
}

/// Returns the supervisors of a port whose owners are hidden or protected.
fn supervisors_of(explanation: &Explanation) -> Vec<Supervisor> {
    let port = explanation.supervised_port();
    if explanation.owners().is_empty() {
        let of_port = |port| SupervisorLookup::begin().of_port(port);
        return port.map(of_port).into_iter().collect();
    }
    let ids = explanation.process_ids();
    let trees = process_trees(&mut Processes::default(), &ids, |_| port);
    trees.into_iter().map(|tree| tree.supervisor).collect()
}

/// Inspects the owners, whose supervisors may prevent a plan and whose groups may be the targets.
fn inspected(mut plan: PortPlan, processes: &mut Processes) -> Prepared {
    let owners = plan.kill_plan.process_ids();
    let port = plan.kill_plan.port;
    let trees = process_trees(processes, &owners, |_| Some(port));
    plan.kill_plan.describe(&processes.describe_known(&owners));
    plan.kill_plan.add_trees(&trees);
    let report = if let Some(explanation) = plan.kill_plan.blocked_by_supervisor() {
        FreeReport::explained(plan.spec, Box::new(explanation), None)
    } else if plan.processes().is_empty() {
        plan.refused(Refusal::NoGroup)
    } else {
        return Ok(Box::new(plan));
    };
    Err(Box::new(report))
}
