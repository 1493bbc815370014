//! The review of the logs of a period: its figures, what stands out in them, and that somebody has looked at them and
//! signed. A signed review keeps the figures as they were; it never changes, and a period is signed once.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

mod fetched;
mod figures;
pub mod graphql;

use async_graphql::{InputObject, SimpleObject};
use sea_orm::{ColumnTrait, QueryFilter, entity::prelude::*};
use serde::Serialize;

use crate::{
    kernel::{
        AuditReviewId, Code, Day, Error, OrganizationId, Problem, Result, Timestamp, Tx, audit::is_hidden,
        payload::asks, record::record, zone,
    },
    organization,
};

pub use figures::{AuditFigures, Period, figures};

/// How long a remark may be, in characters.
const REMARK: usize = 1_000;

/// A review that was signed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "audit_review")]
#[graphql(name = "AuditReview", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditReviewId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    /// The first day of the period, in the organization's zone.
    pub first_day: Day,
    /// The last day of the period.
    pub last_day: Day,
    #[graphql(skip)]
    pub figures: String,
    /// SHA-256 of the figures that were signed, in hexadecimal.
    pub figures_hash: String,
    /// What whoever signed had to say; may be empty.
    pub remark: String,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// Who signed: the ID, good for `node` as long as he is a member.
    #[graphql(name = "signedByReference")]
    pub signed_by: String,
    /// Who signed: the name as it was then.
    #[graphql(name = "signedByName")]
    pub signed_name: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "audit review", AuditReviewId, label: figures_hash }

/// A review to be signed.
#[derive(Debug, Serialize, InputObject)]
pub struct AuditReviewSignInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The first day of the period.
    pub first_day: Day,
    /// The last day of the period: it must be over, and the period has at most 92 days.
    pub last_day: Day,
    /// The hash of the figures that were looked at, as `auditReview` answered it.
    pub figures_hash: String,
    /// What there is to say of them, at most 1,000 characters.
    pub remark: Option<String>,
}

asks!(AuditReviewSignInput);

/// `auditReviewSign`: the figures are made anew, and must be those that were looked at.
///
/// # Errors
/// `OUT_OF_RANGE` at `input.lastDay` for a period that is not over, ends before it begins or is too long; `TAKEN` at
/// `input.firstDay` for one that was signed; `STALE_VERSION` at `input.figuresHash` for other figures; `TOO_LONG`,
/// `INVALID` at `input.remark`.
pub async fn sign(tx: &Tx, input: &AuditReviewSignInput) -> Result<Model> {
    let remark = input.remark.as_deref().unwrap_or_default().trim();
    if remark.chars().count() > REMARK {
        return Err(Problem::at("input.remark", Code::TooLong).with("max", REMARK).into());
    }
    if remark.chars().any(|letter| is_hidden(letter) && letter != '\n') {
        return Err(Problem::at("input.remark", Code::Invalid).into());
    }
    let zone = organization::own(tx)
        .await?
        .time_zone
        .parse()
        .map_err(Error::internal)?;
    let today = Day(zone::date_at(tx.now().0, zone));
    let period = Period::of(input.first_day, input.last_day, zone).filter(|_| input.last_day < today);
    let period = period.ok_or_else(|| Problem::at("input.lastDay", Code::OutOfRange))?;
    let same = tx
        .select::<Entity>()
        .filter(Column::FirstDay.eq(input.first_day))
        .filter(Column::LastDay.eq(input.last_day));
    if same.one().await?.is_some() {
        return Err(Problem::at("input.firstDay", Code::Taken).into());
    }
    let figures = figures(tx, tx.app(), period).await?;
    if figures.hash != input.figures_hash {
        return Err(Problem::at("input.figuresHash", Code::StaleVersion).into());
    }
    let row = Model {
        id: tx.fresh_id(),
        organization_id: tx.organization_id(),
        first_day: input.first_day,
        last_day: input.last_day,
        figures: serde_json::to_string(&figures)?,
        figures_hash: figures.hash,
        remark: remark.to_owned(),
        signed_at: tx.now(),
        signed_by: tx.actor().id().unwrap_or_default(),
        signed_name: tx.actor().display_name(),
    };
    let told = [Column::FirstDay, Column::LastDay, Column::FiguresHash, Column::Remark];
    tx.create_telling::<Entity>(row, &told).await
}
