//! How many rows become tickets in one transaction. Whoever else writes for the organization, on SQLite for any, waits for the
//! whole of one: many where nobody does, since that takes the least time in all, and few while somebody does. That somebody
//! does is known by having had to wait oneself, whichever server he is on.

use std::time::{Duration, Instant};

use super::make::HANDFUL;

/// The most rows.
const MOST: usize = 10 * HANDFUL;
/// Having waited longer than this for one's turn means that somebody else had it.
const NOTICED: Duration = Duration::from_millis(4);
/// How long few rows are enough after somebody else was noticed.
const CALM: Duration = Duration::from_secs(5);

/// The pace of one import.
pub(super) struct Pace {
    rows: usize,
    noticed: Option<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            rows: HANDFUL,
            noticed: None,
        }
    }
}

impl Pace {
    /// How many rows are to become tickets at once.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// After one has waited so long for one's turn.
    pub fn after(&mut self, waited: Duration) {
        if waited > NOTICED {
            self.noticed = Some(Instant::now());
            self.rows = HANDFUL;
        } else if self.noticed.is_none_or(|at| at.elapsed() > CALM) {
            self.rows = (self.rows * 2).min(MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m6_few_rows_at_once_while_somebody_else_writes_and_many_otherwise() {
        let mut pace = Pace::default();
        for rows in [25, 50, 100, 200, 250, 250] {
            assert_eq!(pace.rows(), rows);
            pace.after(NOTICED);
        }
        pace.after(NOTICED * 2);
        for _ in 0..9 {
            assert_eq!(pace.rows(), 25);
            pace.after(Duration::ZERO);
        }
        pace.noticed = None;
        pace.after(Duration::ZERO);
        assert_eq!(pace.rows(), 50);
    }
}
