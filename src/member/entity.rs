//! A member of an organization. The same person in two organizations is two members.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::{Enum, SimpleObject};
use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::kernel::{
    Language, MemberId, OrganizationId, Timestamp,
    permission::{Grants, Holder, Kind, Right, held},
    record::record,
    secret::SecretText,
};

/// Whether a member belongs to the organization.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "MemberStatus")]
pub enum Status {
    /// 정상 이용: he belongs to it.
    Active,
    /// 탈퇴: he has left, and can do nothing.
    Left,
}

/// A member of the organization.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "member")]
#[graphql(name = "Member", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MemberId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    /// 로그인 ID: 3 to 40 characters, unique in the organization.
    pub login: String,
    /// 이름: 1 to 100 characters.
    pub name: String,
    /// The name in small letters, to search by.
    #[graphql(skip)]
    pub name_key: String,
    #[graphql(skip)]
    pub email: String,
    /// Since when it is known that the member reads what is sent to this address: he has used a link that lay there.
    #[graphql(skip)]
    pub email_proved_at: Option<Timestamp>,
    /// The language of the letters that the member gets.
    pub language: Language,
    #[graphql(skip)]
    pub password_hash: SecretText,
    /// Whether the password has fewer than 15 characters, and is good beside a second factor only.
    #[graphql(skip)]
    pub has_short_password: bool,
    /// Whether this is the owner.
    pub is_owner: bool,
    /// Whether the member belongs to the organization.
    pub status: Status,
    /// When the member joined.
    pub joined_at: Timestamp,
    /// When the member left; null for who has not.
    pub left_at: Option<Timestamp>,
    /// Counts the changes.
    pub version: i32,
}

impl Model {
    /// Gives the member an address, or the same one in other letters. Of a new mailbox nothing is known yet.
    pub fn set_email(&mut self, email: &str) {
        if !self.has_mailbox(email) {
            self.email_proved_at = None;
        }
        email.clone_into(&mut self.email);
    }

    /// Whether an address is that of the member's mailbox: capitals make no other.
    pub fn has_mailbox(&self, email: &str) -> bool {
        self.email.to_lowercase() == email.to_lowercase()
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "member", MemberId, label: name, version: Version, grants: GRANTS }

const GRANTS: Grants<Model> = Grants {
    holder: |row| Holder::Member(row.id),
    added: Kind::MemberAdded,
    removed: Kind::MemberLeft,
    rights: |row| {
        let belongs = row.status == Status::Active;
        vec![
            (Kind::MemberAdded, held([(belongs, Right::Member)])),
            (
                Kind::OwnershipTransferred,
                held([(belongs && row.is_owner, Right::Owner)]),
            ),
        ]
    },
};
