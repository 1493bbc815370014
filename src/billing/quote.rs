//! What a contract would cost, before it is completed or edited. A quote is a sealed text, not a row: over contract,
//! items, price list and amount, good to the end of the day in the organization's zone.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    formula::{self, Breakdown, DateRange, Input, Span},
    ledger::{expected, seats, spans},
    price::{self, PriceBook},
};
use crate::{
    contract::{self, Completeness, Contract, ContractItemInput, ContractSignInput, ContractUpdateInput, Items},
    kernel::{App, Code, Day, Error, Month, PriceListId, Problem, Reader, Result, Tx, secret::Purpose},
};

/// A price that was named.
#[derive(Debug)]
pub struct Quote {
    /// The sealed text.
    pub text: String,
    /// The last day on which it is good.
    pub good_on: Day,
    /// What a whole month costs at the expected volumes.
    pub whole_month: Breakdown,
    /// What this month comes to: the days until yesterday as they were, from today on as quoted.
    pub this_month: Breakdown,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Claim {
    contract: String,
    items: Vec<u8>,
    list: PriceListId,
    amount: i64,
    day: Day,
}

/// `contractQuote`: what the contract would cost with these items.
///
/// # Errors
/// As for completing or editing the contract.
pub async fn quote(
    reader: &Reader,
    app: &App,
    contract: &Contract,
    asked: &[ContractItemInput],
    today: Day,
) -> Result<Quote> {
    let items = contract::merge(reader, contract, asked, Completeness::Whole).await?;
    let book = price::fresh_book(app, reader).await?;
    let month = Month::of(today.0).ok_or_else(|| Error::internal("no such month"))?;
    let whole = Span {
        days: DateRange {
            from: month.first_day(),
            to: month.last_day(),
        },
        items: seats(&items),
    };
    let (list, whole_month) = price(&book, contract, month, &[whole], &[], &items, today)?;
    let known = contract::revisions_of(reader, &[contract.service_id], Day(month.last_day())).await?;
    let mut days = today
        .0
        .pred_opt()
        .map_or_else(Vec::new, |yesterday| spans(month, &known, yesterday));
    days.push(Span {
        days: DateRange {
            from: today.0,
            to: month.last_day(),
        },
        items: seats(&items),
    });
    let trial = contract.trial_from.zip(contract.trial_to);
    let trial: Vec<_> = trial
        .map(|(from, to)| DateRange { from: from.0, to: to.0 })
        .into_iter()
        .collect();
    let (_, this_month) = price(&book, contract, month, &days, &trial, &items, today)?;
    let claim = Claim {
        contract: contract.id.to_string(),
        items: hash(&items)?,
        list,
        amount: whole_month.total,
        day: today,
    };
    let context = reader.organization_id().0;
    let text = app
        .keys
        .seal(Purpose::Quote, context.as_bytes(), &serde_json::to_vec(&claim)?);
    Ok(Quote {
        text,
        good_on: today,
        whole_month,
        this_month,
    })
}

/// `contractSign`, at a quote if one is given.
///
/// # Errors
/// As for [`contract::sign`]; `QUOTE_EXPIRED`, `QUOTE_MISMATCH`, `QUOTE_PRICE_MOVED`.
pub async fn sign(tx: &Tx, id: &str, input: &ContractSignInput) -> Result<Contract> {
    check(
        tx,
        id,
        input.quote.as_deref(),
        input.items.as_deref().unwrap_or_default(),
    )
    .await?;
    contract::sign(tx, id, input).await
}

/// `contractUpdate`, at a quote if one is given.
///
/// # Errors
/// As for [`contract::update`]; `QUOTE_EXPIRED`, `QUOTE_MISMATCH`, `QUOTE_PRICE_MOVED`.
pub async fn update(tx: &Tx, id: &str, input: &ContractUpdateInput) -> Result<Contract> {
    check(tx, id, input.quote.as_deref(), &input.items).await?;
    contract::update(tx, id, input).await
}

async fn check(tx: &Tx, id: &str, text: Option<&str>, asked: &[ContractItemInput]) -> Result<()> {
    let Some(text) = text else { return Ok(()) };
    let refused = |code| Error::from(Problem::at("input.quoteId", code));
    let organization = tx.organization_id().0;
    let claim = tx.app().keys.open(Purpose::Quote, organization.as_bytes(), text);
    let claim: Claim = claim
        .and_then(|payload| serde_json::from_slice(&payload).ok())
        .ok_or_else(|| refused(Code::QuoteMismatch))?;
    let contract = tx.find::<contract::Entity>("id", id).await?;
    let today = tx.today()?;
    if claim.day != today {
        return Err(refused(Code::QuoteExpired));
    }
    let now = quote(tx, tx.app(), &contract, asked, today).await?;
    let now = tx.app().keys.open(Purpose::Quote, organization.as_bytes(), &now.text);
    let now: Claim = serde_json::from_slice(&now.unwrap_or_default())?;
    if (&claim.contract, &claim.items) != (&now.contract, &now.items) {
        return Err(refused(Code::QuoteMismatch));
    }
    if claim != now {
        Err(refused(Code::QuotePriceMoved))
    } else {
        Ok(())
    }
}

fn price(
    book: &PriceBook,
    contract: &Contract,
    month: Month,
    spans: &[Span],
    free_trial: &[DateRange],
    items: &Items,
    today: Day,
) -> Result<(PriceListId, Breakdown)> {
    // A contract that counts since before this month keeps the prices that held on the month's first day.
    let since = contract.started_on.map_or(today.0, |day| day.0.max(month.first_day()));
    let is_new = contract.started_on.is_some_and(|day| day.0 >= month.first_day());
    let (list, prices) = book.on(since, contract.signed_at.filter(|_| is_new))?;
    let breakdown = formula::compute(&Input {
        month,
        prices: &prices.prices,
        spans,
        free_trial,
        discount_percent: u8::try_from(contract.discount_percent).unwrap_or(0),
        usage: &expected(items),
        corrections: &[],
    });
    Ok((list, breakdown.map_err(Error::internal)?))
}

fn hash(items: &Items) -> Result<Vec<u8>> {
    Ok(Sha256::digest(serde_json::to_vec(items)?)[..16].to_vec())
}
