//! Finds what holds the ports and plans what to do about it.

use super::Prepared;
use super::arguments::FreeArgs;
use super::confirmation::can_ask;
use crate::free::{
    Conclusion, Explanation, FreeContext, FreeReport, KillPlan, PortPlan, Refusal, TargetChoice,
    TargetSet, plan_port,
};
use crate::model::environment::Environment;
use crate::model::port::PortSpec;
use crate::model::process::{ProcessId, Supervisor};
use crate::model::snapshot::Problem;
use crate::model::socket::{Endpoint, Protocol, SocketSource};
use crate::os::poller::SocketPoller;
use crate::os::processes::{Processes, process_trees};
use crate::os::sockets::{DumpScope, held_tcp_ports};
use crate::os::supervisors::SupervisorLookup;
use crate::os::{bind_probe, candidates, now};
use std::collections::BTreeSet;

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
    let prepare_port = |&spec: &PortSpec| {
        let prepared = prepare_port(spec, table, environment, options);
        match &prepared {
            Err(report) if report.is_held_unseen() => {}
            _ => return prepared,
        }
        // A socket that opened between the poll and the bind is in the next poll.
        match poll(environment, options) {
            Ok(table) => prepare_port(spec, &table, environment, options),
            Err(_) => prepared,
        }
    };
    port_specs.iter().map(prepare_port).collect()
}

fn prepare_port(
    spec: PortSpec,
    table: &[Endpoint],
    environment: &Environment,
    options: &FreeArgs,
) -> Prepared {
    let context = FreeContext::new(environment, now());
    let endpoints: Vec<&Endpoint> = table.iter().collect();
    let mut processes = Processes::default();
    let planned = plan_port(spec, &endpoints, &context)
        .ok_or_else(|| unowned(spec, table, options.source))?
        .or_else(|explanation| {
            let left_over = left_over(&explanation, &mut processes);
            let context = FreeContext {
                left_over: &left_over,
                ..context.clone()
            };
            let again = plan_port(spec, &endpoints, &context);
            again.unwrap_or(Err(explanation))
        });
    let plan = PortPlan {
        spec,
        kill_plan: planned.or_else(|explanation| {
            plan_candidates(spec, explanation, &endpoints, environment, options)
        })?,
        choice: options.target_choice(),
        targets: TargetSet::Topmost,
        signal: options.signal,
    };
    inspected(plan, &mut processes)
}

/// Returns the protected owners that their engine has left over.
fn left_over(explanation: &Explanation, processes: &mut Processes) -> Vec<ProcessId> {
    if !explanation.has_port_proxy() {
        return Vec::new();
    }
    let port = explanation.supervised_port();
    let trees = process_trees(processes, &explanation.process_ids(), |_| port);
    explanation.left_over(&trees)
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

/// Plans to stop a candidate where the owner is hidden, if a person can be asked for its pid; otherwise reports who it probably
/// is.
fn plan_candidates(
    spec: PortSpec,
    mut explanation: Box<Explanation>,
    table: &[&Endpoint],
    environment: &Environment,
    options: &FreeArgs,
) -> Result<KillPlan, Box<FreeReport>> {
    let mut processes = Processes::default();
    let found = candidates::find(explanation.unowned(), &mut processes);
    if found.is_empty() {
        return Err(explained(spec, explanation));
    }
    let of = found.iter().flat_map(|one| &one.processes);
    let of: BTreeSet<ProcessId> = of.map(|process| process.id).collect();
    let of: Vec<ProcessId> = of.into_iter().collect();
    let trees = process_trees(&mut processes, &of, |_| Some(explanation.port));
    let plan = KillPlan::of_candidates(&explanation, &found, &trees, table, environment);
    explanation.add_candidates(&found, &environment.self_pids);
    let proved = trees.into_iter().filter(|tree| {
        let mut found = found.iter();
        found.any(|one| one.proves_supervisor_of(tree.process))
    });
    let proved: Vec<Supervisor> = proved.map(|tree| tree.supervisor).collect();
    explanation.add_supervisors(&proved);
    match plan {
        None => Err(explained(spec, explanation)),
        Some(plan) if can_ask(options) && options.target_choice() == TargetChoice::Topmost => {
            Ok(plan)
        }
        Some(plan) => {
            let targets = plan.targets(TargetSet::Topmost).into_iter();
            let conclusion = Conclusion::Unproved {
                candidates: targets.map(|target| target.process).collect(),
                unused: unused_near(spec, &explanation),
                explanation,
            };
            Err(Box::new(FreeReport::new(spec, conclusion, Vec::new())))
        }
    }
}

fn explained(spec: PortSpec, mut explanation: Box<Explanation>) -> Box<FreeReport> {
    explanation.add_supervisors(&supervisors_of(&explanation));
    let unused = unused_near(spec, &explanation);
    Box::new(FreeReport::explained(spec, explanation, unused))
}

/// Returns a port to take instead. Only TCP ports are found to be unused.
fn unused_near(spec: PortSpec, explanation: &Explanation) -> Option<u16> {
    let near = explanation.unused_near();
    let near = near.filter(|_| spec.protocol == Protocol::Tcp)?;
    let held = held_tcp_ports();
    bind_probe::unused_after(near, |port| held.contains(&port))
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
    } else if let Some(targets) = plan.choice.resolve(&plan.kill_plan) {
        plan.targets = targets;
        return Ok(Box::new(plan));
    } else if plan.choice == TargetChoice::WithParent {
        plan.refused(Refusal::NoParent(plan.kill_plan.parent_obstacle()))
    } else {
        plan.refused(Refusal::NoGroup(plan.kill_plan.group_obstacle()))
    };
    Err(Box::new(report))
}
