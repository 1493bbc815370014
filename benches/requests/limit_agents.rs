//! The hand-written handler's page of agents by name: one statement, with the member and the service of each.

use axum::{Json, extract::State};
use orgdesk::kernel::{AgentId, MemberId, OrganizationId, ServiceId};
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, Row, postgres::PgRow};

use crate::limit::Answer;

#[derive(Deserialize)]
pub struct Named {
    organization: OrganizationId,
    name: String,
}

#[derive(Serialize)]
pub struct Agents {
    agents: Page,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    nodes: Vec<Agent>,
    page_info: PageInfo,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
}

#[derive(Serialize)]
struct Agent {
    id: AgentId,
    role: String,
    member: Member,
    service: Service,
}

#[derive(Serialize)]
struct Member {
    id: MemberId,
    name: String,
    login: String,
}

#[derive(Serialize)]
struct Service {
    id: ServiceId,
    code: String,
}

const AGENTS: &str = "SELECT agent.id, agent.role, member.id, member.name, member.login, service.id, service.code
    FROM agent
    JOIN member ON member.organization_id = agent.organization_id AND member.id = agent.member_id
    JOIN service ON service.organization_id = agent.organization_id AND service.id = agent.service_id
    WHERE agent.organization_id = $1 AND member.name_key LIKE '%' || $2 || '%'
    ORDER BY agent.added_at, agent.id LIMIT $3";

pub async fn agents(State(pool): State<PgPool>, Json(asked): Json<Named>) -> Json<Answer<Agents>> {
    let query = sqlx::query(AGENTS).bind(asked.organization.0).bind(&asked.name);
    let rows = query.bind(51_i64).fetch_all(&pool).await.expect("agents");
    let nodes = rows.iter().take(50).map(agent).collect();
    let page_info = PageInfo {
        has_next_page: rows.len() > 50,
    };
    let data = Agents {
        agents: Page { nodes, page_info },
    };
    Json(Answer { data })
}

fn agent(row: &PgRow) -> Agent {
    Agent {
        id: AgentId(row.get(0)),
        role: row.get(1),
        member: Member {
            id: MemberId(row.get(2)),
            name: row.get(3),
            login: row.get(4),
        },
        service: Service {
            id: ServiceId(row.get(5)),
            code: row.get(6),
        },
    }
}
