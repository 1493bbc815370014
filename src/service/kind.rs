//! The two kinds of service an organization can run.

use async_graphql::Enum;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// What a service is for; it decides which contract items can be switched on and never changes.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Enum, EnumIter, DeriveActiveEnum,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ServiceKind {
    /// 상담 관리: a contact desk for customers.
    Consultation,
    /// 이슈 관리: a second-line desk that receives tickets from the contact desks.
    Issue,
}

impl ServiceKind {
    /// Both kinds, in the order they are offered.
    pub const ALL: [Self; 2] = [Self::Consultation, Self::Issue];

    /// The name in Korean.
    #[must_use]
    pub fn label_ko(self) -> &'static str {
        match self {
            Self::Consultation => "상담 관리",
            Self::Issue => "이슈 관리",
        }
    }

    /// The name in English.
    #[must_use]
    pub fn label_en(self) -> &'static str {
        match self {
            Self::Consultation => "Consultation",
            Self::Issue => "Issue management",
        }
    }
}
