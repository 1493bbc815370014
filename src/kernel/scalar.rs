//! The values that the API speaks in beside numbers and text: instants, days, months. Each is one type from
//! column to schema.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, SecondsFormat, SubsecRound, Utc};
use sea_orm::DeriveValueType;
use serde::{Deserialize, Serialize};

use super::zone::Month;

/// An instant, stored in UTC with microseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, DeriveValueType)]
pub struct Timestamp(pub DateTime<Utc>);

impl Timestamp {
    /// As the API writes it: UTC with milliseconds and `Z`.
    pub fn to_text(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Millis, true)
    }
}

/// A moment in time, RFC 3339 with an offset; answers are in UTC with milliseconds, such as `2026-11-22T09:00:00.000Z`.
#[Scalar(
    name = "DateTime",
    specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html"
)]
impl ScalarType for Timestamp {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let Ok(at) = text.parse::<DateTime<FixedOffset>>() else {
            return Err(InputValueError::custom(
                "a DateTime has a date, a time and an offset, as in RFC 3339",
            ));
        };
        let at = at.with_timezone(&Utc);
        if !has_four_digits(at.year()) {
            return Err(InputValueError::custom("a DateTime is in the years 0000 to 9999"));
        }
        Ok(Self(at.trunc_subsecs(6)))
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_text())
    }
}

/// Databases know fewer years than the calendar does: PostgreSQL would fail the whole request over an older one.
fn has_four_digits(year: i32) -> bool {
    (0..=9_999).contains(&year)
}

/// A day of the calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, DeriveValueType)]
pub struct Day(pub NaiveDate);

/// A day of the calendar without time or zone, such as `2026-11-22`. It is meant in the organization's `timeZone`.
#[Scalar(
    name = "Date",
    specified_by_url = "https://scalars.graphql.org/andimarek/local-date.html"
)]
impl ScalarType for Day {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(day) if text.len() == 10 && has_four_digits(day.year()) => Ok(Self(day)),
            _ => Err(InputValueError::custom("a Date is written YYYY-MM-DD")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A month of the calendar, such as `2026-11`, from 2000 to 2200. It is meant in the organization's `timeZone`.
#[Scalar(name = "Month", specified_by_url = "https://www.w3.org/TR/xmlschema-2/#gYearMonth")]
impl ScalarType for Month {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        Self::parse(text).ok_or_else(|| InputValueError::custom("a Month is written YYYY-MM, from 2000 to 2200"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }
}

/// An absolute URL.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Url(pub String);

/// An absolute URL.
#[Scalar(name = "URL", specified_by_url = "https://url.spec.whatwg.org/")]
impl ScalarType for Url {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        Ok(Self(text.clone()))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

impl From<Month> for sea_orm::Value {
    fn from(month: Month) -> Self {
        month.index().into()
    }
}

impl sea_orm::TryGetable for Month {
    fn try_get_by<I: sea_orm::ColIdx>(row: &sea_orm::QueryResult, column: I) -> Result<Self, sea_orm::TryGetError> {
        let index = <i32 as sea_orm::TryGetable>::try_get_by(row, column)?;
        let no_month = || sea_orm::DbErr::Type(format!("{index} is no month"));
        Self::from_index(index).ok_or_else(|| sea_orm::TryGetError::DbErr(no_month()))
    }
}

impl sea_orm::sea_query::ValueType for Month {
    fn try_from(value: sea_orm::Value) -> Result<Self, sea_orm::sea_query::ValueTypeErr> {
        let index = <i32 as sea_orm::sea_query::ValueType>::try_from(value)?;
        Self::from_index(index).ok_or(sea_orm::sea_query::ValueTypeErr)
    }

    fn type_name() -> String {
        "Month".to_owned()
    }

    fn array_type() -> sea_orm::sea_query::ArrayType {
        sea_orm::sea_query::ArrayType::Int
    }

    fn column_type() -> sea_orm::ColumnType {
        sea_orm::ColumnType::Integer
    }
}

impl sea_orm::sea_query::Nullable for Month {
    fn null() -> sea_orm::Value {
        sea_orm::Value::Int(None)
    }
}

impl sea_orm::TryFromU64 for Timestamp {
    fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
        Err(sea_orm::DbErr::ConvertFromU64("Timestamp"))
    }
}

impl sea_orm::TryFromU64 for Day {
    fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
        Err(sea_orm::DbErr::ConvertFromU64("Day"))
    }
}

impl sea_orm::TryFromU64 for Month {
    fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
        Err(sea_orm::DbErr::ConvertFromU64("Month"))
    }
}

impl Serialize for Month {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).ok_or_else(|| serde::de::Error::custom("not a month"))
    }
}
