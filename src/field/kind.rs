//! The twelve types of fields, and what each can be told. The table is here and nowhere else.

use async_graphql::Enum;
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::Serialize;

/// 유형: what a field takes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Enum, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FieldType {
    /// 텍스트 박스: a line of text.
    Text,
    /// 장문: text of several lines.
    Textarea,
    /// 단순 텍스트: shown, and takes nothing.
    Caption,
    /// 체크박스: any of the options.
    Checkbox,
    /// 드롭박스: one of the options.
    Dropdown,
    /// 라디오: one of the options.
    Radio,
    /// 일자: a day, `2026-11-28`.
    Date,
    /// 일시: a day and a time, `2026-11-28 13:00`.
    Datetime,
    /// 기간 일자: two days, `2026-11-28 ~ 2026-11-30`.
    DatePeriod,
    /// 기간 일시: two days and times, `2026-11-28 13:00 ~ 2026-11-28 14:00`.
    DatetimePeriod,
    /// 동의하기: yes or no; where it is required, yes.
    Agree,
    /// 첨부파일: at most 5 files of less than 10 MB each.
    File,
}

impl FieldType {
    /// Every type.
    pub const ALL: [Self; 12] = [
        Self::Text,
        Self::Textarea,
        Self::Caption,
        Self::Checkbox,
        Self::Dropdown,
        Self::Radio,
        Self::Date,
        Self::Datetime,
        Self::DatePeriod,
        Self::DatetimePeriod,
        Self::Agree,
        Self::File,
    ];

    /// Whether it takes anything at all, and so can be required.
    pub fn takes_values(self) -> bool {
        self != Self::Caption
    }

    /// Whether a number of characters limits it.
    pub fn has_length(self) -> bool {
        matches!(self, Self::Text | Self::Textarea)
    }

    /// Whether it offers options.
    pub fn has_options(self) -> bool {
        matches!(self, Self::Checkbox | Self::Dropdown | Self::Radio)
    }

    /// Whether its values can be encrypted: of options and agreements the few possible ones would be known all the same,
    /// and files are kept elsewhere.
    pub fn can_be_encrypted(self) -> bool {
        matches!(self, Self::Text | Self::Textarea | Self::Date)
    }

    /// Whether it stands in a template of tickets: what takes nothing and what takes files does not.
    pub fn is_in_templates(self) -> bool {
        !matches!(self, Self::Caption | Self::File)
    }
}
