//! What the verbs of members and administrators are asked with.

use async_graphql::{ID, InputObject};
use serde::Serialize;

use crate::kernel::payload::asks;

/// A new organization administrator.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct AdminAddInput {
    /// Makes a retry safe: the same key with the same input within 24 hours answers as the first time. 1 to 64 visible ASCII characters; a UUID is good.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The ID of the member who is to become one.
    pub member_id: ID,
}

/// How to take an organization administrator's role away.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct AdminRemoveInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` of the member last read.
    pub expected_version: i32,
}

/// Corrections to a member. Absent fields stay as they are.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct MemberUpdateInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` of the member last read.
    pub expected_version: i32,
    /// 이름: 1 to 100 characters.
    pub name: Option<String>,
    /// The e-mail address, at most 254 characters, unique among the members and of nobody who is invited. Letters that set a new password go there from now on.
    pub email: Option<String>,
}

/// How to take a member out of the organization.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct MemberRemoveInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` of the member last read.
    pub expected_version: i32,
}

/// How to leave the organization.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct MemberLeaveInput {
    /// Makes a retry safe, as far as whoever has left can retry. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// Your own `version` last read.
    pub expected_version: i32,
}

/// How to make another member the owner.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct OwnershipTransferInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` of the member who is to become the owner, last read.
    pub expected_version: i32,
}

asks!(
    AdminAddInput,
    AdminRemoveInput,
    MemberUpdateInput,
    MemberRemoveInput,
    MemberLeaveInput,
    OwnershipTransferInput
);
