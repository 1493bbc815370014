//! What is asked for with the contract's verbs.

use async_graphql::InputObject;
use serde::Serialize;

use super::item::ItemCode;
use crate::kernel::payload::asks;

/// One item of a contract as it is asked for.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct ContractItemInput {
    /// Which item.
    pub code: ItemCode,
    /// 사용 or 미사용: whether it is on; as it was where absent.
    pub is_on: Option<bool>,
    /// 사용자 수: for how many users, 1 to 10,000; only for items that are counted by users. As it was where absent.
    pub user_count: Option<i32>,
    /// 처리 건 수: the volume expected in a month, 0 to 1,000,000,000; it counts in quotes only. As it was where absent.
    pub expected_volume: Option<i32>,
}

/// What to save of a contract that is not yet completed.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct ContractDraftInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The contract's `version` last read.
    pub expected_version: i32,
    /// The items to change, at most 50; all others stay as they are. What is still missing is asked for when the contract is completed.
    pub items: Vec<ContractItemInput>,
}

/// How to complete a contract.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct ContractSignInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The contract's `version` last read.
    pub expected_version: i32,
    /// Items to change first, at most 50; all others stay as in the draft.
    pub items: Option<Vec<ContractItemInput>>,
    /// The quote that the contract is completed at, from `contractQuote`; refused if its price has moved since.
    #[graphql(name = "quoteId")]
    pub quote: Option<String>,
}

/// An edit of a contract in force.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct ContractUpdateInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The contract's `version` last read.
    pub expected_version: i32,
    /// The items to change, at most 50; all others stay as they are.
    pub items: Vec<ContractItemInput>,
    /// The quote that the edit is made at, from `contractQuote`; refused if its price has moved since.
    #[graphql(name = "quoteId")]
    pub quote: Option<String>,
}

asks!(ContractDraftInput, ContractSignInput, ContractUpdateInput);
