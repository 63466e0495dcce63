//! What is measured: CPU time, user and system, of this process and of programs that it runs, and bytes held.
#![expect(unsafe_code, reason = "GlobalAlloc cannot be implemented without")]

use anyhow::Context;
use rustix::process::{Pid, WaitId, WaitIdOptions};
use rustix::time::{ClockId, clock_gettime};
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering::Relaxed};
use std::time::Duration;

/// CPU time of a call, without the drop of its result.
///
/// Of the whole process, not only of this thread: no candidate gains by a second thread.
pub fn cpu_time<T>(call: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<Duration> {
    let before = process_cpu_time()?;
    let result = black_box(call()?);
    let after = process_cpu_time()?;
    drop(result);
    Ok(after.saturating_sub(before))
}

fn process_cpu_time() -> anyhow::Result<Duration> {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Ok(Duration::new(
        time.tv_sec.try_into()?,
        time.tv_nsec.try_into()?,
    ))
}

/// CPU time of a program from start to exit, its output discarded.
///
/// Between the exit and the wait for it the kernel still reports it in nanoseconds; proc_pid_stat(5) counts in hundredths
/// of a second. Children of the program are left out; those measured here have none.
pub fn cpu_time_of_program(command: &mut Command) -> anyhow::Result<Duration> {
    let name = command.get_program().display().to_string();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context(name)?;
    let pid = Pid::from_child(&child);
    let ended = rustix::process::waitid(
        WaitId::Pid(pid),
        WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
    );
    let ran = std::fs::read_to_string(format!("/proc/{pid}/schedstat"));
    child.wait()?;
    ended.context("waitid")?;
    let ran = ran.context("/proc/PID/schedstat")?;
    let nanoseconds = ran
        .split_whitespace()
        .next()
        .context("an empty schedstat")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// Counts the bytes held, only while [`bytes_held`] runs: elsewhere, where time is measured, it costs the load of a flag.
pub struct CountingAllocator;

static IS_COUNTING: AtomicBool = AtomicBool::new(false);
static HELD: AtomicIsize = AtomicIsize::new(0);

/// Returns what `make` makes and how many more bytes are held afterwards.
pub fn bytes_held<T>(make: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.load(Relaxed);
    IS_COUNTING.store(true, Relaxed);
    let result = make();
    IS_COUNTING.store(false, Relaxed);
    let more = HELD.load(Relaxed) - before;
    (result, usize::try_from(more).unwrap_or(0))
}

fn add(layout: Layout, sign: isize) {
    if IS_COUNTING.load(Relaxed) {
        // A layout is never larger than isize::MAX.
        HELD.fetch_add(sign * layout.size().cast_signed(), Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator unchanged. The default methods of the trait would copy and clear
// memory where the system need not, and that would be measured.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout, 1);
        // SAFETY: the caller upholds the contract of this call.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        add(layout, -1);
        // SAFETY: the caller upholds the contract of this call.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout, 1);
        // SAFETY: the caller upholds the contract of this call.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if IS_COUNTING.load(Relaxed) {
            HELD.fetch_add(size.cast_signed() - layout.size().cast_signed(), Relaxed);
        }
        // SAFETY: the caller upholds the contract of this call.
        unsafe { System.realloc(place, layout, size) }
    }
}
