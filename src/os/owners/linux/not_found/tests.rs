use super::*;
use NotFoundCause::*;

const READS_ALL: Rights = Rights {
    uid: 0,
    can_read_all: true,
    is_in_user_namespace: false,
    overflow_uid: None,
};

/// Every process of the machine was read.
fn complete(rights: Rights) -> SearchReport {
    SearchReport {
        rights,
        ..SearchReport::default()
    }
}

/// Some processes were denied.
fn denied(rights: Rights) -> SearchReport {
    SearchReport {
        denied: Denied::OfOthers,
        ..complete(rights)
    }
}

#[test]
fn the_cause_is_what_kept_processes_from_being_read() {
    let user = Rights {
        uid: 1000,
        can_read_all: false,
        ..READS_ALL
    };
    let container_root = Rights {
        can_read_all: false,
        ..READS_ALL
    };
    let namespace_root = Rights {
        is_in_user_namespace: true,
        overflow_uid: Some(65534),
        ..READS_ALL
    };
    let namespace_user = Rights {
        uid: 1000,
        can_read_all: false,
        ..namespace_root
    };
    let own = SearchReport {
        denied: Denied::Own,
        ..denied(user)
    };
    let hidden = |rights| SearchReport {
        coverage: Coverage::Partial,
        ..complete(rights)
    };
    let partial = SearchReport {
        coverage: Coverage::OneNamespace,
        ..complete(READS_ALL)
    };
    let cases = [
        (denied(user), 0, OtherUser),
        (denied(user), 1000, OtherUser),
        (own.clone(), 1000, ClosedProcess),
        (own, 0, OtherUser),
        (hidden(user), 0, HiddenProcesses),
        (denied(container_root), 65534, MissingPtrace),
        (hidden(container_root), 0, MissingPtrace),
        (denied(namespace_root), 65534, UserNamespace),
        (denied(namespace_root), 0, UserNamespace),
        (denied(namespace_user), 65534, UserNamespace),
        (denied(namespace_user), 0, OtherUser),
        (denied(READS_ALL), 0, SecurityModule),
        (partial, 0, OtherPidNamespace),
        (complete(READS_ALL), 0, NoProcess),
        (complete(user), 0, NoProcess),
    ];
    for (report, uid, cause) in cases {
        assert_eq!(report.obstacle(uid), cause, "{report:?} {uid}");
    }
}

#[test]
fn missing_descriptors_and_proc_come_before_any_permission() {
    let failed = |errno| SearchReport {
        failed: Some(errno),
        ..denied(Rights::default())
    };
    let causes = [Errno::MFILE, Errno::NFILE, Errno::NOENT, Errno::ACCESS];
    let causes = causes.map(|errno| failed(errno).obstacle(0));
    assert_eq!(causes, [OutOfDescriptors, OutOfDescriptors, NoProc, NoProc]);
}
