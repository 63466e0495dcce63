//! No state is shared behind a lock, and no state is static.

use super::source::{sources, statements};
use std::collections::BTreeSet;

/// Types with interior mutability and ways to have static state.
const SHARED: [&str; 17] = [
    "Mutex",
    "RwLock",
    "Condvar",
    "Semaphore",
    "RefCell",
    "UnsafeCell",
    "Cell<",
    "Cell::",
    "OnceCell",
    "OnceLock",
    "LazyLock",
    "LazyCell",
    "Atomic",
    "thread_local!",
    "lazy_static",
    "static mut",
    "parking_lot",
];

/// What is computed once or never leaves its thread, and these two: the thread that a waker wakes, and the program's own
/// sockets, which every poller hides.
const EXCEPTIONS: [&str; 7] = [
    "src/model/port/mod.rs: LazyLock",
    "src/os/free/waker/other.rs: OnceLock",
    "src/os/owners/linux/proc_fs.rs: Cell<",
    "src/os/processes/reading/linux/mod.rs: LazyLock",
    "src/os/sockets/self_sockets/linux.rs: Mutex",
    "src/table/description/launcher.rs: LazyLock",
    "src/table/query/condition.rs: OnceCell",
];

/// The first of the words above that a line has as a word of its own.
fn shared(line: &str) -> Option<&'static str> {
    SHARED.into_iter().find(|word| {
        line.match_indices(word).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_')
        })
    })
}

#[test]
fn no_state_is_static_or_shared_behind_a_lock() {
    let mut found = BTreeSet::new();
    for file in sources("") {
        for line in statements(&file.production()) {
            found.extend(shared(&line).map(|word| format!("{}: {word}", file.path)));
        }
    }
    assert_eq!(Vec::from_iter(found), EXCEPTIONS);
}

#[test]
fn every_kind_of_shared_state_is_recognized() {
    for line in [
        "state: Arc<Mutex<State>>,",
        "use std::sync::RwLock",
        "static COUNT: AtomicU32 = AtomicU32::new(0);",
        "static BOOT: LazyLock<SystemTime> = LazyLock::new(boot);",
        "open: Rc<RefCell<Poller>>,",
        "calls: Cell<usize>,",
        "let calls = Cell::new(0);",
        "text: std::cell::OnceCell<String>,",
        "static mut COUNT: u32 = 0;",
        "thread_local! {",
    ] {
        assert!(shared(line).is_some(), "{line}");
    }
    for line in [
        "static FIELDS: [Field; 19] = [",
        "let cell = buffer.cell(position);",
        "row: TableCell<'a>,",
        "fn name() -> &'static str {",
    ] {
        assert_eq!(shared(line), None, "{line}");
    }
}
