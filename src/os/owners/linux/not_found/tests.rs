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

/// Processes of root and of a user that the namespace does not map were denied.
fn denied(rights: Rights) -> SearchReport {
    SearchReport {
        denied: vec![0, 65534],
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
        denied: vec![0, 1000],
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
    assert_obstacles(cases);
}

fn assert_obstacles(cases: impl IntoIterator<Item = (SearchReport, u32, NotFoundCause)>) {
    for (report, uid, cause) in cases {
        assert_eq!(report.obstacle(uid), cause, "{report:?} {uid}");
    }
}

#[test]
fn a_denied_process_explains_no_socket_of_another_namespace() {
    let user = Rights {
        uid: 1000,
        can_read_all: false,
        ..READS_ALL
    };
    let container_root = Rights { uid: 0, ..user };
    let denied = |rights, uids: &[u32]| SearchReport {
        denied: uids.to_vec(),
        coverage: Coverage::OneNamespace,
        ..complete(rights)
    };
    assert_obstacles([
        (denied(user, &[0]), 0, Unknown),
        (denied(user, &[0]), 1000, Unknown),
        (denied(user, &[0, 1000]), 1000, ClosedProcess),
        (denied(container_root, &[1000]), 1000, MissingPtrace),
        (denied(container_root, &[1000]), 0, Unknown),
        (denied(READS_ALL, &[33]), 33, SecurityModule),
        (denied(READS_ALL, &[33]), 0, Unknown),
    ]);
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

#[test]
fn modules_are_known_by_the_names_of_their_files() {
    let list = "kernel/net/sunrpc/sunrpc.ko\nkernel/fs/dlm/dlm.ko\nkernel/drivers/target/iscsi/iscsi-target.ko\n";
    let modules = kernel::BuiltInModules::of(list);
    let names = ["sunrpc", "iscsi_target", "iscsi", "target/iscsi"];
    let found = names.map(|name| modules.0.contains(name));
    assert_eq!(found, [true, true, false, false]);
}
