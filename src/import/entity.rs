//! An import: a file, what was found in it, when its night is, and what came of it.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::{Enum, SimpleObject};
use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use crate::kernel::{
    Code, ImportId, MemberId, OrganizationId, Problem, ServiceId, Timestamp, record::record, seal::Sealed,
};

/// 상태: how far an import is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "ImportState")]
pub enum State {
    /// 검사중: the file is being looked through.
    Checking,
    /// 등록 불가: the file can't be imported at all; `refusal` says why.
    Refused,
    /// 확인 대기: the file was looked through, and waits for an hour to be confirmed.
    Draft,
    /// 만료: it was not confirmed within the hour.
    Expired,
    /// 예약: it waits for its night, and can be deleted until then.
    Reserved,
    /// 삭제: it was given up before its night.
    Deleted,
    /// 처리중: its rows become tickets.
    Running,
    /// 완료: every row became a ticket, or was one already.
    Completed,
    /// 일부 실패: some rows became tickets.
    Partial,
    /// 실패: no row became a ticket; `refusal` says why.
    Failed,
    /// 취소: what it had brought was taken away again.
    Undone,
}

impl State {
    /// Whether nothing becomes of it any more.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Checking | Self::Draft | Self::Reserved | Self::Running)
    }
}

/// What is done with rows that have something wrong.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "ImportPolicy")]
pub enum Policy {
    /// Where any row has something wrong, none becomes a ticket.
    AllOrNothing,
    /// Rows that have something wrong are left out, and told in the report.
    SkipBadRows,
}

/// What a message speaks of, the same in every language.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Words(pub Vec<(String, String)>);

impl Words {
    /// Those of a problem.
    pub fn of(words: &[(&'static str, String)]) -> Self {
        Self(
            words
                .iter()
                .map(|(name, word)| ((*name).to_owned(), word.clone()))
                .collect(),
        )
    }

    /// A problem that speaks of them.
    pub fn problem(&self, code: Code) -> Problem {
        const NAMES: [&str; 5] = ["max", "rule", "column", "sheet", "other"];
        let known = self.0.iter().filter_map(|(name, word)| {
            let name = NAMES.into_iter().find(|known| known == name)?;
            Some((name, word))
        });
        known.fold(Problem::of(code), |problem, (name, word)| problem.with(name, word))
    }
}

/// How a service's fields differ from those of a template.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, Enum)]
#[graphql(name = "ImportDifferenceKind")]
pub enum DifferenceKind {
    /// 추가: the service has the field now.
    Added,
    /// 삭제: the service does not have the field any more.
    Removed,
    /// 이름 변경: it is called otherwise now.
    Renamed,
    /// 필수: it must be filled in now.
    NowRequired,
    /// 변경: its options, its length or who sees it are others now.
    Changed,
    /// 순서 변경: it stands elsewhere.
    Moved,
}

/// One difference between a template and what the service's fields are now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "ImportDifference")]
pub struct Difference {
    /// What differs.
    pub kind: DifferenceKind,
    /// The field's code.
    pub field_code: String,
    /// What the field was called in the template; null where the template lacks it.
    pub before: Option<String>,
    /// What the field is called now; null where the service lacks it.
    pub after: Option<String>,
}

/// All of them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Differences(pub Vec<Difference>);

/// 데이터 이관: a file of tickets on its way into a service.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "import")]
#[graphql(name = "Import", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ImportId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    #[graphql(skip)]
    pub service_id: ServiceId,
    /// 상태: how far it is.
    pub state: State,
    /// 파일명: what its sender called the file.
    pub file_name: String,
    /// The size of the file in bytes.
    pub byte_size: i32,
    /// The SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    #[graphql(skip)]
    pub file_key: Sealed,
    /// Whether the file is still there: until the import is over, and 7 days at the longest.
    pub has_file: bool,
    /// 등록일시: when the file was sent.
    pub uploaded_at: Timestamp,
    #[graphql(skip)]
    pub uploaded_by: MemberId,
    #[graphql(skip)]
    pub refusal: Option<String>,
    #[graphql(skip)]
    pub refusal_words: Words,
    #[graphql(skip)]
    pub differences: Differences,
    #[graphql(skip)]
    pub done_count: i32,
    /// 건수: how many rows the file has; 0 before it was looked through.
    pub row_count: i32,
    /// How many rows have something wrong.
    pub bad_row_count: i32,
    /// How many problems there are in all.
    pub problem_count: i32,
    /// How many rows are hidden in the file. They are imported like others.
    pub hidden_row_count: i32,
    /// When the file had been looked through; null before.
    pub checked_at: Option<Timestamp>,
    /// Until when it can be confirmed; null where it can't be, or was.
    pub expires_at: Option<Timestamp>,
    /// What is done with rows that have something wrong; null before it was confirmed.
    pub policy: Option<Policy>,
    /// When the cautions were agreed to and the night was reserved; null before.
    pub confirmed_at: Option<Timestamp>,
    #[graphql(skip)]
    pub confirmed_by: Option<MemberId>,
    #[graphql(skip)]
    pub due_at: Option<Timestamp>,
    #[graphql(skip)]
    pub due_zone: Option<String>,
    /// When its rows began to become tickets; null before.
    pub started_at: Option<Timestamp>,
    /// When it was over; null before.
    pub finished_at: Option<Timestamp>,
    /// 성공 건수: how many rows became tickets.
    pub inserted_count: i32,
    /// How many rows were tickets already, by their external ID.
    pub known_count: i32,
    /// 실패 건수: how many rows became none.
    pub failed_count: i32,
    /// When what it had brought was taken away again; null where it was not.
    pub undone_at: Option<Timestamp>,
    /// How many of its tickets an undo has left, since people had changed them.
    pub kept_count: i32,
    #[graphql(skip)]
    pub fence: i32,
    #[graphql(skip)]
    pub stuck_at: i32,
    /// Counts the changes: give it back as `expectedVersion`.
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "import", ImportId, label: file_name, version: Version, service: service_id }

/// What came of rows that became no tickets.
pub mod outcome {
    use super::*;
    use crate::kernel::record::part;

    /// Why a row became none.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
    pub enum Kind {
        /// It was one already, by its external ID.
        Known,
        /// Something is wrong with it.
        Failed,
    }

    /// A row.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
    #[sea_orm(table_name = "import_outcome")]
    pub struct Model {
        /// Whose it is.
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization_id: OrganizationId,
        /// Of which import.
        #[sea_orm(primary_key, auto_increment = false)]
        pub import_id: ImportId,
        /// The row's number.
        #[sea_orm(primary_key, auto_increment = false)]
        pub row_number: i32,
        /// Why it became no ticket.
        pub kind: Kind,
        /// The column at fault; empty where there is none.
        pub column_code: String,
        /// What is wrong; empty where nothing is.
        pub code: String,
        /// What the message speaks of.
        pub words: Words,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    part! { "import outcome", key: |row| format!("{}#{}", row.import_id, row.row_number) }
}

/// What is wrong in files: the first hundred of each.
pub mod problem {
    use super::*;
    use crate::kernel::record::part;

    /// One problem.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
    #[sea_orm(table_name = "import_problem")]
    #[graphql(name = "ImportProblem", complex)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        #[graphql(skip)]
        pub organization_id: OrganizationId,
        #[sea_orm(primary_key, auto_increment = false)]
        #[graphql(skip)]
        pub import_id: ImportId,
        #[sea_orm(primary_key, auto_increment = false)]
        #[graphql(skip)]
        pub number: i32,
        /// The row's number, as Excel shows it.
        pub row_number: i32,
        #[graphql(skip)]
        pub place: i32,
        /// The code of the column: of a field, or one that begins with `@` and that every template has.
        pub column_code: String,
        /// What stands at the column's head.
        pub column_title: String,
        /// What is wrong, for programs; it is the same in every language.
        pub code: String,
        #[graphql(skip)]
        pub words: Words,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    part! { "import problem", key: |row| format!("{}#{}", row.import_id, row.number) }
}
