//! The demo's reviews of its logs: the owner has signed those of the last two months.

use super::{LOGIN, people::signed_in, seed::ZONE};
use crate::{
    audit::review::{self, AuditReviewSignInput, Period},
    kernel::{Action, App, Day, Error, Month, OrganizationId, Result},
};

/// What there was to say, of the month before the last and of the last.
const REMARKS: [&str; 2] = ["야간 접속 2건은 배포 점검으로 확인함", "특이사항 없음"];

/// Signs the reviews of the two months before this one.
///
/// # Errors
/// If the database fails.
pub(super) async fn sign(app: &App, organization: OrganizationId, this: Month) -> Result<()> {
    for (ago, remark) in [2, 1].into_iter().zip(REMARKS) {
        let month = Month::from_index(this.index() - ago).unwrap_or(Month::FIRST);
        let next = month.next().unwrap_or(month).first_day();
        let days = (Day(month.first_day()), Day(next.pred_opt().unwrap_or(next)));
        let owner = signed_in(app, organization, LOGIN).await?;
        let view = owner.view(Action::AuditRead).await?;
        let period = Period::of(days.0, days.1, ZONE).ok_or_else(|| Error::internal("a month is a period"))?;
        let figures_hash = review::figures(&view, app, period).await?.hash;
        drop(view);
        let input = AuditReviewSignInput {
            idempotency_key: None,
            dry_run: None,
            first_day: days.0,
            last_day: days.1,
            figures_hash,
            remark: Some(remark.to_owned()),
        };
        let deed = async |tx: &_| review::sign(tx, &input).await;
        owner.act(Action::AuditReviewSign, &input, deed).await?;
    }
    Ok(())
}
