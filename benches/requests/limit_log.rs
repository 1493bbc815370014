//! The hand-written handler's page of the audit log.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use orgdesk::kernel::{AuditEntryId, OrganizationId, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, Row, postgres::PgRow};

use crate::limit::Answer;

#[derive(Deserialize)]
pub struct Span {
    organization: OrganizationId,
    from: Timestamp,
    to: Timestamp,
    actions: Vec<String>,
    at: Timestamp,
    id: AuditEntryId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entries {
    audit_entries: Page,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    nodes: Vec<Entry>,
    page_info: PageInfo,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: AuditEntryId,
    occurred_at: String,
    action: String,
    outcome: String,
    address: String,
    actor: Actor,
    target: Option<Target>,
}

#[derive(Serialize)]
struct Actor {
    name: String,
}

#[derive(Serialize)]
struct Target {
    label: String,
}

const ENTRIES: &str =
    "SELECT id, organization_id, log, sequence, occurred_at, action, outcome, reason, actor_kind, actor_id,
    actor_name, address, request_id, target_id, target_label, service_id, subjects, changes, previous_hash, hash
    FROM audit_entry WHERE organization_id = $1 AND action = ANY($2) AND occurred_at >= $3 AND occurred_at < $4
      AND (occurred_at, id) < ($5, $6)
    ORDER BY occurred_at DESC, id DESC LIMIT $7";

pub async fn entries(State(pool): State<PgPool>, Json(asked): Json<Span>) -> Json<Answer<Entries>> {
    let query = sqlx::query(ENTRIES).bind(asked.organization.0).bind(&asked.actions);
    let query = query
        .bind(asked.from.0)
        .bind(asked.to.0)
        .bind(asked.at.0)
        .bind(asked.id.0)
        .bind(51_i64);
    let rows = query.fetch_all(&pool).await.expect("entries");
    let nodes: Vec<_> = rows.iter().take(50).map(entry).collect();
    let page_info = PageInfo {
        has_next_page: rows.len() > 50,
        end_cursor: nodes.last().map(|last| format!("{},{}", last.occurred_at, last.id)),
    };
    let data = Entries {
        audit_entries: Page { nodes, page_info },
    };
    Json(Answer { data })
}

fn entry(row: &PgRow) -> Entry {
    Entry {
        id: AuditEntryId(row.get(0)),
        occurred_at: Timestamp(row.get::<DateTime<Utc>, _>(4)).to_text(),
        action: row.get(5),
        outcome: row.get(6),
        address: row.get(11),
        actor: Actor { name: row.get(10) },
        target: row.get::<Option<String>, _>(14).map(|label| Target { label }),
    }
}
