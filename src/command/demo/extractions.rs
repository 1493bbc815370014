//! What of the demo has left as a file: the charges of the last months, which the owner has had made.

use crate::{
    billing::graphql::ChargeFilter,
    extraction::{self, graphql::ExtractionList},
    kernel::{Caller, Month, Result},
};

/// How many months back the file goes.
const MONTHS: i32 = 3;

/// Has the list made.
///
/// # Errors
/// If the database fails.
pub(super) async fn ask(owner: &Caller, last: Month) -> Result<()> {
    let from = Month::from_index(last.index() - MONTHS).unwrap_or(Month::FIRST);
    let charges = ChargeFilter {
        from,
        to: last,
        service_kind: None,
        service: None,
    };
    let demand = extraction::Demand {
        idempotency_key: None,
        dry_run: None,
        list: ExtractionList::Charges(charges),
        columns: None,
        is_unmasked: None,
        reason: Some("분기 요금 정산 자료 확인".to_owned()),
        format: None,
        password: None,
    };
    extraction::request(owner, &demand).await.map(drop)
}
