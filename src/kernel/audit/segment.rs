//! Sealed segments: what stands in a chain for entries that were removed at the end of their time. A segment says which
//! places it covers, of which time, and with which hash the chain goes on; the key seals it, so that nobody else can make
//! one up. The database lets an entry go only where a segment covers it, and [`Tx::remove_sealed`] is the one door.

use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, QueryFilter, entity::prelude::*};
use serde::Serialize;

use crate::kernel::{
    AuditLog, Keys, OrganizationId, Record, Result, Timestamp, Tx, audit::Change, permission, record::part,
};

/// A stretch of a chain that was removed at the end of its time.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "audit_segment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub log: AuditLog,
    #[sea_orm(primary_key, auto_increment = false)]
    pub first_sequence: i64,
    pub last_sequence: i64,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub previous_hash: Vec<u8>,
    pub last_hash: Vec<u8>,
    pub sealed_at: Timestamp,
    pub seal: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "audit segment", key: |row| format!("{} {}-{}", row.log.to_value(), row.first_sequence, row.last_sequence) }

/// The oldest entries of a log, whole ones, whose time is over.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// In which log.
    pub log: AuditLog,
    /// The first and the last place.
    pub places: (i64, i64),
    /// When the first and the last happened.
    pub times: (Timestamp, Timestamp),
    /// The hash before the first, and that of the last.
    pub hashes: (Vec<u8>, Vec<u8>),
}

/// The seal that a segment must have.
pub(super) fn seal(keys: &Keys, segment: &Model) -> Result<Vec<u8>> {
    let mut told = segment.clone();
    told.seal = Vec::new();
    // No link of a chain begins like this: what stands in its place there is nothing, or a hash of 32 bytes.
    Ok(keys.chain(b"audit segment", &serde_json::to_vec(&told)?))
}

impl Tx {
    /// Puts a sealed segment in the place of these entries and their rows of the permission-change log. The log holds
    /// what went.
    ///
    /// # Errors
    /// If the database fails, or the entries are not there.
    pub async fn remove_sealed(&self, stretch: Stretch) -> Result<u64> {
        let (first, last) = stretch.places;
        let mut segment = Model {
            organization_id: self.organization_id(),
            log: stretch.log,
            first_sequence: first,
            last_sequence: last,
            first_at: stretch.times.0,
            last_at: stretch.times.1,
            previous_hash: stretch.hashes.0,
            last_hash: stretch.hashes.1,
            sealed_at: self.now(),
            seal: Vec::new(),
        };
        segment.seal = seal(&self.app().keys, &segment)?;
        let told = [
            Column::Log,
            Column::FirstSequence,
            Column::LastSequence,
            Column::FirstAt,
            Column::LastAt,
        ];
        self.create_telling::<Entity>(segment, &told).await?;
        let connection = &self.reader().connection;
        let rights = permission::Entity::delete_many()
            .filter(permission::Column::OrganizationId.eq(self.organization_id()))
            .filter(permission::Column::Log.eq(stretch.log))
            .filter(permission::Column::Sequence.between(first, last));
        let rights = rights.exec(connection).await?.rows_affected;
        let entries = super::Entity::delete_many()
            .filter(super::Column::OrganizationId.eq(self.organization_id()))
            .filter(super::Column::Log.eq(stretch.log))
            .filter(super::Column::Sequence.between(first, last));
        let entries = entries.exec(connection).await?.rows_affected;
        self.tell_gone::<super::Entity>(entries);
        self.tell_gone::<permission::Entity>(rights);
        Ok(entries)
    }

    /// Tells how many rows of a log went.
    pub(crate) fn tell_gone<E: Record>(&self, count: u64) {
        if count > 0 {
            self.told().tell(Change {
                record: E::NAME.into(),
                key: "*".into(),
                field: Some("count".into()),
                before: Some(count.to_string()),
                after: None,
            });
        }
    }
}
