//! Many rows in one statement. SQLite takes them as the statement's own values. PostgreSQL would read and plan thousands of
//! these anew each time: it takes them as one JSON text, so that the statement is always the same and its plan stays.

use std::fmt::Write as _;

use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, DbBackend, IdenStatic, IntoActiveModel, Iterable,
    ModelTrait, Statement, Value,
};
use serde_json::{Map, Value as Json};

use super::{Error, Record, Result};

/// SQLite takes 32,766 values in one statement.
const MOST_VALUES: usize = 30_000;
/// Fewer rows than these are a plain statement on PostgreSQL too.
const FEW: usize = 16;
/// How large a JSON text grows before another is begun, in rows.
const MOST_ROWS: usize = 5_000;

/// Writes rows, all of which are the organization's own.
///
/// # Errors
/// If the database refuses one: then none is there.
pub(super) async fn insert<E: Record>(connection: &DatabaseTransaction, rows: &[E::Model]) -> Result<()> {
    if connection.get_database_backend() == DbBackend::Postgres && rows.len() >= FEW {
        for chunk in rows.chunks(MOST_ROWS) {
            let told = chunk.iter().map(told::<E>).collect::<Result<Vec<_>>>()?;
            let Some(told) = told.into_iter().collect::<Option<Vec<_>>>() else {
                plainly::<E>(connection, chunk).await?;
                continue;
            };
            let told = Json::Array(told).to_string();
            let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql::<E>(), [told.into()]);
            connection.execute_raw(statement).await?;
        }
        return Ok(());
    }
    plainly::<E>(connection, rows).await
}

/// Writes rows as values of the statements.
async fn plainly<E: Record>(connection: &DatabaseTransaction, rows: &[E::Model]) -> Result<()> {
    let width = E::Column::iter().count().max(1);
    for chunk in rows.chunks(MOST_VALUES / width) {
        let active = chunk.iter().map(|row| row.clone().into_active_model().reset_all());
        E::insert_many(active).exec_without_returning(connection).await?;
    }
    Ok(())
}

fn sql<E: Record>() -> String {
    let table = E::default().table_name().to_owned();
    let columns: Vec<_> = E::Column::iter()
        .map(|column| format!("\"{}\"", column.as_str()))
        .collect();
    let columns = columns.join(", ");
    format!(
        "INSERT INTO \"{table}\" ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::\"{table}\", $1::text::json)"
    )
}

/// A row as PostgreSQL reads it: each column as the text of its type. `None` for one that can't be told so.
fn told<E: Record>(row: &E::Model) -> Result<Option<Json>> {
    let mut object = Map::new();
    for column in E::Column::iter() {
        let Some(value) = json(row.get(column))? else {
            return Ok(None);
        };
        object.insert(column.as_str().to_owned(), value);
    }
    Ok(Some(Json::Object(object)))
}

/// A value in a row of JSON, where a null is an absent value and no column's own null: `None` for one of those.
fn json(value: Value) -> Result<Option<Json>> {
    let told = match value {
        Value::Bool(value) => value.map(Json::from),
        Value::SmallInt(value) => value.map(Json::from),
        Value::Int(value) => value.map(Json::from),
        Value::BigInt(value) => value.map(Json::from),
        Value::String(value) => value.map(Json::from),
        Value::Uuid(value) => value.map(|id| id.to_string().into()),
        Value::Bytes(value) => value.map(|bytes| hex(&bytes).into()),
        Value::Json(Some(json)) if json.is_null() => return Ok(None),
        Value::Json(value) => value.map(|json| *json),
        Value::ChronoDate(value) => value.map(|day| day.to_string().into()),
        Value::ChronoDateTimeUtc(value) => value.map(|at| at.to_rfc3339().into()),
        other => return Err(Error::internal(format!("{other:?} has no form in JSON"))),
    };
    Ok(Some(told.unwrap_or(Json::Null)))
}

/// Bytes as the database writes them.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("\\x".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn absent_values_nulls_and_texts_of_json_are_told_apart() {
        let told = |value| super::json(value).unwrap();
        let of = |value: Json| told(Value::Json(Some(Box::new(value))));
        assert_eq!(told(Value::Json(None)), Some(Json::Null), "absent");
        assert_eq!(told(Value::String(None)), Some(Json::Null), "absent");
        assert_eq!(of(Json::Null), None, "a column's own null has no form there");
        for same in [
            json!("null"),
            json!(""),
            json!([null]),
            json!({ "a": null }),
            json!(false),
            json!(0),
        ] {
            assert_eq!(of(same.clone()), Some(same));
        }
        assert_eq!(told(Value::from("null")), Some(json!("null")), "a text");
    }
}
