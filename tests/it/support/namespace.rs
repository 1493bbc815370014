//! Mounts of a process's own, where the machine permits them.

use std::process::Command;

use super::skip::skipped;

/// The arguments with which `unshare` makes a mount namespace here; `None`, said once, where this machine does not let us.
pub fn own_mounts(what: &str) -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];
    let works = |way: &&[&str]| {
        let trial = Command::new("unshare")
            .args(*way)
            .args(["mount", "--make-rprivate", "/"])
            .output();
        trial.is_ok_and(|output| output.status.success())
    };
    let way = ways.into_iter().find(works);
    if way.is_none() {
        skipped(what, "this machine does not permit `unshare --mount`");
    }
    way
}
