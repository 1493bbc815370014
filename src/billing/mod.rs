//! 요금 현황: what services cost, month by month. One formula makes quote, preview, estimate and bill; a closed month
//! never changes.

mod at_hand;
mod charge;
mod closed;
mod closing;
mod extract;
mod fetch;
pub mod formula;
pub mod graphql;
mod ledger;
mod line;
mod metering;
mod month;
mod page;
mod price;
pub mod price_list;
mod quote;
mod usage;

pub use closing::{Closing, close};
pub use extract::SOURCE;
pub use formula::Breakdown;
pub use ledger::{Books, Estimate};
pub use metering::{UsageEntryInput, UsageRecordInput, record};
pub use price::{ensure as ensure_prices, load as load_prices};
pub use quote::{Quote, quote, sign, update};
