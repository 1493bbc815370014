//! Which fault is turned on, and which were come by.

use std::{
    fs::OpenOptions,
    io::Write,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
};

static ON: LazyLock<usize> = LazyLock::new(|| {
    let on = std::env::var("MUTANT").ok();
    on.and_then(|number| number.parse().ok()).unwrap_or(usize::MAX)
});
static SEEN_FILE: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("MUTANT_SEEN").ok());
static SEEN: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];

/// Whether this fault is turned on.
pub fn is(number: usize) -> bool {
    if !SEEN[number].load(Ordering::Relaxed) {
        see(number);
    }
    number == *ON
}

fn see(number: usize) {
    if SEEN[number].swap(true, Ordering::Relaxed) {
        return;
    }
    if let Some(file) = &*SEEN_FILE
        && let Ok(mut file) = OpenOptions::new().append(true).open(file)
    {
        let _ = file.write_all(format!("{number}\n").as_bytes());
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
