//! An organization: the tenant that owns everything else.

use async_graphql::SimpleObject;
use sea_orm::{Condition, entity::prelude::*};
use serde::Serialize;

use crate::kernel::{OrganizationId, PictureId, Record, Timestamp};

/// 클라우드 조직: a customer organization, with its name, code and domain. `product` is its other half.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "organization")]
#[graphql(name = "Organization", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrganizationId,
    /// 조직 ID: 16 letters and digits that never change; partner systems sign with it.
    pub code: String,
    /// 조직 이름: the display name, 1 to 100 characters.
    pub name: String,
    /// 조직 도메인: 3 to 40 small letters, digits and hyphens, unique. Members sign in with it.
    pub domain: String,
    /// The IANA time zone that its days, months and schedules are meant in, such as `Asia/Seoul`.
    pub time_zone: String,
    /// Whether the operator has agreed to IPCC (Private) telephony.
    pub is_ipcc_approved: bool,
    /// Whether the operator has enabled Mobile Contact.
    pub is_mobile_contact_approved: bool,
    /// Whether the operator has agreed to the security item of contracts.
    pub is_security_approved: bool,
    /// Whether every member has to sign in with a second factor. Whoever has none can only enroll one. Who signs in by an identity provider is asked for no code: the provider vouches for him.
    pub requires_second_factor: bool,
    /// 메인 로고: the picture at the top of its pages; `None` where that is the product's own.
    #[graphql(skip)]
    pub main_logo_id: Option<PictureId>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Counts the changes: give it back as `expectedVersion`.
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Record for Entity {
    const NAME: &'static str = "organization";

    fn owner() -> Column {
        Column::Id
    }

    fn version() -> Option<Column> {
        Some(Column::Version)
    }

    fn key(row: &Model) -> String {
        row.id.to_string()
    }

    fn label(row: &Model) -> String {
        row.name.clone()
    }

    fn service(_: &Model) -> Option<Uuid> {
        None
    }

    fn of_key(text: &str) -> Option<Condition> {
        let id: OrganizationId = text.parse().ok()?;
        Some(Condition::all().add(Column::Id.eq(id)))
    }
}

impl crate::kernel::Outcome for Model {
    type Receipt = String;

    fn receipt(&self) -> String {
        self.id.to_string()
    }

    async fn again(tx: &crate::kernel::Tx, receipt: String) -> crate::kernel::Result<Self> {
        tx.find::<Entity>("id", &receipt).await
    }
}
