//! The few small tables that are read before it is known whose rows to see, or that belong to nobody: routes, due
//! jobs, price lists. None holds personal data; each table that may be read here says so by this trait.

use sea_orm::{ActiveModelTrait, EntityTrait, FromQueryResult, IntoActiveModel, PrimaryKeyTrait, QuerySelect, Select};

use super::{App, Caller, Reader, Result};

/// A table without an owner.
pub trait Unowned: EntityTrait {}

/// The row of this primary key.
///
/// # Errors
/// Only if the database fails.
pub async fn by_key<E: Unowned>(
    app: &App,
    key: <E::PrimaryKey as PrimaryKeyTrait>::ValueType,
) -> Result<Option<E::Model>> {
    Ok(E::find_by_id(key).one(app.database.looking()).await?)
}

/// The row of this primary key, as a view or deed sees it in its own transaction: whoever asked for a second connection
/// while holding one could wait for himself.
///
/// # Errors
/// Only if the database fails.
pub async fn within<E: Unowned>(
    reader: &Reader,
    key: <E::PrimaryKey as PrimaryKeyTrait>::ValueType,
) -> Result<Option<E::Model>> {
    Ok(E::find_by_id(key).one(&reader.connection).await?)
}

/// All rows, as a view or deed sees them in its own transaction.
///
/// # Errors
/// Only if the database fails.
pub async fn all_within<E: Unowned>(reader: &Reader) -> Result<Vec<E::Model>> {
    Ok(E::find().all(&reader.connection).await?)
}

/// All rows.
///
/// # Errors
/// Only if the database fails.
pub async fn all<E: Unowned>(app: &App) -> Result<Vec<E::Model>> {
    Ok(E::find().all(app.database.looking()).await?)
}

/// The first row, of another shape, of a selection that joins such tables: as the view of whoever has signed in sees it, who
/// holds a connection already.
///
/// # Errors
/// Only if the database fails.
pub async fn joined<E: Unowned, T: FromQueryResult + Send + Sync>(
    caller: &Caller,
    narrow: impl FnOnce(Select<E>) -> Select<E>,
) -> Result<Option<T>> {
    let select = narrow(E::find().select_only()).into_model::<T>();
    let Some(organization) = caller.organization_id() else {
        return Ok(select.one(caller.app().database.looking()).await?);
    };
    let view = caller.look(organization).await?;
    Ok(select.one(&view.connection).await?)
}

/// Adds a row that belongs to no organization, at the operator's word.
///
/// # Errors
/// If the database refuses it.
pub async fn add<E: Unowned>(app: &App, row: E::Model) -> Result<()>
where
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    E::insert(row.into_active_model().reset_all())
        .exec_without_returning(app.database.raw())
        .await?;
    Ok(())
}
