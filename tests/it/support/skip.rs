//! What a test does when the machine lacks what it needs: it says so once, or fails where everything is required.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Mutex;

/// Whether `ORGDESK_TEST_REQUIRE_ALL=1` turns every skip into a failure.
pub fn everything_is_required() -> bool {
    std::env::var("ORGDESK_TEST_REQUIRE_ALL").is_ok_and(|value| value == "1")
}

/// Says "WHAT skipped: WHY", once a process for each `what`.
///
/// Written to the stream itself: the test harness would swallow the output of a test that passes.
///
/// # Panics
/// Where everything is required.
#[track_caller]
pub fn skipped(what: &str, why: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

    if everything_is_required() {
        panic!("{what} would be skipped, but ORGDESK_TEST_REQUIRE_ALL=1: {why}");
    }
    if SAID
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
        .insert(what.to_owned())
    {
        let _ = writeln!(std::io::stderr(), "\n{what} skipped: {why}");
    }
}
