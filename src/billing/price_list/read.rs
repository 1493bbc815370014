//! Reads a price list and gathers every fault on the way.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use toml::{Table, Value};

use super::{Currency, Fault, MAXIMUM_FREE_VOLUME, MAXIMUM_PRICE, PriceList};
use crate::billing::formula::{ItemPrice, UsagePrice};
use crate::contract::item::ItemCode;
use crate::kernel::zone::Month;

/// Reads a whole list; see [`PriceList::parse`].
pub(super) fn price_list(text: &str) -> Result<PriceList, Vec<Fault>> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        vec![Fault {
            at: String::new(),
            problem: error.to_string().trim_end().to_owned(),
        }]
    })?;
    let mut faults = Vec::new();
    let mut root = Node {
        at: String::new(),
        table: &table,
        faults: &mut faults,
    };
    root.only(&["effective_on", "currency", "items"]);
    let effective_on = root.read("effective_on", "a day as \"2026-11-01\", 2000 to 2200", day);
    let currency = root.read("currency", "\"KRW\"", currency);
    let prices = root.inside("items", items);
    match (effective_on, currency, prices) {
        (Some(effective_on), Some(currency), Some(prices)) if faults.is_empty() => Ok(PriceList {
            effective_on,
            currency,
            prices,
        }),
        _ => Err(faults),
    }
}

/// Reads the prices of all items; those with a fault are left out.
fn items(node: &mut Node<'_>) -> BTreeMap<ItemCode, ItemPrice> {
    node.only(&ItemCode::ALL.map(ItemCode::code));
    let mut prices = BTreeMap::new();
    for code in ItemCode::ALL {
        let price = node.inside(code.code(), |node| item(code, node)).flatten();
        prices.extend(price.map(|price| (code, price)));
    }
    prices
}

/// Reads one item's price; `None` if a part of it is missing or unreadable.
fn item(code: ItemCode, node: &mut Node<'_>) -> Option<ItemPrice> {
    let base = node.read("base", PRICE_FORM, price);
    let day = node.read("day", PRICE_FORM, price);
    if base.zip(day).is_some_and(|(base, day)| day > base) {
        node.fault("day", "is more than base, so that it would never be charged");
    }
    let usage = if code.meter().is_some() {
        node.only(&["base", "day", "usage"]);
        Some(node.inside("usage", usage).flatten()?)
    } else {
        node.only(&["base", "day"]);
        None
    };
    Some(ItemPrice {
        base_milli: base?,
        day_milli: day?,
        per_user: code.is_per_user(),
        usage,
    })
}

/// Reads what the use of an item costs.
fn usage(node: &mut Node<'_>) -> Option<UsagePrice> {
    node.only(&["free", "unit1", "limit1", "unit2"]);
    let free = node.read("free", VOLUME_FORM, volume);
    let unit1 = node.read("unit1", PRICE_FORM, price);
    let limit1 = node.read("limit1", VOLUME_FORM, volume);
    let unit2 = node.read("unit2", PRICE_FORM, price);
    if free
        .zip(limit1)
        .is_some_and(|(free, limit1)| limit1 != 0 && limit1 <= free)
    {
        node.fault("limit1", "is not above free, so that unit1 would never be charged");
    }
    if limit1 == Some(0) && unit2.is_some_and(|unit2| unit2 != 0) {
        node.fault("unit2", "would never be charged with limit1 = 0; write \"0\"");
    }
    Some(UsagePrice {
        free: free?,
        unit1_milli: unit1?,
        limit1: limit1?,
        unit2_milli: unit2?,
    })
}

/// What [`price`] reads.
const PRICE_FORM: &str = "a price in won as text, \"0\" to \"1000000000\", with at most three decimals";
/// What [`volume`] reads.
const VOLUME_FORM: &str = "a whole number, 0 to 1000000000000";

/// A day that lies in a month there can be charges for.
fn day(value: &Value) -> Option<NaiveDate> {
    let text = value.as_str()?;
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    // The reader of dates takes "2026-1-1" too.
    (Month::of(date).is_some() && date.to_string() == text).then_some(date)
}

/// A currency that charges can be made in.
fn currency(value: &Value) -> Option<Currency> {
    (value.as_str() == Some(Currency::Krw.code())).then_some(Currency::Krw)
}

/// A price in won as thousandths.
fn price(value: &Value) -> Option<i64> {
    let text = value.as_str()?;
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = whole == "0" || !whole.starts_with('0');
    if !plain || !digits(whole) || !digits(decimals) || decimals.len() > 3 {
        return None;
    }
    let thousandths: i64 = format!("{whole}{decimals:0<3}").parse().ok()?;
    (thousandths <= MAXIMUM_PRICE * 1000).then_some(thousandths)
}

/// A volume of use.
fn volume(value: &Value) -> Option<u64> {
    let volume = u64::try_from(value.as_integer()?).ok()?;
    (volume <= MAXIMUM_FREE_VOLUME).then_some(volume)
}

/// A table of the file, with its place and the faults found so far.
struct Node<'a> {
    at: String,
    table: &'a Table,
    faults: &'a mut Vec<Fault>,
}

impl Node<'_> {
    /// Notes a fault of one of the table's keys.
    fn fault(&mut self, key: &str, problem: impl Into<String>) {
        self.faults.push(Fault {
            at: place(&self.at, key),
            problem: problem.into(),
        });
    }

    /// Notes keys that mean nothing here.
    fn only(&mut self, known: &[&str]) {
        let table = self.table;
        for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
            self.fault(key, format!("is unknown; known here: {}", known.join(", ")));
        }
    }

    /// Reads a key that has to be there and to be what `form` says.
    fn read<T>(&mut self, key: &str, form: &str, read: fn(&Value) -> Option<T>) -> Option<T> {
        let Some(value) = self.table.get(key) else {
            self.fault(key, format!("is missing: {form}"));
            return None;
        };
        let found = read(value);
        if found.is_none() {
            self.fault(key, format!("is not {form}"));
        }
        found
    }

    /// Reads a table that has to be there.
    fn inside<T>(&mut self, key: &str, read: impl FnOnce(&mut Node<'_>) -> T) -> Option<T> {
        match self.table.get(key) {
            Some(Value::Table(table)) => {
                let at = place(&self.at, key);
                Some(read(&mut Node {
                    at,
                    table,
                    faults: self.faults,
                }))
            }
            Some(_) => {
                self.fault(key, "is not a table");
                None
            }
            None => {
                self.fault(key, "is missing");
                None
            }
        }
    }
}

/// The place of a key in a table.
fn place(at: &str, key: &str) -> String {
    if at.is_empty() {
        key.to_owned()
    } else {
        format!("{at}.{key}")
    }
}
