//! 데이터 추출 로그: what became of each extraction, with names as they were then. Rows never change; the deed's entry in the
//! audit log, whose chain vouches for it, holds all of a row's values too.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::{Enum, SimpleObject};
use sea_orm::entity::prelude::*;
use serde::Serialize;

use super::entity::{Codes, Format, Model as Extraction, Snapshot, State};
use crate::{
    kernel::{
        AuditEntryId, ExtractionId, ExtractionStepId, MemberId, OrganizationId, PiiGrantId, Result, ServiceId,
        Timestamp, Tx,
        audit::{ActorKind, clean},
        extract::SourceName,
        record::record,
    },
    member,
};

/// 구분: what happened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "ExtractionStepKind")]
pub enum Kind {
    /// 요청: it was asked for.
    Requested,
    /// 완료: the file was made.
    Ready,
    /// 다운로드: the file left.
    Downloaded,
    /// 만료: the file was kept for its time and is gone.
    Expired,
    /// 실패: there is no file, or none any more.
    Failed,
    /// 거부: it was refused.
    Denied,
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "extraction_step")]
#[graphql(name = "ExtractionStep", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExtractionStepId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    /// 일시: when it happened.
    pub occurred_at: Timestamp,
    /// 구분: what happened.
    pub kind: Kind,
    #[graphql(skip)]
    pub extraction_id: Option<ExtractionId>,
    /// 추출 대상: which list.
    pub source: SourceName,
    #[graphql(skip)]
    pub service_id: Option<ServiceId>,
    /// 파일 형식.
    pub format: Format,
    /// Whether personal data were in clear, or were to be.
    pub is_unmasked: bool,
    #[graphql(skip)]
    pub grant_id: Option<PiiGrantId>,
    /// 사유: what for, as it was said; null where it was not.
    pub reason: Option<String>,
    #[graphql(skip)]
    pub columns: Codes,
    #[graphql(skip)]
    pub snapshot: Snapshot,
    /// 파일명; empty where there was to be none.
    pub file_name: String,
    /// 건수: how many rows; null before the file was made.
    pub row_count: Option<i32>,
    #[graphql(skip)]
    pub byte_size: Option<i64>,
    /// The SHA-256 of the file, in hexadecimal; null before it was made.
    pub sha256: Option<String>,
    /// How often the file had been downloaded then.
    pub download_count: i32,
    /// Until when the file was to be kept; null where there was none.
    pub expires_at: Option<Timestamp>,
    /// Why it failed or was refused: a code; null for others.
    #[graphql(name = "reasonCode")]
    pub failure: Option<String>,
    #[graphql(skip)]
    pub actor_kind: ActorKind,
    #[graphql(skip)]
    pub actor_id: Option<String>,
    #[graphql(skip)]
    pub actor_name: String,
    #[graphql(skip)]
    pub actor_login: Option<String>,
    /// IP: the address that it came from; empty for jobs.
    pub address: String,
    #[graphql(skip)]
    pub target_id: String,
    #[graphql(skip)]
    pub target_name: String,
    #[graphql(skip)]
    pub target_login: String,
    #[graphql(skip)]
    pub entry_id: AuditEntryId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "extraction step", ExtractionStepId, label: target_login, log: "EXTRACTION_STEPS" }

/// What of an extraction stands in the log, also of one that never came to be.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub extraction: Option<ExtractionId>,
    pub requester: MemberId,
    pub source: SourceName,
    pub service: Option<ServiceId>,
    pub format: Format,
    pub is_unmasked: bool,
    pub grant: Option<PiiGrantId>,
    pub reason: Option<String>,
    pub columns: Codes,
    pub snapshot: Snapshot,
}

/// A step of an extraction. A refusal leaves the extraction as it is.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn tell(tx: &Tx, kind: Kind, extraction: &Extraction, failure: Option<&str>) -> Result<()> {
    let told = Told {
        extraction: Some(extraction.id),
        requester: extraction.requested_by,
        source: extraction.source,
        service: extraction.service_id,
        format: extraction.format,
        is_unmasked: extraction.is_unmasked,
        grant: extraction.grant_id,
        reason: extraction.reason.clone(),
        columns: extraction.columns.clone(),
        snapshot: extraction.snapshot.clone(),
    };
    let has_file = extraction.state.is_done() || extraction.state == State::Expired;
    write(tx, kind, told, Some(extraction).filter(|_| has_file), failure).await
}

/// The refusal of an extraction that never came to be.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn deny(tx: &Tx, told: Told, reason: &str) -> Result<()> {
    write(tx, Kind::Denied, told, None, Some(reason)).await
}

async fn write(tx: &Tx, kind: Kind, told: Told, file: Option<&Extraction>, failure: Option<&str>) -> Result<()> {
    let requester = tx.find::<member::Entity>("id", &told.requester.to_string()).await?;
    let member = tx.actor().member();
    tx.create::<Entity>(Model {
        id: tx.fresh_id(),
        organization_id: tx.organization_id(),
        occurred_at: tx.now(),
        kind,
        extraction_id: told.extraction,
        source: told.source,
        service_id: told.service,
        format: told.format,
        is_unmasked: told.is_unmasked,
        grant_id: told.grant,
        reason: told.reason,
        columns: told.columns,
        snapshot: told.snapshot,
        file_name: file.map(|file| file.file_name.clone()).unwrap_or_default(),
        row_count: file.and_then(|file| file.row_count),
        byte_size: file.and_then(|file| file.byte_size),
        sha256: file.and_then(|file| file.sha256.clone()),
        download_count: file.map_or(0, |file| file.download_count),
        expires_at: file.and_then(|file| file.expires_at),
        failure: failure.map(str::to_owned),
        actor_kind: tx.actor().kind(),
        actor_id: tx.actor().id(),
        actor_name: clean(&member.map_or_else(|| tx.actor().display_name(), |member| member.name.clone())),
        actor_login: member.map(|member| member.login.clone()),
        address: tx.origin().address_text(),
        target_id: requester.id.to_string(),
        target_name: clean(&requester.name),
        target_login: requester.login,
        entry_id: tx.entry_id(),
    })
    .await?;
    Ok(())
}
