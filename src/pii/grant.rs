//! A grant.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::{Enum, SimpleObject};
use sea_orm::{FromJsonQueryResult, QueryFilter, entity::prelude::*};
use serde::{Deserialize, Serialize};

use crate::kernel::{
    MemberId, OrganizationId, PiiGrantId, Reader, Result, ServiceId, Timestamp, address::Network, personal::Granted,
    record::record,
};

/// How far a grant is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "PiiGrantStatus")]
pub enum Status {
    /// 부여: it holds, as far as everything else does.
    Active,
    /// 회수: it was taken back, by somebody or because its holder lost what it hangs on.
    Revoked,
    /// 만료: its time is over.
    Expired,
}

/// Texts, as they are kept in one column.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Networks(pub Vec<String>);

/// The services of a grant; `None` for all that there are and will be.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Scope {
    pub services: Option<Vec<ServiceId>>,
}

/// 개인정보 취급 권한: that a member may see personal data in clear.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "pii_grant")]
#[graphql(name = "PiiGrant", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PiiGrantId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    #[graphql(skip)]
    pub member_id: MemberId,
    /// 이메일: the member's address as it was granted. Where his own becomes another one, the grant shows nothing until it is changed too.
    pub email: String,
    #[graphql(skip)]
    pub networks: Networks,
    #[graphql(skip)]
    pub scope: Scope,
    /// 목적: what he needs to see them for.
    pub purpose: String,
    /// Until when it holds; that instant not included.
    pub valid_until: Timestamp,
    /// How far it is.
    pub status: Status,
    /// When it was given.
    pub granted_at: Timestamp,
    /// Who gave it: the name as it was then.
    #[graphql(name = "grantedByName")]
    pub granted_by: String,
    /// When it was taken back or its time was over; null before.
    pub ended_at: Option<Timestamp>,
    /// Counts the changes: give it back as `expectedVersion`.
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "PII grant", PiiGrantId, label: email, version: Version }

impl Model {
    /// The networks that it holds from. What can't be read is none.
    pub(super) fn addresses(&self) -> Vec<Network> {
        self.networks.0.iter().filter_map(|text| Network::parse(text)).collect()
    }

    /// The grant as the decision knows it.
    pub(super) fn facts<'g>(&'g self, networks: &'g [Network]) -> Granted<'g> {
        Granted {
            member: self.member_id,
            email: &self.email,
            networks,
            services: self.scope.services.as_deref(),
            valid_until: self.valid_until,
            is_active: self.status == Status::Active,
        }
    }
}

/// The grant of a member that was not taken back and whose end is not noted: there is one at most.
///
/// # Errors
/// Only if the database fails.
pub async fn active(reader: &Reader, member: MemberId) -> Result<Option<Model>> {
    let own = reader.select::<Entity>().filter(Column::MemberId.eq(member));
    own.filter(Column::Status.eq(Status::Active)).one().await
}
