//! How many rows become tickets in one transaction. Whoever else writes for the organization, on SQLite for any, waits for the
//! whole of one: so it takes as long as he can be let wait, as many rows as that may be. Where nobody writes, it takes longer,
//! since few large ones take the least time in all. That somebody does is known by his having had the turn when it was asked
//! for, whichever server he is on.

use std::time::{Duration, Instant};

use super::make::HANDFUL;
use crate::ticket::MOST_ROWS;

/// How long somebody else is expected to come again after he was noticed.
const CALM: Duration = Duration::from_secs(2);
/// How long a transaction is to take while somebody else writes, and how long otherwise.
const SHORT: Duration = Duration::from_millis(4);
const LONG: Duration = Duration::from_millis(50);

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

    /// After a transaction of so many rows that took so long, before which somebody else had the turn or nobody did.
    pub fn after(&mut self, has_waited: bool, rows: usize, took: Duration) {
        if has_waited {
            self.noticed = Some(Instant::now());
        }
        let is_calm = self.noticed.is_none_or(|at| at.elapsed() > CALM);
        let long = if is_calm { LONG } else { SHORT };
        let fits = rows as f64 * long.as_secs_f64() / took.as_secs_f64().max(1e-6);
        // One that took long by chance does not change everything, unless somebody waits.
        let least = if is_calm { self.rows / 2 } else { HANDFUL };
        let rows = (fits as usize).clamp(least, self.rows * 2);
        // They are taken by handfuls, and one more would be too many.
        self.rows = (rows / HANDFUL * HANDFUL).clamp(HANDFUL, MOST_ROWS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paced(pace: &mut Pace, has_waited: bool, took: Duration) -> usize {
        pace.after(has_waited, pace.rows(), took);
        pace.rows()
    }

    #[test]
    fn m6_as_many_rows_at_once_as_others_can_be_let_wait_for_and_more_where_nobody_waits() {
        let mut pace = Pace::default();
        let rows = [LONG / 2, LONG / 2, LONG, LONG * 10, LONG / 10].map(|took| paced(&mut pace, false, took));
        assert_eq!(rows, [50, 100, 100, 50, 100]);
        // From now on somebody writes.
        assert_eq!(paced(&mut pace, true, SHORT * 2), 50);
        let rows = [SHORT, SHORT / 4, SHORT * 10].map(|took| paced(&mut pace, false, took));
        assert_eq!(rows, [50, 100, 25]);
        // What is no whole handful waits, and what was not there to be taken is not counted.
        let mut other = Pace::default();
        assert_eq!(paced(&mut other, false, LONG * 4 / 5), 25);
        other.rows = 100;
        other.after(false, 25, LONG / 3);
        assert_eq!(other.rows(), 75);
        pace.noticed = None;
        let rows = [(); 6].map(|()| paced(&mut pace, false, LONG / 100));
        assert_eq!(rows, [50, 100, 200, 400, 500, 500]);
    }
}
