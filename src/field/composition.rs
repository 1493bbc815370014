//! A service's fields as a whole: a fingerprint of what they are, a counter of its changes, and every version that they
//! ever had. Rows of versions never change.

use async_graphql::SimpleObject;
use sea_orm::{FromJsonQueryResult, QueryFilter, QueryOrder, entity::prelude::*};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    entity::{self, Model as Field},
    kind::FieldType,
    text::Text,
};
use crate::kernel::{OrganizationId, Outcome, Reader, Record, Result, ServiceId, Timestamp, Tx, record::part};

/// What a field is to whoever fills it in: what differs makes another composition.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Described {
    /// What programs call it; never another field's.
    pub code: String,
    /// Its type, by its name in the API.
    pub kind: String,
    /// Language and title, each.
    pub titles: Vec<(String, String)>,
    /// The most characters; 0 for no limit.
    pub length: i32,
    /// Its options.
    pub options: Vec<Vec<String>>,
    /// Whether it must be there.
    pub is_required: bool,
    /// Whether it is encrypted.
    pub is_encrypted: bool,
    /// Who sees it, by its name in the API.
    pub visibility: String,
}

impl From<&Field> for Described {
    fn from(field: &Field) -> Self {
        let title = |text: &Text| (text.language.clone(), text.title.clone());
        Self {
            code: field.code.clone(),
            kind: sea_orm::ActiveEnum::to_value(&field.kind),
            titles: field.texts.0.iter().map(title).collect(),
            length: field.length,
            options: field.options.0.clone(),
            is_required: field.is_required,
            is_encrypted: field.is_encrypted,
            visibility: sea_orm::ActiveEnum::to_value(&field.visibility),
        }
    }
}

/// Every field of a service, in their order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, FromJsonQueryResult)]
pub struct All(pub Vec<Described>);

impl All {
    fn of(fields: &[Field]) -> Self {
        Self(fields.iter().map(Described::from).collect())
    }

    /// 128 bits of SHA-256 in hexadecimal: the same for the same fields in the same order, whichever the service.
    fn fingerprint(&self) -> Result<String> {
        let digest = Sha256::digest(serde_json::to_vec(self)?);
        Ok(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }
}

/// 필드 구성: a service's fields as a whole.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "field_composition")]
#[graphql(name = "FieldComposition", complex)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    #[expect(missing_docs, reason = "it says by its name what it is")]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    #[expect(missing_docs, reason = "it says by its name what it is")]
    pub service_id: ServiceId,
    /// What tells it from every other: codes, types, titles, lengths, options, what is required, encrypted and seen by whom, and the order. Templates carry it.
    pub fingerprint: String,
    /// When the fields last became others.
    pub changed_at: Timestamp,
    /// Counts the changes: give it back as `expectedVersion` of `fieldReorder`.
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

pub use Model as Composition;

impl Record for Entity {
    const NAME: &'static str = "field composition";

    fn owner() -> Column {
        Column::OrganizationId
    }

    fn version() -> Option<Column> {
        Some(Column::Version)
    }

    fn key(row: &Model) -> String {
        row.service_id.to_string()
    }

    fn label(row: &Model) -> String {
        row.fingerprint.clone()
    }

    fn service(row: &Model) -> Option<Uuid> {
        Some(row.service_id.0)
    }

    fn of_key(text: &str) -> Option<sea_orm::Condition> {
        let service: ServiceId = text.parse().ok()?;
        Some(sea_orm::Condition::all().add(Column::ServiceId.eq(service)))
    }
}

impl ActiveModelBehavior for ActiveModel {}

impl Outcome for Model {
    type Receipt = String;

    fn receipt(&self) -> String {
        self.service_id.to_string()
    }

    async fn again(tx: &Tx, receipt: String) -> Result<Self> {
        tx.find::<Entity>("id", &receipt).await
    }
}

/// The versions of compositions.
pub(super) mod revision {
    use super::*;

    /// A composition as it was.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
    #[sea_orm(table_name = "field_composition_revision")]
    pub struct Model {
        /// Whose it is.
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization_id: OrganizationId,
        /// Of which service.
        #[sea_orm(primary_key, auto_increment = false)]
        pub service_id: ServiceId,
        /// The counter that it had.
        #[sea_orm(primary_key, auto_increment = false)]
        pub revision: i32,
        /// What told it from others.
        pub fingerprint: String,
        /// The fields.
        pub composition: All,
        /// When it was made.
        pub made_at: Timestamp,
        /// Who made it: the name as it was then.
        pub made_by: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    part! { "field composition revision", key: |row| format!("{}#{}", row.service_id, row.revision), service: service_id }
}

/// The fields of services that are there, each service's in their order.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn fields(reader: &Reader, services: &[ServiceId]) -> Result<Vec<Field>> {
    let there = reader
        .select::<entity::Entity>()
        .filter(entity::Column::ServiceId.is_in(services.iter().copied()))
        .filter(entity::Column::RemovedAt.is_null());
    there
        .order_by_asc(entity::Column::Position)
        .order_by_asc(entity::Column::Id)
        .all()
        .await
}

/// A service's composition as it is. A service that was there before fields were has its first one as soon as somebody
/// looks or changes anything; until then its row is absent and what it says follows from the fields.
///
/// # Errors
/// Only if the database fails.
pub async fn current(reader: &Reader, service: ServiceId) -> Result<Composition> {
    let row = reader.seek::<Entity>(&service.to_string()).await?;
    match row {
        Some(row) => Ok(row),
        None => first(reader, service, &fields(reader, &[service]).await?),
    }
}

/// The first composition of fields.
pub(super) fn first(reader: &Reader, service: ServiceId, fields: &[Field]) -> Result<Composition> {
    let since = fields.iter().map(|field| field.created_at).max();
    Ok(Model {
        organization_id: reader.organization_id(),
        service_id: service,
        fingerprint: All::of(fields).fingerprint()?,
        changed_at: since.unwrap_or(Timestamp(chrono::DateTime::UNIX_EPOCH)),
        version: 1,
    })
}

/// What was sent out under a fingerprint: the fields as they were then. `None` for none of this service's.
///
/// # Errors
/// Only if the database fails.
pub async fn of_fingerprint(reader: &Reader, service: ServiceId, fingerprint: &str) -> Result<Option<Vec<Described>>> {
    let found = reader
        .select::<revision::Entity>()
        .filter(revision::Column::ServiceId.eq(service))
        .filter(revision::Column::Fingerprint.eq(fingerprint))
        .order_by_desc(revision::Column::Revision)
        .one()
        .await?;
    Ok(found.map(|found| found.composition.0))
}

/// Writes a service's first composition with its version.
pub(super) async fn found(tx: &Tx, service: ServiceId, fields: &[Field]) -> Result<Composition> {
    let row = first(tx, service, fields)?;
    tx.create_many::<Entity>(vec![row.clone()]).await?;
    keep(tx, &row, fields).await?;
    Ok(row)
}

/// Counts a change of the fields, if it made them others.
pub(super) async fn follow(tx: &Tx, before: Composition) -> Result<Composition> {
    let fields = fields(tx, &[before.service_id]).await?;
    let fingerprint = All::of(&fields).fingerprint()?;
    if fingerprint == before.fingerprint {
        return Ok(before);
    }
    let now = tx.now();
    let after = tx
        .update::<Entity>(before, |row| {
            row.fingerprint = fingerprint;
            row.changed_at = now;
        })
        .await?;
    keep(tx, &after, &fields).await?;
    Ok(after)
}

async fn keep(tx: &Tx, composition: &Composition, fields: &[Field]) -> Result<()> {
    let row = revision::Model {
        organization_id: composition.organization_id,
        service_id: composition.service_id,
        revision: composition.version,
        fingerprint: composition.fingerprint.clone(),
        composition: All::of(fields),
        made_at: tx.now(),
        made_by: tx.actor().display_name(),
    };
    tx.create_many::<revision::Entity>(vec![row]).await
}

/// How many levels the options of a field have at most.
pub(super) fn deepest(code: &str, kind: FieldType) -> usize {
    match (kind, code) {
        (FieldType::Dropdown, super::system::CATEGORY) => super::text::DEEPEST,
        _ => 1,
    }
}
