//! Python, for what tests ask others' programs.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A Python that has a module: the one that `.ci/run` makes, or the machine's; `None` where neither has it.
pub fn python(module: &str) -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("python/bin/python");
    [own, PathBuf::from("python3")].into_iter().find(|python| {
        let tried = Command::new(python).args(["-c", &format!("import {module}")]).output();
        tried.is_ok_and(|tried| tried.status.success())
    })
}
