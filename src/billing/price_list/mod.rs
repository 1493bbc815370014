//! Price lists as operators write them: a TOML file, read and checked as a whole. `prices.toml` is the built-in one and
//! explains the form.

mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;

use super::formula::ItemPrice;
use crate::contract::item::ItemCode;

/// The text of the price list that holds until the operator loads another.
pub const CATALOGUE: &str = include_str!("../prices.toml");

/// The largest price, in won: it keeps the largest contract's month within 64 bits.
pub const MAXIMUM_PRICE: i64 = 1_000_000_000;

/// The largest free volume and limit.
pub const MAXIMUM_FREE_VOLUME: u64 = 1_000_000_000_000;

/// The currency of a price list and of everything charged by it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Currency {
    /// The Korean won, which has no smaller unit.
    Krw,
}

impl Currency {
    /// The code of ISO 4217.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Krw => "KRW",
        }
    }
}

/// A price list without faults: a price for every item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PriceList {
    /// The first day on which it holds, in every organization's own zone; 2000 to 2200.
    pub effective_on: NaiveDate,
    /// The currency.
    pub currency: Currency,
    /// The prices, with those of the whole catalogue.
    pub prices: BTreeMap<ItemCode, ItemPrice>,
}

impl PriceList {
    /// Reads a price list.
    ///
    /// # Errors
    /// All faults of the file at once; text that is not TOML is a single one.
    pub fn parse(text: &str) -> Result<Self, Faults> {
        read::price_list(text).map_err(Faults)
    }
}

/// Something wrong with a price list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where it is, as "items.TICKET.usage.free"; empty for the file as a whole.
    pub at: String,
    /// What is wrong, in English.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.is_empty() {
            write!(formatter, "{}: ", self.at)?;
        }
        formatter.write_str(&self.problem)
    }
}

/// All faults of a price list, at least one; shown one a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
