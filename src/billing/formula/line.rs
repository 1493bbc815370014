//! What comes out of the formula: the lines of a month and their sums.

use async_graphql::Enum;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use super::{FormulaError, amount};
use crate::contract::item::ItemCode;
use crate::kernel::{Language, zone::Month};

/// What a line is for.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Enum, EnumIter, DeriveActiveEnum,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[graphql(name = "ChargeLineKind")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LineKind {
    /// 이용 요금: an item was on.
    Licence,
    /// 사용량 요금: an item was used beyond what is free.
    Usage,
    /// 무료 체험: takes back what days of the free trial cost; never above zero.
    FreeTrial,
    /// 할인: the discount; never above zero.
    Discount,
    /// 정정: a charge or refund for a month that was closed already.
    Correction,
    /// 부가세: value added tax, a tenth.
    Vat,
}

/// One line of a month. The numbers beside the amount only describe it; those that a kind does not name are absent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// What the line is for.
    pub kind: LineKind,
    /// The item, on licence, usage and correction lines.
    pub item: Option<ItemCode>,
    /// Licence: seats times days, seat by seat. Usage: the units charged.
    pub quantity: Option<u64>,
    /// Licence: the most seats there were on a day; 1 where users do not count.
    pub seats: Option<u32>,
    /// Licence: the days on which the item was on. Free trial: the days of the contract that were on trial.
    pub days: Option<u32>,
    /// Usage: the meter's count.
    pub used: Option<u64>,
    /// Usage: the part of it that is free.
    pub free: Option<u64>,
    /// Usage: the part of it that is charged.
    pub charged: Option<u64>,
    /// Correction: the month that is corrected.
    pub corrects: Option<Month>,
    /// The amount in minor units.
    pub amount: i64,
}

impl Line {
    /// A line of nothing but a kind and an amount.
    pub(super) fn new(kind: LineKind, minor_units: i128) -> Result<Self, FormulaError> {
        Ok(Self {
            kind,
            item: None,
            quantity: None,
            seats: None,
            days: None,
            used: None,
            free: None,
            charged: None,
            corrects: None,
            amount: amount(minor_units)?,
        })
    }
}

/// A service's month in minor units: lines and sums.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breakdown {
    /// The lines; their amounts sum to `total`.
    pub lines: Vec<Line>,
    /// Licences and usage with the free trial taken off; not negative.
    pub subtotal: i64,
    /// What the discount takes off, as a positive number.
    pub discount: i64,
    /// 공급가액: subtotal − discount + corrections; negative if a refund is larger than the month.
    pub supply: i64,
    /// 부가세: a tenth of the supply, rounded down.
    pub vat: i64,
    /// What is to be paid: supply + VAT.
    pub total: i64,
}

impl LineKind {
    /// What people call it.
    #[must_use]
    pub fn label(self, language: Language) -> &'static str {
        let (korean, english) = match self {
            Self::Licence => ("이용 요금", "Licence"),
            Self::Usage => ("사용량 요금", "Usage"),
            Self::FreeTrial => ("무료 체험", "Free trial"),
            Self::Discount => ("할인", "Discount"),
            Self::Correction => ("정정", "Correction"),
            Self::Vat => ("부가세", "VAT"),
        };
        match language {
            Language::Korean => korean,
            Language::English => english,
        }
    }
}
