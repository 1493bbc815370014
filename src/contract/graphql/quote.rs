//! The price named beforehand, as the API says it.

use async_graphql::{ID, InputObject, SimpleObject};

use super::ContractUserError;
use crate::{billing::graphql::ChargeBreakdown, contract::ContractItemInput, kernel::Day};

/// What to name a price for.
#[derive(Debug, InputObject)]
pub struct ContractQuoteInput {
    /// The contract.
    #[graphql(name = "contractId")]
    pub contract: ID,
    /// The items to change, at most 50; all others as they are.
    pub items: Vec<ContractItemInput>,
}

/// What a contract would cost.
#[derive(Debug, SimpleObject)]
pub struct ContractQuote {
    /// To give to `contractSign` or `contractUpdate`, which are refused if the price has moved since.
    #[graphql(name = "quoteId")]
    pub text: String,
    /// The last day on which it is good: today.
    pub good_on: Day,
    /// 예상 비용: a whole month at the expected volumes.
    pub whole_month: ChargeBreakdown,
    /// This month: until yesterday as it was, from today on as quoted, at the expected volumes.
    pub this_month: ChargeBreakdown,
}

/// What came of asking for a quote.
#[derive(Debug, SimpleObject)]
pub struct ContractQuoteResult {
    /// The quote; null where there are user errors.
    pub quote: Option<ContractQuote>,
    /// Why there is none; empty where there is one.
    pub user_errors: Vec<ContractUserError>,
}
