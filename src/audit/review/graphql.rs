//! What the API says of reviews.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Object};

use super::{AuditFigures, AuditReviewSignInput, Column, Entity, Model, Period, figures, sign};
use crate::{
    kernel::{
        Action, Caller, Day, Error, PageRequest, Result,
        page::{self, Cursors, Direction, Part, asked, connection},
        payload::{payload, settle, user_errors},
    },
    organization,
};

connection! { AuditReviewConnection, AuditReviewEdge, Model, "review", "signed reviews" }

user_errors! { AuditReviewUserError, AuditReviewErrorCode, "a review", {
    /// The text is too long.
    TooLong,
    /// The text has characters that can't be seen.
    Invalid,
    /// The period is not over, ends before it begins, or is longer than 92 days.
    OutOfRange,
    /// This period was signed already.
    Taken,
} }

payload! { AuditReviewSignPayload, "auditReviewSign", AuditReviewUserError, {
    /// The review as it was signed; null where there are user errors.
    review: Model,
} }

/// Reviews, to look at.
#[derive(Debug, Default)]
pub struct AuditReviewQuery;

#[Object]
impl AuditReviewQuery {
    /// The figures of the logs of a period of at most 92 days, and what stands out: work out of hours, mass reading, refused attempts, data seen in clear, grants that nobody uses. Costs 1000 points. Needs `AUDIT_READ`.
    async fn audit_review(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The first day, in the organization's zone.")] first_day: Day,
        #[graphql(desc = "The last day.")] last_day: Day,
    ) -> Result<Option<AuditFigures>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::AuditRead).await?;
        let zone = organization::own(&view).await?.time_zone;
        let zone = zone.parse().map_err(Error::internal)?;
        let period = Period::of(first_day, last_day, zone)
            .ok_or_else(|| Error::BadInput("A period has 1 to 92 days.".into()))?;
        let figures = figures(&view, caller.app(), period).await?;
        let count = usize::try_from(figures.entry_count).unwrap_or(usize::MAX);
        caller.has_read(Action::AuditRead, "AUDIT_REVIEW", &asked(context)?, count);
        Ok(Some(figures))
    }

    /// The reviews that were signed, the last one first. Needs `AUDIT_READ`.
    async fn audit_reviews(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Option<AuditReviewConnection>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::AuditRead).await?;
        let cursors = Cursors::new(&caller.app().keys, view.organization_id(), "audit reviews");
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let place = |row: &Model| [Part::Instant(row.signed_at), Part::Id(row.id.0)];
        let columns = [Column::SignedAt, Column::Id];
        let rows = view.select::<Entity>();
        let page = page::read(rows, columns, Direction::Desc, &request, &cursors, place).await?;
        let total = match context.look_ahead().field("totalCount").exists() {
            true if page.is_whole() => page.edges.len() as u64,
            true => view.select::<Entity>().count().await?,
            false => 0,
        };
        Ok(Some(AuditReviewConnection::of(page, total)))
    }
}

#[ComplexObject]
impl Model {
    /// The figures as they were signed.
    async fn figures(&self) -> Result<AuditFigures> {
        Ok(serde_json::from_str(&self.figures)?)
    }
}

/// Reviews, to sign.
#[derive(Debug, Default)]
pub struct AuditReviewMutation;

#[Object]
impl AuditReviewMutation {
    /// Signs the review of a period that is over: that its figures were looked at. Each period is signed once, and what was signed stays. Needs `AUDIT_REVIEW_SIGN` and a recent `sessionConfirm`.
    async fn audit_review_sign(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The period, the figures, and what there is to say.")] input: AuditReviewSignInput,
    ) -> Result<AuditReviewSignPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| sign(tx, &input).await;
        let (review, problems) = settle(caller.act(Action::AuditReviewSign, &input, deed).await)?;
        Ok(AuditReviewSignPayload {
            review,
            user_errors: AuditReviewUserError::all(problems)?,
        })
    }
}
