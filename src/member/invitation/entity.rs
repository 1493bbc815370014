//! An invitation: somebody who is asked to become a member, and has not come yet or has.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::{Enum, SimpleObject};
use chrono::Duration;
use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{InvitationId, Language, MemberId, OrganizationId, Timestamp, record::record};

/// For so long an invitation waits from its last sending.
pub(super) const GOOD_FOR: Duration = Duration::days(7);

/// What has become of an invitation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "InvitationState")]
pub enum State {
    /// It waits to be accepted.
    Pending,
    /// It was accepted: the invited person is a member.
    Accepted,
    /// Nobody accepted it within seven days. It can be sent again.
    Expired,
    /// It was taken back.
    Revoked,
}

/// An invitation to become a member.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "invitation")]
#[graphql(name = "Invitation", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InvitationId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    /// 로그인 ID: what the member will sign in with.
    pub login: String,
    /// 이름: 1 to 100 characters.
    pub name: String,
    /// The name in small letters, to search by.
    #[graphql(skip)]
    pub name_key: String,
    #[graphql(skip)]
    pub email: String,
    /// The language of the letter, and of those that the member will get.
    pub language: Language,
    /// Whether the invited person becomes the owner: operators invite him when they create the organization.
    pub is_owner: bool,
    /// What is written of its state; what holds is [`Model::state_at`].
    #[graphql(skip)]
    pub state: State,
    #[graphql(skip)]
    pub invited_by: Option<MemberId>,
    /// When the person was invited.
    pub invited_at: Timestamp,
    /// When it stops being good: seven days from the last sending.
    pub expires_at: Timestamp,
    /// The number of its newest mailing, from 1.
    #[graphql(skip)]
    pub mailing: i32,
    /// When it was accepted; null where it was not.
    pub accepted_at: Option<Timestamp>,
    /// When it was taken back; null where it was not.
    pub revoked_at: Option<Timestamp>,
    #[graphql(skip)]
    pub member_id: Option<MemberId>,
    /// Counts the changes: give it back as `expectedVersion`.
    pub version: i32,
}

impl Model {
    /// Its state at `now`: an open one whose time is over has expired, whether or not anyone has written that down.
    pub fn state_at(&self, now: Timestamp) -> State {
        if self.state == State::Pending && self.expires_at <= now {
            State::Expired
        } else {
            self.state
        }
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "invitation", InvitationId, label: name, version: Version }
