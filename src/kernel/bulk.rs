//! Many rows in one statement, whose text is the same each time, so that its plan stays. PostgreSQL takes them column by
//! column, an array for each; SQLite as the values of so many rows at once, for which there are few numbers.

use std::{collections::HashSet, fmt::Write as _};

use sea_orm::{ConnectionTrait, DbBackend, IdenStatic, Iterable, ModelTrait, Statement, Value, sea_query::ArrayType};
use uuid::Uuid;

use super::{Error, Record, Result, transaction::Transaction};

/// How many rows PostgreSQL takes at once.
const ON_POSTGRES: usize = 5_000;
/// How many rows SQLite takes at once, as many of the first as there are, and so on. Its own limit is 32,766 values.
const ON_SQLITE: [usize; 8] = [128, 64, 32, 16, 8, 4, 2, 1];

/// Writes rows, all of which are the organization's own.
///
/// # Errors
/// If the database refuses one: then none is there.
pub(super) async fn insert<E: Record>(connection: &Transaction, rows: &[E::Model]) -> Result<()> {
    for statement in statements::<E>(connection.get_database_backend(), rows) {
        connection.execute_raw(statement?).await?;
    }
    Ok(())
}

/// Writes those of rows that have nothing which only one can have by this index, and answers their IDs.
///
/// # Errors
/// If the database refuses one for another reason: then none is there.
pub(super) async fn insert_new<E: Record>(
    connection: &Transaction,
    rows: &[E::Model],
    Unique { index, id }: Unique<E::Column>,
) -> Result<HashSet<Uuid>> {
    let mut came = HashSet::new();
    for statement in statements::<E>(connection.get_database_backend(), rows) {
        let mut statement = statement?;
        let id = id.as_str();
        let _ = write!(statement.sql, " ON CONFLICT {index} DO NOTHING RETURNING \"{id}\"");
        for row in connection.query_all_raw(statement).await? {
            came.insert(row.try_get_by_index(0)?);
        }
    }
    Ok(came)
}

/// What only one row can have: an index by its columns and its condition, as SQL names it where rows conflict; and the
/// column by which rows are told apart.
#[derive(Clone, Copy, Debug)]
pub struct Unique<C> {
    /// Such as `(organization_id, code) WHERE code IS NOT NULL`.
    pub index: &'static str,
    /// The rows' ID.
    pub id: C,
}

fn statements<E: Record>(backend: DbBackend, mut rows: &[E::Model]) -> impl Iterator<Item = Result<Statement>> {
    std::iter::from_fn(move || {
        let is_postgres = backend == DbBackend::Postgres;
        let most = if is_postgres {
            rows.len().min(ON_POSTGRES)
        } else {
            ON_SQLITE.into_iter().find(|most| *most <= rows.len()).unwrap_or(0)
        };
        let (now, later) = rows.split_at_checked(most).filter(|(now, _)| !now.is_empty())?;
        rows = later;
        Some(if is_postgres {
            by_columns::<E>(now)
        } else {
            Ok(by_rows::<E>(now))
        })
    })
}

/// The statement with an array for each column, and for a column in which some row has nothing another that says which.
fn by_columns<E: Record>(rows: &[E::Model]) -> Result<Statement> {
    let (mut arrays, mut names, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    let mut add = |values: Vec<Value>, kind: ArrayType, name: String| {
        arrays.push(Value::Array(kind, Some(Box::new(values))));
        names.push(name);
    };
    for (number, column) in E::Column::iter().enumerate() {
        let values: Vec<_> = rows.iter().map(|row| row.get(column)).collect();
        let Some(kind) = values.first().map(Value::array_type) else {
            return Err(Error::internal("no rows to write"));
        };
        if values.iter().all(Value::is_some) {
            add(values, kind, format!("c{number}"));
            shown.push(format!("c{number}"));
            continue;
        }
        // The driver takes arrays without gaps only.
        let is_there = values.iter().map(|value| Value::from(value.is_some())).collect();
        let filled = |value: Value| if value.is_some() { value } else { value.dummy_value() };
        add(values.into_iter().map(filled).collect(), kind, format!("c{number}"));
        add(is_there, ArrayType::Bool, format!("t{number}"));
        shown.push(format!("CASE WHEN t{number} THEN c{number} END"));
    }
    let places: Vec<_> = (1..=arrays.len()).map(|place| format!("${place}")).collect();
    let sql = format!(
        "{} SELECT {} FROM unnest({}) AS rows ({})",
        into::<E>(),
        shown.join(", "),
        places.join(", "),
        names.join(", ")
    );
    Ok(Statement::from_sql_and_values(DbBackend::Postgres, sql, arrays))
}

/// The statement with the values of each row.
fn by_rows<E: Record>(rows: &[E::Model]) -> Statement {
    let line = format!("({})", vec!["?"; E::Column::iter().count()].join(", "));
    let sql = format!("{} VALUES {}", into::<E>(), vec![line; rows.len()].join(", "));
    let values = rows
        .iter()
        .flat_map(|row| E::Column::iter().map(|column| row.get(column)));
    Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)
}

fn into<E: Record>() -> String {
    let columns: Vec<_> = E::Column::iter()
        .map(|column| format!("\"{}\"", column.as_str()))
        .collect();
    format!("INSERT INTO \"{}\" ({})", E::default().table_name(), columns.join(", "))
}
