//! `portmon free`: shows what owns the ports, asks, sends the signals and reports the verdicts.
//!
//! Only what was shown is signalled, and the executor checks it again.

pub(super) mod arguments;
mod confirmation;
mod drive;

use super::print_line;
use crate::cli::CliCommand;
use crate::free::{Explanation, FreeContext, Timeouts, plan_port};
use crate::model::environment::Environment;
use crate::model::port::{BindResult, PortRange, PortSpec};
use crate::model::process::{ProcessId, Supervisor};
use crate::model::socket::{Endpoint, Protocol};
use crate::os::bind_probe;
use crate::os::free::{Executor, ProbeBackend};
use crate::os::poller::SocketPoller;
use crate::os::processes::{Processes, process_trees};
use crate::os::sockets::{DumpRequest, DumpScope, bound_tcp_ports};
use crate::os::supervisors::SupervisorLookup;
use crate::os::{environment, now};
use crate::report::free::json::JsonFreeReport;
use crate::report::free::no_owner;
use crate::report::free::preview::preview_lines;
use crate::report::free::text::{self, PortPlan};
use crate::report::free::{FreeOutcome, FreeReport, exit_code, is_outdated, port_specs};
use crate::table::row::DisplayContext;
use anyhow::{Context, anyhow, bail};
use arguments::FreeArgs;
use clap::{Args as _, FromArgMatches as _};
use confirmation::Decision;
use std::collections::HashSet;
use std::io::{self, Write};

pub const COMMAND: CliCommand = CliCommand {
    name: "free",
    alias: None,
    synonyms: &["kill", "stop", "end", "term", "rm"],
    define: FreeArgs::augment_args,
    run: |matches| run(&FreeArgs::from_arg_matches(matches)?),
};

/// A port after the first poll.
enum Preparation {
    /// There is nothing to do, or it may not be done.
    Done(FreeReport),
    Planned(Box<PortPlan>),
}

/// Frees the ports; returns the worst of their exit codes.
fn run(options: &FreeArgs) -> anyhow::Result<u8> {
    let timeouts = options.timeouts()?;
    let environment = environment::read();
    super::warn_about_pids(environment.pids_problem);
    for target in &options.targets {
        if let Some(address) = target
            .address
            .filter(|ip| bind_probe::is_foreign_address(*ip))
        {
            bail!(
                "{target}: {address} is no address of this machine; without one it is about all that there are"
            );
        }
    }
    let table = poll(&environment, options)?;
    let port_specs = port_specs(&options.targets, &table).map_err(|line| anyhow!(line))?;
    let mut found: Vec<Preparation> = port_specs
        .iter()
        .map(|spec| prepare(*spec, &table, &environment, options))
        .collect();
    let mut executor = Executor::new(ProbeBackend::of_system(options.source))
        .context("processes cannot be held on to")?;
    inspect_processes(&mut found);
    // From here on a reused pid cannot be signalled.
    executor.open_handles(&all_processes(&found));
    show(&found, &environment, options)?;
    let reports = free_all(&found, &mut executor, timeouts, &environment, options);
    for report in &reports {
        print_line(&format_report(report, options)?)?;
    }
    if !options.json {
        print_empty_ranges(options, &port_specs)?;
    }
    Ok(exit_code(&reports))
}

/// Polls every socket, since the preview names what else closes.
fn poll(environment: &Environment, options: &FreeArgs) -> anyhow::Result<Vec<Endpoint>> {
    let request = DumpRequest {
        scope: DumpScope::All,
        with_bound: true,
    };
    let mut poller = SocketPoller::new(environment.ephemeral, options.source, request);
    let changes = poller.poll();
    let concerns = |protocol: Protocol| {
        let mut targets = options.targets.iter();
        targets.any(|target| target.protocol == protocol)
    };
    let mut problems = changes.problems.iter();
    if let Some(problem) = problems.find(|problem| concerns(problem.protocol)) {
        bail!("cannot find out what holds the port: {problem}");
    }
    Ok(poller.endpoints())
}

fn prepare(
    spec: PortSpec,
    table: &[Endpoint],
    environment: &Environment,
    options: &FreeArgs,
) -> Preparation {
    let endpoints: Vec<&Endpoint> = table.iter().collect();
    let question = plan_port(spec, &endpoints, &FreeContext::new(environment, now()));
    match question {
        None => Preparation::Done(no_owner::report(spec, table, &bind(spec), now().instant)),
        Some(Err(mut explanation)) => {
            explanation.add_supervisors(&supervisors_of(&explanation));
            let unused = unused_near(spec, &explanation);
            Preparation::Done(FreeReport::blocked_by_supervisor(
                spec,
                &explanation,
                unused,
            ))
        }
        Some(Ok(kill_plan)) => Preparation::Planned(Box::new(PortPlan {
            spec,
            kill_plan,
            targets: options.target_set(),
            signal: options.signal,
        })),
    }
}

/// Returns the supervisors of a port whose owners are hidden or protected.
fn supervisors_of(explanation: &Explanation) -> Vec<Supervisor> {
    let port = explanation.supervised_port();
    if explanation.owners().is_empty() {
        let port = port.into_iter();
        return port
            .map(|port| SupervisorLookup::begin().of_port(port))
            .collect();
    }
    let ids = explanation.process_ids();
    let kin = process_trees(&mut Processes::default(), &ids, |_| port);
    kin.into_iter().map(|kin| kin.supervisor).collect()
}

/// Returns an unused port near it. Only for TCP, since that is what the bind proves.
fn unused_near(spec: PortSpec, explanation: &Explanation) -> Option<u16> {
    let near = explanation
        .unused_near()
        .filter(|_| spec.protocol == Protocol::Tcp)?;
    let held = bound_tcp_ports();
    bind_probe::unused_after(near, |port| held.contains(&port))
}

/// Tries to bind a port that no socket holds.
fn bind(spec: PortSpec) -> BindResult {
    BindResult::of(&bind_probe::probe_port(spec))
}

fn plans(found: &[Preparation]) -> impl Iterator<Item = &PortPlan> {
    found.iter().filter_map(|found| match found {
        Preparation::Planned(plan) => Some(&**plan),
        Preparation::Done(_) => None,
    })
}

/// Returns every process that is shown: all owners and targets.
fn all_processes(found: &[Preparation]) -> Vec<ProcessId> {
    let holders = plans(found).flat_map(|plan| plan.kill_plan.process_ids());
    let processes = plans(found).flat_map(PortPlan::processes);
    holders.chain(processes.map(|process| process.id)).collect()
}

/// Inspects the owners, whose supervisors may block a plan and whose groups may be the targets.
fn inspect_processes(found: &mut [Preparation]) {
    let mut processes = Processes::default();
    for found in found {
        let Preparation::Planned(plan) = found else {
            continue;
        };
        let holders = plan.kill_plan.process_ids();
        let port = plan.kill_plan.port;
        let kin = process_trees(&mut processes, &holders, |_| Some(port));
        plan.kill_plan.add_trees(&kin);
        if let Some(explanation) = plan.kill_plan.blocked_by_supervisor() {
            *found = Preparation::Done(FreeReport::blocked_by_supervisor(
                plan.spec,
                &explanation,
                None,
            ));
        } else if plan.processes().is_empty() {
            *found = Preparation::Done(plan.without_targets());
        }
    }
}

/// Prints the previews to standard error, in a dry run to standard output.
fn show(
    found: &[Preparation],
    environment: &Environment,
    options: &FreeArgs,
) -> anyhow::Result<()> {
    let context = DisplayContext::new(environment, now());
    for plan in plans(found) {
        for line in preview_lines(plan, &context) {
            if options.dry_run && !options.json {
                print_line(&line)?;
            } else {
                // If standard error is closed, so is the question, and nothing is sent.
                let _ = writeln!(io::stderr(), "{line}");
            }
        }
    }
    Ok(())
}

/// Frees the confirmed ports; returns a report for each port in the order given.
fn free_all(
    found: &[Preparation],
    executor: &mut Executor,
    timeouts: Timeouts,
    environment: &Environment,
    options: &FreeArgs,
) -> Vec<FreeReport> {
    let all: Vec<&PortPlan> = plans(found).collect();
    let decisions = confirmation::decide(&all, options);
    let confirmed: Vec<&PortPlan> = all
        .iter()
        .zip(&decisions)
        .filter(|(_, decision)| **decision == Decision::Confirmed)
        .map(|(plan, _)| *plan)
        .collect();
    let mut freed = drive::run_plans(&confirmed, executor, timeouts).into_iter();
    let mut decisions = decisions.into_iter();
    let mut reports = Vec::new();
    for found in found {
        reports.push(match found {
            Preparation::Done(report) => report.clone(),
            Preparation::Planned(plan) => match decisions.next() {
                Some(Decision::Confirmed) => match freed.next() {
                    Some(freeing) if is_outdated(&freeing) => {
                        let report = FreeReport::freed(plan.spec, &freeing);
                        refreshed(&report, poll(environment, options))
                    }
                    Some(freeing) => FreeReport::freed(plan.spec, &freeing),
                    None => plan.refused("not tried"),
                },
                Some(Decision::Declined(why)) => plan.refused(&why),
                Some(Decision::DryRun) | None => plan.dry_run(),
            },
        });
    }
    reports
}

/// Reports the present state after nothing was sent because the preview was outdated.
fn refreshed(report: &FreeReport, table: anyhow::Result<Vec<Endpoint>>) -> FreeReport {
    let spec = report.spec;
    let table = match table {
        Ok(table) => table,
        Err(error) => {
            let message = format!("{} Now {error}.", report.message);
            return FreeReport {
                message,
                ..report.clone()
            };
        }
    };
    let sockets = table.iter().map(|endpoint| &endpoint.socket);
    let holder = sockets
        .filter(|socket| socket.holds_port())
        .find(|socket| spec.matches(socket));
    let now = match holder {
        None => no_owner::report(spec, &table, &bind(spec), now().instant),
        Some(socket) => FreeReport {
            holders: socket.owners.known().to_vec(),
            ..FreeReport::without_signal(
                spec,
                FreeOutcome::StillHeld,
                text::still_held(spec, socket),
            )
        },
    };
    FreeReport {
        message: format!("{} {}", report.message, now.message),
        ..now
    }
}

fn format_report(report: &FreeReport, options: &FreeArgs) -> anyhow::Result<String> {
    if options.json {
        let json = JsonFreeReport::new(report, options.dry_run);
        Ok(serde_json::to_string(&json)?)
    } else {
        Ok(report.message.clone())
    }
}

/// A range has no ports of its own to tell of where nothing stands.
fn print_empty_ranges(options: &FreeArgs, port_specs: &[PortSpec]) -> anyhow::Result<()> {
    let is_in = |spec: &&PortSpec, target: &PortRange| {
        spec.protocol == target.protocol && target.ports.contains(&spec.port)
    };
    let mut seen = HashSet::new();
    for target in options.targets.iter().filter(|target| seen.insert(*target)) {
        if !port_specs.iter().any(|spec| is_in(&spec, target)) {
            print_line(&format!(
                "{target} is free: nothing listens or is bound on any of its ports"
            ))?;
        }
    }
    Ok(())
}
