//! `portmon free`: shows what owns the ports, asks, sends the signals and reports the verdicts.
//!
//! Only what was shown is signaled, and the executor checks it again.

pub mod arguments;
mod confirmation;
mod drive;
mod interrupt;
mod prepare;

use super::print_line;
use crate::free::{Conclusion, FreeReport, PortPlan, exit_code, port_specs};
use crate::model::environment::Environment;
use crate::model::port::{PortRange, PortSpec};
use crate::os::free::{Executor, ProbeBackend};
use crate::os::{bind_probe, environment, now};
use crate::report::free::{JsonFreeReport, preview_lines};
use crate::table::row::DisplayContext;
use crate::wording;
use anyhow::{Context, anyhow, bail};
use arguments::FreeArgs;
use confirmation::confirm;
use prepare::{poll, prepare, unowned};
use std::collections::HashSet;
use std::io::{self, Write};

/// The plan for a port, or the report why nothing is done.
type Prepared = Result<Box<PortPlan>, Box<FreeReport>>;

/// Frees the ports; returns the worst of their exit codes.
pub fn run(options: &FreeArgs) -> anyhow::Result<u8> {
    options.verify()?;
    let environment = environment::read();
    super::warn_about_pids(environment.pids_problem);
    refuse_foreign_addresses(&options.targets)?;
    let table =
        poll(&environment, options).map_err(|problem| anyhow!(wording::unread_table(&problem)))?;
    let port_specs = port_specs(&options.targets, &table)
        .map_err(|both| anyhow!(wording::two_addresses(both)))?;
    let mut executor = Executor::new(ProbeBackend::of_system(options.source))
        .context("cannot open process handles")?;
    let mut ports = prepare(&port_specs, &table, &environment, options);
    // From here on a reused pid cannot be signaled.
    let shown = ports.iter().flatten().flat_map(|plan| {
        let targets = plan.processes().into_iter().map(|process| process.id);
        plan.kill_plan.process_ids().into_iter().chain(targets)
    });
    executor.open_handles(&shown.collect::<Vec<_>>());
    show(&ports, &environment, options)?;
    // Without handlers a signal ends the program as it ends any.
    let interrupts = interrupt::start(executor.waker()).ok();
    match &interrupts {
        Some(interrupts) => interrupts.ask(|| confirm(&mut ports, options))?,
        None => confirm(&mut ports, options),
    }
    let timeouts = options.timeouts(ports.iter().flatten().map(AsRef::as_ref));
    let driven = drive::run_plans(&ports, &mut executor, interrupts.as_ref(), timeouts);
    // From here on a signal ends the program as it ends any.
    drop(interrupts);
    let mut freed = driven.reports.into_iter();
    let report = |port: Prepared| match port {
        Ok(_) => Some(refreshed(freed.next()?, &environment, options)),
        Err(report) => Some(*report),
    };
    let reports: Vec<FreeReport> = ports.into_iter().filter_map(report).collect();
    print_reports(&reports, options)?;
    if !options.json {
        print_empty_ranges(options, &port_specs)?;
    }
    Ok(driven.exit_code.unwrap_or_else(|| exit_code(&reports)))
}

fn refuse_foreign_addresses(targets: &[PortRange]) -> anyhow::Result<()> {
    for target in targets {
        if let Some(ip) = target.address.ip()
            && bind_probe::is_foreign_address(target.address)
        {
            bail!(wording::foreign_address(target, ip));
        }
    }
    Ok(())
}

/// Prints the previews to standard error, in a dry run to standard output.
fn show(ports: &[Prepared], environment: &Environment, options: &FreeArgs) -> anyhow::Result<()> {
    let context = DisplayContext::new(environment, now());
    let plans = ports.iter().flatten();
    for line in plans.flat_map(|plan| preview_lines(plan, &context)) {
        if options.dry_run && !options.json {
            print_line(&line)?;
        } else {
            // If standard error is closed, so is the question, and nothing is sent.
            let _ = writeln!(io::stderr(), "{line}");
        }
    }
    Ok(())
}

/// Polls again if nothing was sent because the preview was outdated, and adds the present state.
fn refreshed(report: FreeReport, environment: &Environment, options: &FreeArgs) -> FreeReport {
    let Some(error) = report.outdated().cloned() else {
        return report;
    };
    let spec = report.spec;
    let now = poll(environment, options).map(|table| {
        let sockets = table.iter().map(|endpoint| &endpoint.socket);
        let holder = sockets
            .filter(|socket| socket.holds_port())
            .find(|socket| spec.matches(socket));
        holder.map_or_else(
            || unowned(spec, &table, options.source),
            |socket| {
                let owners = socket.owners.known().to_vec();
                let held = Conclusion::StillHeld(Box::new(socket.clone()));
                Box::new(FreeReport::new(spec, held, owners))
            },
        )
    });
    let holders = now
        .as_ref()
        .map_or(report.holders, |now| now.holders.clone());
    FreeReport::new(spec, Conclusion::Outdated { error, now }, holders)
}

fn print_reports(reports: &[FreeReport], options: &FreeArgs) -> anyhow::Result<()> {
    for report in reports {
        print_line(&if options.json {
            serde_json::to_string(&JsonFreeReport::new(report, options.dry_run))?
        } else {
            wording::free_report(report)
        })?;
    }
    Ok(())
}

/// Prints a line for each range without a port to report on.
fn print_empty_ranges(options: &FreeArgs, port_specs: &[PortSpec]) -> anyhow::Result<()> {
    let mut seen = HashSet::new();
    for target in options.targets.iter().filter(|target| seen.insert(*target)) {
        let is_in =
            |spec: &PortSpec| spec.protocol == target.protocol && target.ports.contains(&spec.port);
        if !port_specs.iter().any(is_in) {
            print_line(&wording::empty_range(target))?;
        }
    }
    Ok(())
}
