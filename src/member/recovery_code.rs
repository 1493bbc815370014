//! The recovery codes of a member: each stands once for the second factor that he has not at hand. A code has 120 random
//! bits, so that a plain hash keeps it (NIST 800-63B-4, 3.1.2.2).

use sea_orm::{QueryFilter, entity::prelude::*};
use serde::Serialize;

use super::second_factor::base32;
use crate::kernel::{
    MemberId, OrganizationId, Reader, Result, Timestamp, Tx,
    record::part,
    secret::{SecretBytes, token_hash},
};

/// How many a member has at a time.
const MOST: usize = 10;

/// One code; only its hash is kept.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "recovery_code")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: MemberId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub code_hash: SecretBytes,
    pub used_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

part! { "recovery code", key: |row| row.member_id.to_string() }

/// New codes in the place of all others: four groups of six letters and digits each. They are told this once.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn renew(tx: &Tx, member: MemberId) -> Result<Vec<String>> {
    forget(tx, member).await?;
    let codes: Vec<String> = (0..MOST)
        .map(|_| base32(&tx.app().random.bytes::<15>()).to_lowercase())
        .collect();
    let row = |code: &String| Model {
        organization_id: tx.organization_id(),
        member_id: member,
        code_hash: token_hash(code),
        used_at: None,
    };
    tx.create_many::<Entity>(codes.iter().map(row).collect()).await?;
    Ok(codes.iter().map(|code| grouped(code)).collect())
}

/// Forgets a member's codes.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn forget(tx: &Tx, member: MemberId) -> Result<()> {
    let codes = tx.select::<Entity>().filter(Column::MemberId.eq(member));
    for code in codes.all().await? {
        tx.delete::<Entity>(code).await?;
    }
    Ok(())
}

/// Uses a code up; whether it was good. It is given in small letters and without spaces and hyphens.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn use_up(tx: &Tx, member: MemberId, code: &str) -> Result<bool> {
    let own = unused(tx, member).filter(Column::CodeHash.eq(token_hash(code)));
    let Some(code) = own.one().await? else {
        return Ok(false);
    };
    let now = tx.now();
    tx.update::<Entity>(code, |row| row.used_at = Some(now)).await?;
    Ok(true)
}

/// How many of a member's codes are still good.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn left(reader: &Reader, member: MemberId) -> Result<u64> {
    unused(reader, member).count().await
}

fn unused(reader: &Reader, member: MemberId) -> crate::kernel::reader::Scoped<'_, Entity> {
    let own = reader.select::<Entity>().filter(Column::MemberId.eq(member));
    own.filter(Column::UsedAt.is_null())
}

/// The code as people read and type it.
fn grouped(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    let groups: Vec<String> = letters.chunks(6).map(|group| group.iter().collect()).collect();
    groups.join("-")
}
