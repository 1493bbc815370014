//! An extraction: which list leaves as a file, for whom, how far that is, and what the file is.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::{Enum, SimpleObject};
use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use crate::kernel::{
    ExtractionId, Language, MemberId, OrganizationId, PiiGrantId, ServiceId, Timestamp, extract::SourceName,
    record::record, seal::Sealed,
};

/// 파일 형식.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "ExtractionFormat")]
pub enum Format {
    /// A workbook of Excel.
    Xlsx,
    /// Values with commas between them, in UTF-8 with a byte order mark.
    Csv,
}

/// 상태: how far an extraction is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "ExtractionState")]
pub enum State {
    /// 요청: it waits to be made.
    Requested,
    /// 생성 중: its rows are being written.
    Running,
    /// 완료: the file can be downloaded.
    Ready,
    /// 다운로드: the file was downloaded, and can be again while there is a link.
    Downloaded,
    /// 만료: the file was kept for its time and is gone.
    Expired,
    /// 실패: there is no file, or none any more; `failure` says why.
    Failed,
}

impl State {
    /// Whether there is or will be a file.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Expired | Self::Failed)
    }

    /// Whether there is a file.
    pub fn is_done(self) -> bool {
        matches!(self, Self::Ready | Self::Downloaded)
    }
}

/// The codes of columns, in the order that was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Codes(pub Vec<String>);

/// How a list was narrowed, as logs tell it: without any text that somebody typed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Snapshot(pub serde_json::Value);

impl Snapshot {
    /// As JSON, in one order whatever the database makes of it.
    pub fn text(&self) -> String {
        let mut sorted = self.0.clone();
        sorted.sort_all_objects();
        sorted.to_string()
    }
}

/// 데이터 추출: a list on its way out as a file.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "extraction")]
#[graphql(name = "Extraction", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExtractionId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    /// 추출 대상: which list.
    pub source: SourceName,
    #[graphql(skip)]
    pub service_id: Option<ServiceId>,
    /// 파일 형식.
    pub format: Format,
    /// Whether personal data in it are in clear.
    pub is_unmasked: bool,
    #[graphql(skip)]
    pub grant_id: Option<PiiGrantId>,
    /// 사유: what for, as it was said; null where it was not.
    pub reason: Option<String>,
    #[graphql(skip)]
    pub columns: Codes,
    #[graphql(skip)]
    pub snapshot: Snapshot,
    /// Whether the file opens with a password only: it is an encrypted ZIP archive then.
    pub has_password: bool,
    #[graphql(skip)]
    pub asked: Option<Sealed>,
    #[graphql(skip)]
    pub language: Language,
    /// 상태: how far it is.
    pub state: State,
    /// 요청일시: when it was asked for.
    pub requested_at: Timestamp,
    #[graphql(skip)]
    pub requested_by: MemberId,
    #[graphql(skip)]
    pub address: String,
    /// 파일명.
    pub file_name: String,
    /// 건수: how many rows the file has; null before it is made.
    pub row_count: Option<i32>,
    #[graphql(skip)]
    pub done_count: i32,
    #[graphql(skip)]
    pub byte_size: Option<i64>,
    /// The SHA-256 of the file, in hexadecimal; null before it is made.
    pub sha256: Option<String>,
    #[graphql(skip)]
    pub file_key: Option<Sealed>,
    #[graphql(skip)]
    pub has_file: bool,
    /// 완료일시: when the file was made, or given up; null before.
    pub finished_at: Option<Timestamp>,
    /// Until when the file is kept: 7 days; null before it is made.
    pub expires_at: Option<Timestamp>,
    /// 다운로드 횟수: how often the file was downloaded, at most 3.
    pub download_count: i32,
    #[graphql(skip)]
    pub failure: Option<String>,
    #[graphql(skip)]
    pub fence: i32,
    /// Counts the changes.
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "extraction", ExtractionId, label: file_name, version: Version }
