//! A line that shows how far something is: on a terminal and nowhere else, so that nothing of it gets into files.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    time::{Duration, Instant},
};

/// The least time between two lines: a terminal may be slow, and far away.
const EVERY: Duration = Duration::from_millis(100);
/// How many characters the bar has.
const WIDTH: u64 = 30;

/// How far something is, on standard error. The line goes with this value.
#[derive(Debug)]
pub(super) struct Progress {
    what: &'static str,
    is_shown: bool,
    last: Option<Instant>,
}

impl Progress {
    /// For things of this name; nothing is shown where standard error is no terminal.
    pub(super) fn on_terminal(what: &'static str) -> Self {
        Self {
            what,
            is_shown: stderr().is_terminal(),
            last: None,
        }
    }

    /// Whether anybody sees it.
    pub(super) fn is_shown(&self) -> bool {
        self.is_shown
    }

    /// So many are done, of so many if that is known.
    pub(super) fn tell(&mut self, done: u64, all: Option<u64>) {
        if self.is_shown && self.last.is_none_or(|last| last.elapsed() >= EVERY) {
            self.last = Some(Instant::now());
            self.show(&line(done, all, self.what));
        }
    }

    fn show(&self, line: &str) {
        // Back to the line's beginning, and nothing left of what stood there. Who can't be told goes on untold.
        let _ = write!(stderr(), "\r{line}\x1b[K");
        let _ = stderr().flush();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.last.is_some() {
            self.show("");
        }
    }
}

fn line(done: u64, all: Option<u64>, what: &str) -> String {
    match all {
        Some(all) if all > 0 => {
            let filled = WIDTH * done.min(all) / all;
            let bar = |letter: &str, count| letter.repeat(usize::try_from(count).unwrap_or(0));
            format!(
                "[{}{}] {done} of {all} {what}",
                bar("#", filled),
                bar(".", WIDTH - filled)
            )
        }
        _ => format!("{done} {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_bar_is_as_long_as_what_is_done_and_never_longer() {
        assert_eq!(line(12, None, "rows"), "12 rows");
        assert_eq!(line(0, Some(0), "rows"), "0 rows");
        assert_eq!(line(0, Some(9), "rows"), format!("[{}] 0 of 9 rows", ".".repeat(30)));
        assert_eq!(
            line(5, Some(10), "rows"),
            format!("[{}{}] 5 of 10 rows", "#".repeat(15), ".".repeat(15))
        );
        assert_eq!(
            line(12, Some(10), "rows"),
            format!("[{}] 12 of 10 rows", "#".repeat(30))
        );
    }
}
