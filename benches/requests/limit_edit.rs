//! The hand-written handler's edit of a contract: one transaction with the contract locked, its new version and an entry
//! in the log.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::{Json, extract::State};
use chrono::{DateTime, NaiveDate, Utc};
use orgdesk::kernel::{Clock, ContractId, OrganizationId, SystemClock};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::{PgPool, Row, types::Json as Jsonb};
use uuid::Uuid;

use crate::limit::Answer;

#[derive(Deserialize)]
pub struct Edit {
    organization: OrganizationId,
    contract: ContractId,
    version: i32,
    users: i32,
}

/// An item as the database has it.
#[derive(Serialize, Deserialize, PartialEq)]
pub struct Item {
    code: String,
    is_on: bool,
    user_count: Option<i32>,
    expected_volume: Option<i32>,
}

/// An item as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownItem {
    code: String,
    user_count: Option<i32>,
}

impl From<Item> for ShownItem {
    fn from(item: Item) -> Self {
        Self {
            code: item.code,
            user_count: item.user_count,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Updated {
    contract_update: Payload,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    contract: Contract,
    user_errors: [(); 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Contract {
    id: ContractId,
    version: i32,
    edited_on: NaiveDate,
    items: Vec<ShownItem>,
}

const SELECT: &str = "SELECT id, organization_id, service_id, status, items, discount_percent, trial_from, trial_to,
    started_on, ended_on, signed_at, edited_on, edit_spent_until, revision, created_at, version
    FROM contract WHERE organization_id = $1 AND id = $2 FOR UPDATE";

const UPDATE: &str =
    "UPDATE contract SET items = $3, edited_on = $4, edit_spent_until = $7, revision = $5, version = $6
    WHERE organization_id = $1 AND id = $2";

const REVISION: &str =
    "INSERT INTO contract_revision (organization_id, contract_id, service_id, revision, cause, items,
    discount_percent, trial_from, trial_to, effective_on, edited_on, made_at, made_by)
    VALUES ($1, $2, $3, $4, 'UPDATED', $5, $6, $7, $8, $9, $9, $10, $11)";

const ENTRY: &str = "INSERT INTO audit_entry (id, organization_id, log, sequence, occurred_at, action, outcome, actor_kind,
    actor_id, actor_name, address, request_id, target_id, target_label, service_id, subjects, changes, previous_hash, hash)
    SELECT $1, $2, 'MANAGEMENT', coalesce(max(sequence), 0) + 1, $3, 'CONTRACT_UPDATE', 'DONE', 'MEMBER', $4, $5,
      '127.0.0.1', $6, $7, $7, $8, '[]', $9, $10, $10 FROM audit_entry WHERE organization_id = $2 AND log = 'MANAGEMENT'";

pub async fn edit(State(pool): State<PgPool>, Json(asked): Json<Edit>) -> Json<Answer<Updated>> {
    let (whose, contract) = (asked.organization.0, asked.contract.0);
    let now = SystemClock.now().0;
    let today = now.with_timezone(&chrono_tz::Asia::Seoul).date_naive();
    let mut work = pool.begin().await.expect("a transaction");

    let row = sqlx::query(SELECT)
        .bind(whose)
        .bind(contract)
        .fetch_one(&mut *work)
        .await;
    let row = row.expect("a contract");
    let Jsonb(mut items): Jsonb<Vec<Item>> = row.get(4);
    let before = json!(items).to_string();
    for item in items.iter_mut().filter(|item| item.code == "TICKET") {
        item.user_count = Some(asked.users);
    }
    let (revision, version): (i32, i32) = (row.get::<i32, _>(13) + 1, row.get::<i32, _>(15) + 1);
    assert!(version == asked.version + 1 && row.get::<Option<NaiveDate>, _>(11) != Some(today));

    let update = sqlx::query(UPDATE)
        .bind(whose)
        .bind(contract)
        .bind(Jsonb(&items))
        .bind(today);
    update
        .bind(revision)
        .bind(version)
        .bind(day_end(today))
        .execute(&mut *work)
        .await
        .expect("an update");

    let kept = sqlx::query(REVISION)
        .bind(whose)
        .bind(contract)
        .bind(row.get::<Uuid, _>(2))
        .bind(revision);
    let kept = kept
        .bind(Jsonb(&items))
        .bind(row.get::<i32, _>(5))
        .bind(row.get::<Option<NaiveDate>, _>(6));
    let kept = kept
        .bind(row.get::<Option<NaiveDate>, _>(7))
        .bind(today)
        .bind(now)
        .bind("소유자");
    kept.execute(&mut *work).await.expect("a version");

    let key = asked.contract.to_string();
    let told = |field, before, after| json!({ "record": "contract", "key": key, "field": field, "before": before, "after": after });
    let changes = json!([
        told("items", Some(before), json!(items).to_string()),
        told("editedOn", None, today.to_string()),
        told("revision", Some((revision - 1).to_string()), revision.to_string()),
    ]);
    let entry = sqlx::query(ENTRY)
        .bind(fresh_id(now))
        .bind(whose)
        .bind(now)
        .bind("mbr_0");
    let entry = entry
        .bind("소유자")
        .bind("a request")
        .bind(&key)
        .bind(row.get::<Uuid, _>(2));
    let entry = entry.bind(changes.to_string()).bind([0_u8; 32].as_slice());
    entry.execute(&mut *work).await.expect("an entry");
    work.commit().await.expect("a commit");

    let contract = Contract {
        id: asked.contract,
        version,
        edited_on: today,
        items: items.into_iter().map(ShownItem::from).collect(),
    };
    let contract_update = Payload {
        contract,
        user_errors: [],
    };
    Json(Answer {
        data: Updated { contract_update },
    })
}

/// An ID in the order of time, as the service makes them; the rest is a number instead of chance.
fn fresh_id(now: DateTime<Utc>) -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(0);

    let mut rest = [0; 10];
    rest[2..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
}

/// Seoul's clocks do not change.
fn day_end(day: NaiveDate) -> Option<DateTime<Utc>> {
    let next = day.succ_opt()?.and_hms_opt(0, 0, 0)?;
    Some(next.and_local_timezone(chrono_tz::Asia::Seoul).single()?.to_utc())
}
