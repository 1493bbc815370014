//! The hand-written handler: axum, sqlx with rows decoded by place, serde. It runs the statements that the service runs
//! for the same work, and nothing around them: no sign-in, no row-level security, no chain of hashes.

use std::collections::HashMap;

use axum::{Json, Router, extract::State, routing::post};
use orgdesk::kernel::{ContractId, Month, OrganizationId, ServiceId};
use serde::{Deserialize, Serialize, Serializer};
use sqlx::{
    PgPool, Row,
    postgres::{PgPoolOptions, PgRow},
    types::Json as Jsonb,
};
use uuid::Uuid;

use crate::{
    limit_agents,
    limit_edit::{self, Item, ShownItem},
    limit_log,
};

/// Serves on `address` until the process is killed.
pub async fn serve(address: &str) {
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL");
    // As many connections as the service has.
    let pool = PgPoolOptions::new().max_connections(16).connect(&url).await;
    let router = Router::new()
        .route("/organization", post(organization))
        .route("/services", post(services))
        .route("/entries", post(limit_log::entries))
        .route("/agents", post(limit_agents::agents))
        .route("/edit", post(limit_edit::edit))
        .with_state(pool.expect("the database"));
    let listener = tokio::net::TcpListener::bind(address).await.expect("a free address");
    axum::serve(listener, router).await.expect("a server");
}

/// What a GraphQL answer has around it.
#[derive(Serialize)]
pub struct Answer<T> {
    pub data: T,
}

#[derive(Deserialize)]
struct Whose {
    organization: OrganizationId,
}

#[derive(Serialize)]
struct OfOrganization<T> {
    organization: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Organization {
    id: OrganizationId,
    name: String,
    domain: String,
    time_zone: String,
}

const ORGANIZATION: &str = "SELECT id, code, name, domain, time_zone, is_ipcc_approved, is_mobile_contact_approved,
    is_security_approved, created_at, version FROM organization WHERE id = $1";

async fn organization(
    State(pool): State<PgPool>,
    Json(asked): Json<Whose>,
) -> Json<Answer<OfOrganization<Organization>>> {
    let row = sqlx::query(ORGANIZATION)
        .bind(asked.organization.0)
        .fetch_one(&pool)
        .await;
    let row = row.expect("an organization");
    let organization = Organization {
        id: OrganizationId(row.get(0)),
        name: row.get(2),
        domain: row.get(3),
        time_zone: row.get(4),
    };
    let data = OfOrganization { organization };
    Json(Answer { data })
}

#[derive(Deserialize)]
struct Months {
    organization: OrganizationId,
    from: Month,
    to: Month,
}

#[derive(Serialize)]
struct Named {
    name: String,
    services: Nodes<Service>,
}

#[derive(Serialize)]
struct Nodes<T> {
    nodes: Vec<T>,
}

#[derive(Serialize)]
struct Service {
    id: ServiceId,
    code: String,
    name: String,
    status: String,
    contract: Option<Contract>,
    charges: Vec<Charge>,
}

#[derive(Serialize)]
struct Contract {
    id: ContractId,
    status: String,
    items: Vec<ShownItem>,
}

#[derive(Serialize)]
struct Charge {
    month: Month,
    total: Money,
    lines: Vec<Line>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    kind: String,
    item_code: Option<String>,
    amount: Money,
}

#[derive(Serialize)]
struct Money {
    #[serde(serialize_with = "as_text")]
    amount: i64,
}

fn as_text<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

const SERVICES: &str =
    "SELECT id, organization_id, code, kind, name, name_key, languages, time_zone, editor_type, status,
    created_at, suspended_at, terminated_at, version FROM service WHERE organization_id = $1 AND status <> $2
    ORDER BY created_at DESC, id DESC LIMIT $3";

const CONTRACTS: &str = "SELECT id, organization_id, service_id, status, items, discount_percent, trial_from, trial_to,
    started_on, ended_on, signed_at, edited_on, edit_spent_until, revision, created_at, version
    FROM contract WHERE organization_id = $1 AND service_id = ANY($2)";

const CHARGES: &str =
    "SELECT c.organization_id, c.service_id, c.month, c.price_list_id, c.subtotal, c.discount, c.supply,
    c.vat, c.total, c.closed_at, l.organization_id, l.service_id, l.month, l.position, l.kind, l.item, l.seats, l.days,
    l.used, l.free, l.charged, l.corrects, l.amount
    FROM charge c LEFT JOIN charge_line l
      ON c.organization_id = l.organization_id AND c.service_id = l.service_id AND c.month = l.month
    WHERE c.organization_id = $1 AND c.service_id = ANY($2) AND c.month BETWEEN $3 AND $4
    ORDER BY c.month DESC, c.service_id ASC, c.organization_id ASC, c.service_id ASC, c.month ASC,
      l.organization_id ASC, l.service_id ASC, l.month ASC, l.position ASC";

const LAST_CLOSED: &str = "SELECT organization_id, month, closed_at FROM month_close WHERE organization_id = $1
    ORDER BY month DESC LIMIT $2";

async fn services(State(pool): State<PgPool>, Json(asked): Json<Months>) -> Json<Answer<OfOrganization<Named>>> {
    let whose = asked.organization.0;
    let mut connection = pool.acquire().await.expect("a connection");
    let owner = sqlx::query(ORGANIZATION).bind(whose).fetch_one(&mut *connection).await;
    let rows = sqlx::query(SERVICES).bind(whose).bind("TERMINATED").bind(11_i64);
    let rows = rows.fetch_all(&mut *connection).await.expect("services");
    let ids: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();

    let contracts = sqlx::query(CONTRACTS)
        .bind(whose)
        .bind(&ids)
        .fetch_all(&mut *connection)
        .await;
    let contracts = contracts.expect("contracts");
    let mut contracts: HashMap<Uuid, Contract> = contracts.iter().map(|row| (row.get(2), contract(row))).collect();

    let lines = sqlx::query(CHARGES)
        .bind(whose)
        .bind(&ids)
        .bind(asked.from.index())
        .bind(asked.to.index());
    let lines = lines.fetch_all(&mut *connection).await.expect("charges");
    let mut charges: HashMap<Uuid, Vec<Charge>> = HashMap::new();
    for row in &lines {
        let of = charges.entry(row.get(1)).or_default();
        let month = Month::from_index(row.get(2)).expect("a month");
        if of.last().is_none_or(|charge| charge.month != month) {
            let total = Money { amount: row.get(8) };
            of.push(Charge {
                month,
                total,
                lines: Vec::new(),
            });
        }
        if let Some(charge) = of.last_mut() {
            charge.lines.push(line(row));
        }
    }
    // Whether a month is closed decides between reading and computing it.
    let last = sqlx::query(LAST_CLOSED)
        .bind(whose)
        .bind(1_i64)
        .fetch_one(&mut *connection)
        .await;
    assert!(last.expect("a closed month").get::<i32, _>(1) >= asked.to.index());

    let service = |row: &PgRow| {
        let id: Uuid = row.get(0);
        Service {
            id: ServiceId(id),
            code: row.get(2),
            name: row.get(4),
            status: row.get(9),
            contract: contracts.remove(&id),
            charges: charges.remove(&id).unwrap_or_default(),
        }
    };
    let nodes = rows.iter().take(10).map(service).collect();
    let organization = Named {
        name: owner.expect("an organization").get(2),
        services: Nodes { nodes },
    };
    let data = OfOrganization { organization };
    Json(Answer { data })
}

fn contract(row: &PgRow) -> Contract {
    let Jsonb(items): Jsonb<Vec<Item>> = row.get(4);
    Contract {
        id: ContractId(row.get(0)),
        status: row.get(3),
        items: items.into_iter().map(ShownItem::from).collect(),
    }
}

fn line(row: &PgRow) -> Line {
    Line {
        kind: row.get(14),
        item_code: row.get(15),
        amount: Money { amount: row.get(22) },
    }
}
