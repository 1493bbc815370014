//! Statements whose text never changes: made once for each database and then only filled in. Making the text of the
//! statement that begins every request took as long as running the rest of a small one.

use std::sync::OnceLock;

use sea_orm::{DbBackend, Statement, Value, sea_query::Values};
use uuid::Uuid;

/// A statement that differs from one time to the next in IDs only. One `static` is one statement.
#[derive(Debug)]
pub struct Constant {
    sqlite: OnceLock<Text>,
    postgres: OnceLock<Text>,
}

/// A text with its values, and which of them stand for which ID.
#[derive(Debug)]
struct Text {
    sql: String,
    values: Vec<Value>,
    places: Vec<(usize, usize)>,
}

impl Constant {
    /// One that nobody has asked for yet.
    pub const fn new() -> Self {
        Self {
            sqlite: OnceLock::new(),
            postgres: OnceLock::new(),
        }
    }

    /// The statement with these IDs, which `make` has in it; `make` is asked the first time only. All values that are one
    /// of the IDs change with it, and no other does.
    pub(super) fn of<const N: usize>(
        &self,
        ids: [Uuid; N],
        backend: DbBackend,
        make: impl FnOnce() -> Statement,
    ) -> Statement {
        let text = match backend {
            DbBackend::Postgres => &self.postgres,
            _ => &self.sqlite,
        };
        if let Some(text) = text.get() {
            return text.fill(ids, backend);
        }
        let made = make();
        // Where two of them are the same, it can't be seen which is which.
        let are_distinct = (1..N).all(|at| !ids[..at].contains(&ids[at]));
        if are_distinct {
            let _ = text.set(Text::of(&made, ids));
        }
        made
    }
}

impl Text {
    fn of<const N: usize>(made: &Statement, ids: [Uuid; N]) -> Self {
        let values = made.values.as_ref().map_or_else(Vec::new, |values| values.0.clone());
        let place = |(at, value): (usize, &Value)| match value {
            Value::Uuid(Some(id)) => ids.iter().position(|known| known == id).map(|which| (at, which)),
            _ => None,
        };
        Self {
            sql: made.sql.clone(),
            places: values.iter().enumerate().filter_map(place).collect(),
            values,
        }
    }

    fn fill<const N: usize>(&self, ids: [Uuid; N], db_backend: DbBackend) -> Statement {
        let mut values = self.values.clone();
        for (at, which) in &self.places {
            values[*at] = Value::Uuid(Some(ids[*which]));
        }
        Statement {
            sql: self.sql.clone(),
            values: Some(Values(values)),
            db_backend,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(ids: [Uuid; 2]) -> Statement {
        let other = Uuid::from_u128(99);
        let values = [
            ids[1].into(),
            other.into(),
            ids[0].into(),
            ids[1].into(),
            "ACTIVE".into(),
        ];
        Statement::from_sql_and_values(DbBackend::Postgres, "SELECT $1, $2, $3, $4, $5", values)
    }

    #[test]
    fn what_is_filled_in_is_what_would_be_made() {
        static ONE: Constant = Constant::new();
        for [a, b] in [[1, 2], [3, 4], [2, 1], [5, 5], [99, 1]] {
            let ids = [a, b].map(Uuid::from_u128);
            assert_eq!(ONE.of(ids, DbBackend::Postgres, || made(ids)), made(ids));
        }
    }

    #[test]
    fn two_that_are_the_same_are_not_taken_apart() {
        static ONE: Constant = Constant::new();
        for [a, b] in [[1, 1], [1, 2], [2, 1]] {
            let ids = [a, b].map(Uuid::from_u128);
            assert_eq!(ONE.of(ids, DbBackend::Postgres, || made(ids)), made(ids));
        }
    }
}
