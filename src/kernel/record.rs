//! What the kernel has to know of a table whose rows belong to an organization: its name in the logs, the column of
//! its owner, its key, its lock counter, the rights that its rows give, and the log that they are.

use sea_orm::{Condition, EntityTrait, FromQueryResult, IntoActiveModel, ModelTrait};
use serde::Serialize;

use super::permission::Grants;

/// A table of an organization's rows. `record!` writes this for an area's table.
pub trait Record:
    EntityTrait<
    Model: ModelTrait<Entity = Self>
               + FromQueryResult
               + IntoActiveModel<<Self as EntityTrait>::ActiveModel>
               + Serialize
               + Sync
               + Unpin,
>
{
    /// What its rows are called in the logs.
    const NAME: &'static str;

    /// What rights its rows give, where they give any: whatever writes one then leaves it in the permission-change log.
    const GRANTS: Option<Grants<<Self as EntityTrait>::Model>> = None;

    /// The log that its rows are, where they are one that people read: who reads them leaves an entry in the log of access.
    const LOG: Option<&'static str> = None;

    /// The column that says whose a row is.
    fn owner() -> Self::Column;

    /// The lock counter, where rows can be edited.
    fn version() -> Option<Self::Column>;

    /// The text that names one row, such as its ID.
    fn key(row: &Self::Model) -> String;

    /// How people recognise the row.
    fn label(row: &Self::Model) -> String;

    /// The service that the row is about, where it is about one.
    fn service(row: &Self::Model) -> Option<uuid::Uuid>;

    /// The row of this key; `None` where the text can't be one.
    fn of_key(text: &str) -> Option<Condition>;
}

/// Implements [`Record`] for the table in scope: `record! { "service", ServiceId, label: name, version: Version,
/// service: id }`. Where its rows give rights, `grants: GRANTS` follows; where they are a log, `log: "NAME"` comes last.
macro_rules! record {
    ($name:literal, $id:ty, label: $label:ident $(, version: $version:ident)? $(, service: $service:ident)?
     $(, grants: $grants:expr)? $(, log: $log:literal)?) => {
        impl $crate::kernel::Record for Entity {
            const NAME: &'static str = $name;
            $(const GRANTS: Option<$crate::kernel::permission::Grants<Model>> = Some($grants);)?
            $(const LOG: Option<&'static str> = Some($log);)?

            fn owner() -> Column {
                Column::OrganizationId
            }

            fn version() -> Option<Column> {
                [$(Column::$version)?].into_iter().next()
            }

            fn key(row: &Model) -> String {
                row.id.to_string()
            }

            fn label(row: &Model) -> String {
                row.$label.to_string()
            }

            fn service(row: &Model) -> Option<uuid::Uuid> {
                let _ = row;
                [$(uuid::Uuid::from(row.$service))?].into_iter().next()
            }

            fn of_key(text: &str) -> Option<sea_orm::Condition> {
                use sea_orm::ColumnTrait as _;
                let id: $id = text.parse().ok()?;
                Some(sea_orm::Condition::all().add(Column::Id.eq(id)))
            }
        }

        impl $crate::kernel::Outcome for Model {
            type Receipt = String;

            fn receipt(&self) -> String {
                self.id.to_string()
            }

            async fn again(tx: &$crate::kernel::Tx, receipt: String) -> $crate::kernel::Result<Self> {
                tx.find::<Entity>("id", &receipt).await
            }
        }

        impl sea_orm::ActiveModelBehavior for ActiveModel {}
    };
}

/// Implements [`Record`] for a table whose rows have no ID of their own: parts of something, written and read with it.
macro_rules! part {
    ($name:literal, key: |$row:ident| $key:expr $(, version: $version:ident)? $(, service: $service:ident)?
     $(, grants: $grants:expr)?) => {
        impl $crate::kernel::Record for Entity {
            const NAME: &'static str = $name;
            $(const GRANTS: Option<$crate::kernel::permission::Grants<Model>> = Some($grants);)?

            fn owner() -> Column {
                Column::OrganizationId
            }

            fn version() -> Option<Column> {
                [$(Column::$version)?].into_iter().next()
            }

            fn key($row: &Model) -> String {
                $key
            }

            fn label(row: &Model) -> String {
                Self::key(row)
            }

            fn service(row: &Model) -> Option<uuid::Uuid> {
                let _ = row;
                [$(uuid::Uuid::from(row.$service))?].into_iter().next()
            }

            fn of_key(_: &str) -> Option<sea_orm::Condition> {
                None
            }
        }

        impl sea_orm::ActiveModelBehavior for ActiveModel {}
    };
}

pub(crate) use {part, record};
