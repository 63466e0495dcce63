//! `portmon free`: looks, asks, ends what holds the ports, and tells what became of each.
//!
//! Every answer is about the port. What is signalled is what was shown, checked once more by the executor.

mod asking;
mod driving;

use super::print_line;
use crate::app::Setup;
use crate::cli::FreeOptions;
use crate::model::endpoint::{Endpoint, Protocol};
use crate::model::freeing::{Explanation, Question, ask_port};
use crate::model::process::ProcessId;
use crate::model::provenance::Provenance;
use crate::model::target::Spot;
use crate::os::binding::{self, Reuse, everywhere, try_all};
use crate::os::eye::Eye;
use crate::os::freeing::{Executor, Senses};
use crate::os::processes::Processes;
use crate::os::provenance::Inquiry;
use crate::os::sockets::{Demand, Extent, held_tcp_ports};
use crate::os::{machine, now};
use crate::report::free::found::block;
use crate::report::free::json::JsonAccount;
use crate::report::free::text::{self, Plan};
use crate::report::free::unheld::{self, Bind};
use crate::report::free::{Account, Outcome, exit_code, is_outdated, spots};
use anyhow::{Context, anyhow, bail};
use asking::Decision;
use std::io::{self, Write};
use std::net::SocketAddr;

/// What a first look says of a port.
enum Found {
    /// Nothing is to be done, or may be.
    Told(Account),
    Held(Box<Plan>),
}

/// Frees the ports; the exit code is the worst of theirs.
pub fn run(options: &FreeOptions) -> anyhow::Result<u8> {
    let setup = Setup::of(machine::facts());
    super::complain_of_pids(setup.pids_problem.as_ref());
    for target in &options.targets {
        if let Some(address) = target.address.filter(|ip| binding::is_elsewhere(*ip)) {
            bail!(
                "{target}: {address} is no address of this machine; without one it is about all that there are"
            );
        }
    }
    let table = look(&setup, options)?;
    let spots = spots(&options.targets, &table).map_err(|line| anyhow!(line))?;
    let mut found: Vec<Found> = spots
        .iter()
        .map(|spot| find(*spot, &table, &setup, options))
        .collect();
    let mut executor = Executor::alone(Senses::of_machine(options.source))
        .context("processes cannot be held on to")?;
    learn_kin(&mut found);
    // From here on no other process can be signalled in the place of one that is shown.
    executor.hold(&everybody(&found));
    show(&found, &table, &setup, options)?;
    let accounts = settle(&found, &mut executor, &setup, options);
    for account in &accounts {
        print_line(&told(account, options)?)?;
    }
    if !options.json {
        tell_of_empty_ranges(options, &spots)?;
    }
    Ok(exit_code(&accounts))
}

/// Every socket there is: what else a holder has is told too.
fn look(setup: &Setup, options: &FreeOptions) -> anyhow::Result<Vec<Endpoint>> {
    let demand = Demand {
        extent: Extent::Everything,
        with_bound: true,
    };
    let mut eye = Eye::new(setup.ephemeral, options.source, demand);
    let changes = eye.look();
    let concerns = |protocol: Protocol| {
        let mut targets = options.targets.iter();
        targets.any(|target| target.protocol == protocol)
    };
    let mut problems = changes.problems.iter();
    if let Some(problem) = problems.find(|problem| concerns(problem.protocol)) {
        bail!("what holds the port cannot be known: {problem}");
    }
    Ok(eye.endpoints())
}

fn find(spot: Spot, table: &[Endpoint], setup: &Setup, options: &FreeOptions) -> Found {
    let endpoints: Vec<&Endpoint> = table.iter().collect();
    let question = ask_port(
        spot.protocol,
        spot.port,
        spot.address,
        &endpoints,
        &setup.circumstances(now()),
    );
    match question {
        None => Found::Told(unheld::account(spot, table, &bind(spot), now().instant)),
        Some(Question::Explain(mut explanation)) => {
            explanation.learn(&behind(&explanation));
            let unused = unused_near(spot, &explanation);
            Found::Told(Account::barred(spot, &explanation, unused))
        }
        Some(Question::Free(proposal)) => Found::Held(Box::new(Plan {
            spot,
            proposal,
            targets: options.who,
            signal: options.signal,
        })),
    }
}

/// What stands behind a port whose holder may not be seen, or is never ended.
fn behind(explanation: &Explanation) -> Vec<Provenance> {
    if explanation.holders.is_empty() {
        let port = explanation.port.into_iter();
        return port.map(|port| Inquiry::begin().of_port(port)).collect();
    }
    let kin = Processes::new().kin(&explanation.process_ids(), |_| explanation.port);
    kin.into_iter().map(|kin| kin.provenance).collect()
}

/// Another port to take instead, as long as the bind that proves it is one of the same protocol.
fn unused_near(spot: Spot, explanation: &Explanation) -> Option<u16> {
    let near = explanation
        .unused_near
        .filter(|_| spot.protocol == Protocol::Tcp)?;
    let held = held_tcp_ports();
    binding::unused_after(near, |port| held.contains(&port))
}

/// How a bind goes on a port that nothing stands on.
fn bind(spot: Spot) -> Bind {
    let addresses = match spot.address {
        Some(address) => vec![SocketAddr::new(address, spot.port)],
        None => everywhere(spot.port).to_vec(),
    };
    let tried = |reuse| try_all(spot.protocol, &addresses, reuse);
    // A UDP socket with SO_REUSEADDR binds beside another one, and on Windows a TCP socket does.
    let is_reuse_usual = spot.protocol == Protocol::Tcp && cfg!(unix);
    match tried(Reuse::Nothing) {
        Ok(()) => Bind::Bound,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && cfg!(unix) => Bind::Denied,
        Err(_) if is_reuse_usual && tried(Reuse::Address).is_ok() => Bind::OnlyWithReuse,
        Err(error) => Bind::Failed(error.to_string()),
    }
}

fn plans(found: &[Found]) -> impl Iterator<Item = &Plan> {
    found.iter().filter_map(|found| match found {
        Found::Held(plan) => Some(&**plan),
        Found::Told(_) => None,
    })
}

/// Everybody who is shown: all holders, and who else is to be signalled.
fn everybody(found: &[Found]) -> Vec<ProcessId> {
    let holders = plans(found).flat_map(|plan| plan.proposal.process_ids());
    let recipients = plans(found).flat_map(Plan::recipients);
    holders
        .chain(recipients.map(|process| process.id))
        .collect()
}

/// Who is of a group, and what stands behind a holder, is only known then: it may bar the way.
fn learn_kin(found: &mut [Found]) {
    let mut processes = Processes::new();
    for found in found {
        let Found::Held(plan) = found else { continue };
        let holders = plan.proposal.process_ids();
        let kin = processes.kin(&holders, |_| Some(plan.proposal.place()));
        plan.proposal.learn(&kin);
        if let Some(explanation) = plan.proposal.barred() {
            *found = Found::Told(Account::barred(plan.spot, &explanation, None));
        } else if plan.recipients().is_empty() {
            *found = Found::Told(plan.without_recipients());
        }
    }
}

/// What was found, where it does not get between the lines that a script reads; in a dry run it is what was asked for.
fn show(
    found: &[Found],
    table: &[Endpoint],
    setup: &Setup,
    options: &FreeOptions,
) -> anyhow::Result<()> {
    let around = setup.surroundings(now());
    for plan in plans(found) {
        for line in block(plan, table, &around) {
            if options.dry_run && !options.json {
                print_line(&line)?;
            } else {
                // Standard error may be closed; the question then is too, and nothing is sent.
                let _ = writeln!(io::stderr(), "{line}");
            }
        }
    }
    Ok(())
}

/// What becomes of every port, in the order in which they were named.
fn settle(
    found: &[Found],
    executor: &mut Executor,
    setup: &Setup,
    options: &FreeOptions,
) -> Vec<Account> {
    let all: Vec<&Plan> = plans(found).collect();
    let decisions = asking::decide(&all, options);
    let confirmed: Vec<&Plan> = all
        .iter()
        .zip(&decisions)
        .filter(|(_, decision)| **decision == Decision::Confirmed)
        .map(|(plan, _)| *plan)
        .collect();
    let mut freed = driving::free(&confirmed, executor, options.terms).into_iter();
    let mut decisions = decisions.into_iter();
    let mut accounts = Vec::new();
    for found in found {
        accounts.push(match found {
            Found::Told(account) => account.clone(),
            Found::Held(plan) => match decisions.next() {
                Some(Decision::Confirmed) => match freed.next() {
                    Some(freeing) if is_outdated(&freeing) => {
                        let account = Account::freed(plan.spot, &freeing);
                        anew(&account, look(setup, options))
                    }
                    Some(freeing) => Account::freed(plan.spot, &freeing),
                    None => plan.refused("it was not tried"),
                },
                Some(Decision::Declined(why)) => plan.refused(&why),
                Some(Decision::DryRun) | None => plan.dry_run(),
            },
        });
    }
    accounts
}

/// Nothing was sent, because what was shown was no longer so: what is so now.
fn anew(account: &Account, table: anyhow::Result<Vec<Endpoint>>) -> Account {
    let spot = account.spot;
    let table = match table {
        Ok(table) => table,
        Err(error) => {
            let message = format!("{} Now {error}.", account.message);
            return Account {
                message,
                ..account.clone()
            };
        }
    };
    let sockets = table.iter().map(|endpoint| &endpoint.socket);
    let holder = sockets
        .filter(|socket| socket.is_standing())
        .find(|socket| spot.names(socket));
    let now = match holder {
        None => unheld::account(spot, &table, &bind(spot), now().instant),
        Some(socket) => Account {
            holders: socket.owners.known().to_vec(),
            ..Account::without_signal(spot, Outcome::StillHeld, text::still_held(spot, socket))
        },
    };
    Account {
        message: format!("{} {}", account.message, now.message),
        ..now
    }
}

fn told(account: &Account, options: &FreeOptions) -> anyhow::Result<String> {
    if options.json {
        let json = JsonAccount::new(account, options.dry_run);
        Ok(serde_json::to_string(&json)?)
    } else {
        Ok(account.message.clone())
    }
}

/// A range has no ports of its own to tell of where nothing stands.
fn tell_of_empty_ranges(options: &FreeOptions, spots: &[Spot]) -> anyhow::Result<()> {
    let is_in = |spot: &&Spot, target: &crate::model::target::Target| {
        spot.protocol == target.protocol && target.ports.contains(&spot.port)
    };
    for target in &options.targets {
        if !spots.iter().any(|spot| is_in(&spot, target)) {
            print_line(&format!(
                "{target} is free: nothing listens or is bound on any of its ports"
            ))?;
        }
    }
    Ok(())
}
