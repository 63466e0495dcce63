//! Candidates: what is checked before one gets a signal, and that the verdict is about the port.

use super::{Freeing, SHORT, assert_ends, executor, has_verdict, is_running};
use crate::free::{
    ExecCommand, ExecResult, FreeContext, KillPlan, KillRequest, SendOutcome, SignalError, plan_row,
};
use crate::model::port::EphemeralRange;
use crate::model::process::{CandidateChange, Pid, Process, Signal};
use crate::model::socket::{Endpoint, Owners};
use crate::model::testing::{environment, moment, process, snapshot};
use crate::os::candidates;
use crate::os::free::checks;
use crate::os::free::target_handle::{TargetHandle, TargetHandles};
use crate::os::poller::SocketPoller;
use crate::os::processes::Processes;
use crate::os::processes::stat::process_id;
use crate::os::sockets::DumpScope;
use crate::os::testing::confined::{become_nobody, is_confined};
use crate::os::testing::helper_process::{HelperProcess, HiddenListener};
use crate::os::testing::until;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// The request to stop the holder of this listener, as if its pid had been typed.
fn confirmed(hidden: &HiddenListener) -> KillRequest {
    confirmed_for(hidden, hidden.holder.pid())
}

/// The request to stop this candidate.
fn confirmed_for(hidden: &HiddenListener, pid: u32) -> KillRequest {
    let request = DumpScope::Local(vec![hidden.port]).with_bound();
    let mut poller = SocketPoller::new(EphemeralRange::IANA, None, request);
    poller.poll_uncached();
    let table = poller.endpoints();
    let table: Vec<&Endpoint> = table.iter().collect();
    let environment = environment(|_| {});
    let context = FreeContext::new(environment, moment(0.0));
    let explanation = *plan_row(table[0], &table, &context).expect_err("its owner is hidden");
    let mut found = candidates::find(explanation.unowned(), &mut Processes::default());
    for one in &mut found {
        // Other tests run processes of the same user, too many to be asked about.
        one.processes.retain(|process| process.pid() == Pid(pid));
        one.others = 0;
    }
    let plan = KillPlan::of_candidates(&explanation, &found, &[], &table, environment);
    let plan = plan.expect("candidates");
    let typed = plan.typed_candidate(&pid.to_string());
    plan.confirm(typed.expect("a candidate"), Signal::Kill, Instant::now())
}

/// Returns why nothing is sent.
fn refused(request: &KillRequest) -> SignalError {
    let events = executor().perform(ExecCommand::Send(vec![request.clone()]));
    match &events[0].result {
        ExecResult::SignalsSent(SendOutcome::NotSent(error)) => error.clone(),
        other => panic!("nothing is to be sent: {other:?}"),
    }
}

fn changed(request: &KillRequest, change: CandidateChange) -> SignalError {
    SignalError::NotACandidate(Arc::clone(&request.targets()[0].process), change)
}

#[test]
fn a_candidate_is_checked_again_before_it_is_signaled() {
    become_nobody(as_nobody);
}

#[test]
#[ignore = "runs in a process that another test starts"]
fn as_nobody() {
    if !is_confined() {
        return;
    }
    the_holder_is_ended();
    what_has_changed_is_not_signaled();
    an_owner_that_was_found_counts();
    another_command_is_another_program();
    an_exit_is_noticed();
}

fn the_holder_is_ended() {
    let hidden = HiddenListener::new();
    let request = confirmed(&hidden);
    let name = request.targets()[0].process.to_string();
    let said = Freeing::begin(request, SHORT).until(has_verdict);
    let begins = format!(":{} is free. {name} ended ", hidden.port);
    assert_ends(&said, &begins, " after SIGKILL.");
}

fn what_has_changed_is_not_signaled() {
    let mut hidden = HiddenListener::new();
    let request = confirmed(&hidden);
    hidden.holder.close(&[hidden.inode]);
    let closed = changed(&request, CandidateChange::SocketClosed);
    assert_eq!(refused(&request), closed);
    assert!(is_running(Pid(hidden.holder.pid())));

    let hidden = HiddenListener::new();
    let mut other = HelperProcess::new();
    other.hide();
    let request = confirmed_for(&hidden, other.pid());
    other.exec();
    let readable = Err(CandidateChange::Readable);
    let target = &request.targets()[0];
    until("the other program", || {
        (candidates::verify(target.id().pid, target.origins[0]) == readable).then_some(())
    });
    let readable = changed(&request, CandidateChange::Readable);
    assert_eq!(refused(&request), readable);
    assert!(is_running(Pid(other.pid())));
}

fn an_owner_that_was_found_counts() {
    let hidden = HiddenListener::new();
    let request = confirmed(&hidden);
    let target = &request.targets()[0];
    let ids = TargetHandles::from([(target.id(), TargetHandle::open(target.id(), process_id))]);
    let found = |owner: &Arc<Process>| {
        let mut socket = request.sockets()[0].clone();
        socket.owners = Owners::Known([Arc::clone(owner)].into());
        let mut seen = snapshot(0.0, Vec::new());
        seen.sockets.push(socket);
        let described = [Arc::clone(&target.process)];
        checks::check_targets(&request, &ids, &seen, &described, |_, _| false)
    };
    assert_eq!(found(&target.process), Ok(HashMap::new()));
    let other = process(1, "init").build();
    let error = changed(&request, CandidateChange::OwnerFound);
    assert_eq!(found(&other), Err(error));
}

fn another_command_is_another_program() {
    let hidden = HiddenListener::new();
    let request = confirmed(&hidden);
    let target = &request.targets()[0];
    let ids = TargetHandles::from([(target.id(), TargetHandle::open(target.id(), process_id))]);
    let mut seen = snapshot(0.0, Vec::new());
    seen.sockets.extend(request.sockets().to_vec());
    let described_as = |process: &Process| {
        checks::check_targets(
            &request,
            &ids,
            &seen,
            &[Arc::new(process.clone())],
            |_, _| false,
        )
    };
    assert_eq!(described_as(&target.process), Ok(HashMap::new()));
    let undescribed = checks::check_targets(&request, &ids, &seen, &[], |_, _| false);
    let unread = "it could not be read again".to_owned();
    let error = SignalError::Failed(Arc::clone(&target.process), unread);
    assert_eq!(undescribed, Err(error));
    let mut other = Process::clone(&target.process);
    other.command.push("--other".into());
    let error = SignalError::ProgramChanged(Arc::clone(&target.process), Arc::new(other.clone()));
    assert_eq!(described_as(&other), Err(error));
}

fn an_exit_is_noticed() {
    let hidden = HiddenListener::new();
    let request = confirmed(&hidden);
    let process = Arc::clone(&request.targets()[0].process);
    drop(hidden);
    assert_eq!(refused(&request), SignalError::AlreadyExited(process));
}
