//! The price lists, kept as they were loaded. Each holds from its day on; a service's month is priced by one list,
//! the one that holds on its first charged day of that month; what was sold on a day keeps the prices it was sold at.

use std::sync::Arc;

use chrono::NaiveDate;
use sea_orm::entity::prelude::*;

use super::price_list::{CATALOGUE, PriceList};
use crate::kernel::{
    App, Day, Error, PriceListId, Reader, Result, Timestamp, id,
    routing::{self, Unowned},
};

/// A price list as it was loaded.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "price_list")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PriceListId,
    pub effective_on: Day,
    pub currency: String,
    pub source: String,
    pub loaded_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Unowned for Entity {}

/// All price lists with when they were loaded, by the day from which they hold.
#[derive(Debug)]
pub struct PriceBook(Vec<(PriceListId, Timestamp, PriceList)>);

impl PriceBook {
    /// The list that holds on a day; where the day is the one of a signing at `signed_at`, not one that came after it.
    ///
    /// # Errors
    /// Only for days before the first list, on which nothing was sold.
    pub fn on(&self, day: NaiveDate, signed_at: Option<Timestamp>) -> Result<(PriceListId, &PriceList)> {
        let mut held = self.0.iter().filter(|(.., list)| list.effective_on <= day);
        let is_known = |loaded_at: &Timestamp| signed_at.is_none_or(|signed_at| *loaded_at <= signed_at);
        let known = held.clone().rev().find(|(_, loaded_at, _)| is_known(loaded_at));
        known
            .or_else(|| held.next())
            .map(|(id, _, list)| (*id, list))
            .ok_or_else(|| Error::internal(format!("no price list holds on {day}")))
    }
}

/// The price lists, at most a minute old.
///
/// # Errors
/// Only if the database fails.
pub async fn book(app: &App, reader: &Reader) -> Result<Arc<PriceBook>> {
    let read = Box::pin(async { bind(routing::all_within::<Entity>(reader).await?) });
    app.shelf.get(app.clock.now(), read).await
}

/// The price lists as they are now.
///
/// # Errors
/// Only if the database fails.
pub async fn fresh_book(app: &App, reader: &Reader) -> Result<Arc<PriceBook>> {
    let book = bind(routing::all_within::<Entity>(reader).await?)?;
    Ok(app.shelf.put(app.clock.now(), book))
}

fn bind(rows: Vec<Model>) -> Result<PriceBook> {
    let mut lists = Vec::new();
    for row in rows {
        let list = PriceList::parse(&row.source)
            .map_err(|faults| Error::internal(format!("price list {}: {faults}", row.id)))?;
        lists.push((row.id, row.loaded_at, list));
    }
    lists.sort_by_key(|(.., list)| list.effective_on);
    Ok(PriceBook(lists))
}

/// Loads a price list, at the operator's word. It may hold from today at the earliest: what was sold keeps its price.
///
/// # Errors
/// Everything that is wrong with the file; a day that is past or has a list already.
pub async fn load(app: &App, source: &str) -> anyhow::Result<PriceListId> {
    let list = PriceList::parse(source).map_err(|faults| anyhow::anyhow!("{faults}"))?;
    // The last zone to leave a day is UTC-12.
    let oldest = (app.clock.now().0 - chrono::Duration::hours(12)).date_naive();
    anyhow::ensure!(
        list.effective_on >= oldest,
        "effective_on is past: a price list holds from today at the earliest"
    );
    let known = routing::all::<Entity>(app).await?;
    let is_new = known.iter().all(|row| row.effective_on.0 != list.effective_on);
    anyhow::ensure!(
        is_new,
        "a price list that holds from {} is there already",
        list.effective_on
    );
    Ok(add(app, source, &list).await?)
}

/// Loads the built-in price list where there is none.
///
/// # Errors
/// Only if the database fails.
pub async fn ensure(app: &App) -> Result<()> {
    if routing::all::<Entity>(app).await?.is_empty() {
        let list = PriceList::parse(CATALOGUE).map_err(Error::internal)?;
        add(app, CATALOGUE, &list).await?;
    }
    Ok(())
}

async fn add(app: &App, source: &str, list: &PriceList) -> Result<PriceListId> {
    let now = app.clock.now();
    let row = Model {
        id: PriceListId(id::fresh(now, &app.random)),
        effective_on: Day(list.effective_on),
        currency: list.currency.code().to_owned(),
        source: source.to_owned(),
        loaded_at: now,
    };
    let id = row.id;
    routing::add::<Entity>(app, row).await?;
    app.shelf.put(now, bind(routing::all::<Entity>(app).await?)?);
    Ok(id)
}
