//! Who held which CTI ID and number from when until when. A row is written when they are given and ended when they are
//! taken back or changed; it never goes.
#![expect(missing_docs, reason = "a table without relations has none to speak of")]

use std::collections::HashMap;

use async_graphql::SimpleObject;
use sea_orm::{QueryFilter, entity::prelude::*};
use serde::Serialize;

use super::number::Pair;
use crate::kernel::{CtiHoldingId, MemberId, OrganizationId, Reader, Result, Timestamp, Tx, record::record};

/// A time in which a member held a CTI ID and number. It never goes; while he holds them it has no end.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "cti_agent_history")]
#[graphql(name = "CtiHolding", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CtiHoldingId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    #[graphql(skip)]
    pub member_id: MemberId,
    /// CTI ID, as it was written.
    pub cti_id: String,
    #[graphql(skip)]
    pub cti_id_key: String,
    /// CTI NO: digits, zeros in front among them.
    pub cti_number: String,
    /// From when on.
    pub held_from: Timestamp,
    /// Until when, that instant not included; null while he does.
    pub held_until: Option<Timestamp>,
    /// Who gave them: the name as it was then.
    pub given_by: String,
    /// Who took or changed them: the name as it was then; null while he holds them.
    pub taken_by: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "CTI holding", CtiHoldingId, label: cti_number }

/// What members hold, as far as they hold anything: one statement.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn open(
    reader: &Reader,
    members: impl IntoIterator<Item = MemberId>,
) -> Result<HashMap<MemberId, Model>> {
    let rows = reader
        .select::<Entity>()
        .filter(Column::MemberId.is_in(members))
        .filter(Column::HeldUntil.is_null());
    Ok(rows.all().await?.into_iter().map(|row| (row.member_id, row)).collect())
}

/// Ends a time. A clock that was set back does not let it end before it began.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn end(tx: &Tx, row: Model) -> Result<()> {
    let until = tx.now().max(row.held_from);
    let by = tx.actor().display_name();
    let change = |row: &mut Model| {
        row.held_until = Some(until);
        row.taken_by = Some(by);
    };
    tx.update::<Entity>(row, change).await.map(drop)
}

/// Begins times, at this instant. What each member got is told by the change of his own row.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn begin(tx: &Tx, given: impl IntoIterator<Item = (MemberId, Pair)>) -> Result<()> {
    let row = |(member_id, pair): (MemberId, Pair)| Model {
        id: tx.fresh_id(),
        organization_id: tx.organization_id(),
        member_id,
        cti_id_key: pair.key(),
        cti_id: pair.id,
        cti_number: pair.number,
        held_from: tx.now(),
        held_until: None,
        given_by: tx.actor().display_name(),
        taken_by: None,
    };
    tx.create_many::<Entity>(given.into_iter().map(row).collect()).await
}
