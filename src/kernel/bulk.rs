//! Many rows in one statement, whose text is the same each time, so that its plan stays. PostgreSQL takes them column by
//! column, an array for each; SQLite as the values of so many rows at once.

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, IdenStatic, Iterable, ModelTrait, Statement, Value,
    sea_query::ArrayType,
};

use super::{Error, Record, Result};

/// How many rows PostgreSQL takes at once.
const ON_POSTGRES: usize = 5_000;
/// How many rows SQLite takes at once. Its own limit is 32,766 values.
const ON_SQLITE: usize = 128;

/// Writes rows, all of which are the organization's own.
///
/// # Errors
/// If the database refuses one: then none is there.
pub(super) async fn insert<E: Record>(connection: &DatabaseTransaction, rows: &[E::Model]) -> Result<()> {
    if connection.get_database_backend() == DbBackend::Postgres {
        for rows in rows.chunks(ON_POSTGRES) {
            connection.execute_raw(by_columns::<E>(rows)?).await?;
        }
        return Ok(());
    }
    for rows in rows.chunks(ON_SQLITE) {
        connection.execute_raw(by_rows::<E>(rows)).await?;
    }
    Ok(())
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
