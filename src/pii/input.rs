//! What the verbs of grants are asked with.

use async_graphql::{ID, InputObject};
use serde::Serialize;

use crate::kernel::{Timestamp, payload::asks};

/// A new grant.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct PiiGrantCreateInput {
    /// Makes a retry safe: the same key with the same input within 24 hours answers as the first time. 1 to 64 visible ASCII characters; a UUID is good.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// 계정: the ID of a member who works in a service; not oneself.
    pub member_id: ID,
    /// 이메일: his own address, so that nobody is taken for somebody else.
    pub email: String,
    /// IP: from where he may see them, 1 to 10 addresses or networks in CIDR notation, such as `203.0.113.0/24`; not wider than /24 or, in version 6, /64.
    pub networks: Vec<String>,
    /// The IDs of the services whose data he may see, 1 to 100; absent where `isForAllServices`.
    pub service_ids: Option<Vec<ID>>,
    /// Whether it holds for all services, also for later ones. Exactly one of this and `serviceIds` says for which.
    pub is_for_all_services: Option<bool>,
    /// 목적: what he needs to see them for, 10 to 200 characters.
    pub purpose: String,
    /// Until when it holds, at most a year from now; a year where absent.
    pub valid_until: Option<Timestamp>,
}

/// Changes to a grant that holds. Absent values stay as they are.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct PiiGrantUpdateInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
    /// 이메일: the member's address now.
    pub email: Option<String>,
    /// IP: all of them, 1 to 10.
    pub networks: Option<Vec<String>>,
    /// All the services whose data he may see from now on, 1 to 100.
    pub service_ids: Option<Vec<ID>>,
    /// Whether it holds for all services from now on; not together with `serviceIds`.
    pub is_for_all_services: Option<bool>,
    /// 목적: 10 to 200 characters.
    pub purpose: Option<String>,
    /// Until when it holds, at most a year from now.
    pub valid_until: Option<Timestamp>,
    /// Why it is changed, at most 200 characters, for the log.
    pub reason: Option<String>,
}

/// How to take a grant back.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct PiiGrantRevokeInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
    /// Why, at most 200 characters, for the log.
    pub reason: Option<String>,
}

asks!(PiiGrantCreateInput, PiiGrantUpdateInput, PiiGrantRevokeInput);
