//! An allocator that can say how many bytes are held.
//!
//! It counts only while it is asked to: elsewhere, where time is measured, it costs the load of a flag.
#![expect(unsafe_code, reason = "GlobalAlloc cannot be implemented without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering::Relaxed};

pub struct CountingAllocator;

static IS_COUNTING: AtomicBool = AtomicBool::new(false);
static HELD: AtomicIsize = AtomicIsize::new(0);

/// What is made, and how many bytes more are held after that.
pub fn measure_held<T>(make: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.load(Relaxed);
    IS_COUNTING.store(true, Relaxed);
    let given = make();
    IS_COUNTING.store(false, Relaxed);
    let more = HELD.load(Relaxed) - before;
    (given, usize::try_from(more).unwrap_or(0))
}

fn add(layout: Layout, sign: isize) {
    if IS_COUNTING.load(Relaxed) {
        // A layout is never larger than isize::MAX.
        HELD.fetch_add(sign * layout.size().cast_signed(), Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator as it came; the counter is a number beside it. The default methods
// would do, but copy and clear what the system need not, and that would be measured.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout, 1);
        // SAFETY: the caller's promise is that of this call.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        add(layout, -1);
        // SAFETY: the caller's promise is that of this call.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout, 1);
        // SAFETY: the caller's promise is that of this call.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if IS_COUNTING.load(Relaxed) {
            HELD.fetch_add(size.cast_signed() - layout.size().cast_signed(), Relaxed);
        }
        // SAFETY: the caller's promise is that of this call.
        unsafe { System.realloc(place, layout, size) }
    }
}
