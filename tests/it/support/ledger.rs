//! Charges, quotes and usage as tests speak of them, through the API; and a look at the rows behind it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};

use super::{
    app::{TestApp, Who},
    make::{self, Made},
};

/// Lines and sums, as quotes, previews and charges have them.
pub const SUMS: &str = "subtotal { amount } discount { amount } supply { amount } vat { amount } total { amount }
    lines { kind itemCode seatCount dayCount usedCount freeCount chargedCount corrects amount { amount } }";

/// A whole won amount.
pub fn won(money: &Value) -> i64 {
    money["amount"].as_str().unwrap().parse().unwrap()
}

/// The total.
pub fn total(sums: &Value) -> i64 {
    won(&sums["total"])
}

/// The lines as `KIND item amount`, with the month that a correction corrects.
pub fn lines(sums: &Value) -> Vec<String> {
    let lines = sums["lines"].as_array().unwrap();
    lines
        .iter()
        .map(|line| {
            let words = [&line["kind"], &line["itemCode"], &line["corrects"]];
            let words: Vec<_> = words.into_iter().filter_map(Value::as_str).collect();
            format!("{} {}", words.join(" "), won(&line["amount"]))
        })
        .collect()
}

/// What a charge and a quote have in common.
pub fn sums(of: &Value) -> Value {
    let names = ["subtotal", "discount", "supply", "vat", "total", "lines"];
    names
        .iter()
        .map(|name| ((*name).to_owned(), of[*name].clone()))
        .collect()
}

/// Holds lines and sums against each other.
///
/// # Panics
/// When they do not agree.
pub fn balanced(charge: &Value) {
    let of_kind = |wanted: &[&str]| -> i64 {
        let lines = charge["lines"].as_array().unwrap().iter();
        lines
            .filter(|line| wanted.contains(&line["kind"].as_str().unwrap()))
            .map(|line| won(&line["amount"]))
            .sum()
    };
    let subtotal = of_kind(&["LICENCE", "USAGE", "FREE_TRIAL"]);
    let supply = subtotal + of_kind(&["DISCOUNT", "CORRECTION"]);
    let vat = supply.div_euclid(10);
    let said = ["subtotal", "discount", "supply", "vat", "total"].map(|name| won(&charge[name]));
    let computed = [subtotal, -of_kind(&["DISCOUNT"]), supply, vat, supply + vat];
    assert_eq!(said, computed, "{charge:#}");
    assert_eq!(of_kind(&["VAT"]), vat, "{charge:#}");
}

/// The whole list of charges from month to month, with the list's count and total.
pub async fn charges(who: Who<'_>, from: &str, to: &str) -> (Vec<Value>, i64, i64) {
    let query = format!(
        "query Q($from: Month!, $to: Month!) {{ charges(first: 40, filter: {{ from: $from, to: $to }}) {{
            totalCount total {{ amount }} nodes {{ id month status closedAt service {{ id }} {SUMS} }} }} }}"
    );
    let data = who.data(&query, json!({ "from": from, "to": to })).await;
    let list = &data["charges"];
    let nodes = list["nodes"].as_array().unwrap().clone();
    (nodes, list["totalCount"].as_i64().unwrap(), total(list))
}

/// The charge of one service for a month; null where there is none.
pub async fn charge(who: Who<'_>, made: &Made, month: &str) -> Value {
    let query = format!(
        "query Q($id: ID!, $month: Month!) {{ service(by: {{ id: $id }}) {{
            charges(from: $month, to: $month) {{ id month status closedAt {SUMS} }} }} }}"
    );
    let data = who.data(&query, json!({ "id": made.id, "month": month })).await;
    let found = data["service"]["charges"].as_array().unwrap();
    assert!(found.len() <= 1, "{month} twice: {found:#?}");
    found.first().cloned().unwrap_or(Value::Null)
}

/// A quote, or what is wrong with asking for it.
pub async fn quote(who: Who<'_>, made: &Made, items: Value) -> Value {
    let query = format!(
        "query Q($input: ContractQuoteInput!) {{ contractQuote(input: $input) {{
            quote {{ quoteId goodOn wholeMonth {{ {SUMS} }} thisMonth {{ {SUMS} }} }} userErrors {{ code field }} }} }}"
    );
    let input = json!({ "contractId": made.contract, "items": items });
    let data = who.data(&query, json!({ "input": input })).await;
    data["contractQuote"].clone()
}

/// Completes a contract, with its user errors.
pub async fn sign_at(who: Who<'_>, made: &Made, items: Value, quote: Option<&str>) -> Value {
    let (_, version) = make::versions(who, made).await;
    let input = json!({ "expectedVersion": version, "items": items, "quoteId": quote });
    who.payload(
        "contractSign(id: $id, input: $input)",
        json!({ "id": made.contract, "input": input }),
    )
    .await
}

/// Edits a contract, with its user errors.
pub async fn update_at(who: Who<'_>, made: &Made, items: Value, quote: Option<&str>) -> Value {
    let (_, version) = make::versions(who, made).await;
    let input = json!({ "expectedVersion": version, "items": items, "quoteId": quote });
    who.payload(
        "contractUpdate(id: $id, input: $input)",
        json!({ "id": made.contract, "input": input }),
    )
    .await
}

/// Edits a contract.
pub async fn update(who: Who<'_>, made: &Made, items: Value) {
    assert_eq!(update_at(who, made, items, None).await["userErrors"], json!([]));
}

/// An issue-management service in use, with so many ticket users.
pub async fn issue(who: Who<'_>, code: &str, users: i32) -> Made {
    let input = json!({ "kind": "ISSUE", "code": code, "name": format!("Desk {code}") });
    let field = "serviceCreate(input: $input) => service { id contract { id } }";
    let made = who.deed(field, json!({ "input": input })).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let made = Made {
        id: text(&made["service"]["id"]),
        contract: text(&made["service"]["contract"]["id"]),
    };
    let signed = sign_at(who, &made, json!([{ "code": "TICKET", "userCount": users }]), None).await;
    assert_eq!(signed["userErrors"], json!([]));
    made
}

/// One entry of usage.
pub fn entry(made: &Made, meter: &str, external: &str, quantity: i64, at: &str) -> Value {
    json!({ "serviceId": made.id, "meter": meter, "externalId": external, "quantity": quantity, "occurredAt": at })
}

/// Records usage, with its user errors.
pub async fn record(who: Who<'_>, entries: Value) -> Value {
    let field = "usageRecord(input: $input) => acceptedCount repeatedCount";
    who.payload(field, json!({ "input": { "entries": entries } })).await
}

/// Records usage that must be accepted.
pub async fn used(who: Who<'_>, made: &Made, meter: &str, external: &str, quantity: i64, at: &str) {
    let recorded = record(who, json!([entry(made, meter, external, quantity, at)])).await;
    assert_eq!(
        (&recorded["acceptedCount"], &recorded["userErrors"]),
        (&json!(1), &json!([]))
    );
}

/// Moves the organization to another zone.
pub async fn move_to(owner: Who<'_>, time_zone: &str) {
    let data = owner.data("{ organization { id version } }", json!({})).await;
    let organization = &data["organization"];
    let input = json!({ "expectedVersion": organization["version"], "timeZone": time_zone });
    let variables = json!({ "id": organization["id"], "input": input });
    owner
        .deed("organizationUpdate(id: $id, input: $input)", variables)
        .await;
}

/// The built-in price list as one that holds from a day, with `changes` made to its text.
pub fn price_list(effective_on: &str, changes: &[(&str, &str)]) -> String {
    let built_in = include_str!("../../../src/billing/prices.toml");
    let dated = replaced(
        built_in,
        "effective_on = \"2020-01-01\"",
        &format!("effective_on = \"{effective_on}\""),
    );
    changes.iter().fold(dated, |list, (from, to)| replaced(&list, from, to))
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the list has no {from}");
    text.replacen(from, to, 1)
}

/// Runs statements behind the doors.
pub async fn execute(app: &TestApp, sql: &str) {
    if let Some(url) = &app.admin_url {
        let mut admin = PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
    } else {
        let mut file = SqliteConnection::connect(&app.url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut file).await.unwrap();
    }
}

/// The rows of a selection of one text, behind the doors.
pub async fn texts(app: &TestApp, sql: &str) -> Vec<String> {
    if let Some(url) = &app.admin_url {
        let mut admin = PgConnection::connect(url).await.unwrap();
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut admin).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    } else {
        let mut file = SqliteConnection::connect(&app.url).await.unwrap();
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut file).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// An organization's jobs as `argument STATE attempts`, in their order.
pub async fn jobs(app: &TestApp, domain: &str) -> Vec<String> {
    let sql = format!(
        "SELECT argument || ' ' || state || ' ' || CAST(attempts AS text) FROM job_outbox
         WHERE organization_id = (SELECT id FROM organization WHERE domain = '{domain}') ORDER BY argument"
    );
    texts(app, &sql).await
}

/// Asks until the answer is the one that is waited for.
///
/// # Panics
/// When it has not come within half a minute.
pub async fn until<Answer, Asking>(mut ask: impl FnMut() -> Asking, is_it: impl Fn(&Answer) -> bool) -> Answer
where
    Answer: std::fmt::Debug,
    Asking: Future<Output = Answer>,
{
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = ask().await;
        if is_it(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited for something else than {answer:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
