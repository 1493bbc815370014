//! A job on its way through the runner, which keeps nothing of it but this text.

use std::{fmt, str::FromStr};

use super::Model;
use crate::kernel::JobId;

/// A job that was taken, as it was then. Whoever comes with an earlier state than the row's comes too late: a job that
/// waited so long in the runner that it was handed over again is not begun twice at once, nor once more when it was put off
/// meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Which job.
    pub id: JobId,
    /// How often it had been begun in all.
    pub generation: i64,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.generation)
    }
}

impl FromStr for Taken {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (id, generation) = text.split_once(' ').ok_or(())?;
        Ok(Self {
            id: id.parse()?,
            generation: generation.parse().map_err(|_| ())?,
        })
    }
}

impl From<&Model> for Taken {
    fn from(job: &Model) -> Self {
        Self {
            id: job.id,
            generation: job.generation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_survives_its_text() {
        for generation in [0, 1, i64::MAX] {
            let id = JobId(uuid::Uuid::from_u128(7));
            let taken = Taken { id, generation };
            assert_eq!(taken.to_string().parse(), Ok(taken));
        }
        for wrong in [
            "",
            "job_00000000000000000000000007",
            "job_00000000000000000000000007 x",
            "job_7 1",
        ] {
            assert_eq!(wrong.parse::<Taken>(), Err(()), "{wrong}");
        }
    }
}
