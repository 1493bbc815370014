//! Who held which CTI ID and number from when until when. A row is written when they are given and ended when they are
//! taken back or changed; it never goes.
#![expect(missing_docs, reason = "a table without relations has none to speak of")]

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{CtiHoldingId, MemberId, OrganizationId, Timestamp, record::record};

/// A time in which a member held a CTI ID and number.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "cti_agent_history")]
pub struct Model {
    /// Which.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CtiHoldingId,
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Who held them.
    pub member_id: MemberId,
    /// CTI ID, as it was written.
    pub cti_id: String,
    /// The CTI ID in small letters.
    pub cti_id_key: String,
    /// CTI NO: digits.
    pub cti_number: String,
    /// From when on.
    pub held_from: Timestamp,
    /// Until when; `None` while he does.
    pub held_until: Option<Timestamp>,
    /// Who gave them: the name as it was then.
    pub given_by: String,
    /// Who took or changed them: the name as it was then.
    pub taken_by: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "CTI holding", CtiHoldingId, label: cti_number }
