//! Which fault is turned on, and which were come by.

use std::{
    fs::File,
    path::Path,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
};

static ON: LazyLock<usize> = LazyLock::new(|| {
    let on = std::env::var("MUTANT").ok();
    on.and_then(|number| number.parse().ok()).unwrap_or(usize::MAX)
});
static SEEN_IN: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("MUTANT_SEEN").ok());
static SEEN: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];

/// Whether this fault is turned on.
pub fn is(number: usize) -> bool {
    if !SEEN[number].load(Ordering::Relaxed) {
        see(number);
    }
    number == *ON
}

/// Leaves an empty file: a process that may write nothing can make one of those.
fn see(number: usize) {
    if !SEEN[number].swap(true, Ordering::Relaxed)
        && let Some(folder) = &*SEEN_IN
    {
        let _ = File::create(Path::new(folder).join(number.to_string()));
    }
}

/// `<`, or `<=`.
pub fn less<A: PartialOrd<B> + ?Sized, B: ?Sized>(number: usize, a: &A, b: &B) -> bool {
    if is(number) { a <= b } else { a < b }
}

/// `<=`, or `<`.
pub fn at_most<A: PartialOrd<B> + ?Sized, B: ?Sized>(number: usize, a: &A, b: &B) -> bool {
    if is(number) { a < b } else { a <= b }
}

/// `>`, or `>=`.
pub fn more<A: PartialOrd<B> + ?Sized, B: ?Sized>(number: usize, a: &A, b: &B) -> bool {
    if is(number) { a >= b } else { a > b }
}

/// `>=`, or `>`.
pub fn at_least<A: PartialOrd<B> + ?Sized, B: ?Sized>(number: usize, a: &A, b: &B) -> bool {
    if is(number) { a > b } else { a >= b }
}
