//! The agents of services as a file: for managers, those of their own services, as in the list.

use std::collections::HashMap;

use futures_util::future::FutureExt as _;
use sea_orm::{ColumnTrait, Condition, QueryFilter, sea_query::Expr};

use super::narrow::{AgentFilter, Asked};
use crate::{
    agent::{
        Channel,
        entity::{Column, Entity, Model, Role},
    },
    kernel::{
        Action, Language, MemberId, Result, ServiceId, View,
        extract::{self, Asking, Cell, Checked, Column as Of, Part, Source, SourceName, own},
        page::{Direction, Part as Place},
        reader::Scoped,
    },
    member::{self, Member},
    service::{self, Service},
};

/// A row of the file.
struct Row {
    agent: Model,
    member: Option<Member>,
    service: Option<Service>,
}

/// The agents of services as a file.
pub const SOURCE: Source = Source {
    name: SourceName::Agents,
    action: Action::AgentRead,
    check: |asking| {
        async move {
            Ok(Checked {
                heads: extract::heads(COLUMNS, asking.caller.language()),
                service: None,
                count: Some(select(asking)?.count().await?),
            })
        }
        .boxed()
    },
    part: |asking, chosen, after| {
        async move {
            let columns = [Column::AddedAt, Column::Id];
            let place = |row: &Model| [Place::Instant(row.added_at), Place::Id(row.id.0)];
            let (agents, next) = extract::next(select(asking)?, columns, Direction::Asc, after, place).await?;
            let rows = rows(asking.view, agents).await?;
            let rows = extract::cells(COLUMNS, chosen, asking.caller.language(), &rows);
            Ok(Part { rows, next })
        }
        .boxed()
    },
};

fn select<'v>(asking: &Asking<'v>) -> Result<Scoped<'v, Entity>> {
    let filter: AgentFilter = asking.input()?;
    let of_service = match filter.service_id.as_ref().map(|id| id.parse::<ServiceId>()) {
        None => Condition::all(),
        Some(Ok(service)) => Condition::all().add(Column::ServiceId.eq(service)),
        Some(Err(())) => Condition::all().add(Expr::value(false)),
    };
    let asked = Asked::by(asking.caller, filter.agents, None);
    let condition = asked.condition(asking.view)?.add(of_service);
    let select = asking.view.select::<Entity>().filter(condition);
    Ok(select.filter(Column::AddedAt.lte(asking.at)))
}

async fn rows(view: &View, agents: Vec<Model>) -> Result<Vec<Row>> {
    let members = agents.iter().map(|agent| agent.member_id);
    let members = view
        .select::<member::Entity>()
        .filter(member::Column::Id.is_in(members));
    let members: HashMap<MemberId, Member> = members.all().await?.into_iter().map(|row| (row.id, row)).collect();
    let services = agents.iter().map(|agent| agent.service_id);
    let services = view
        .select::<service::Entity>()
        .filter(service::Column::Id.is_in(services));
    let services: HashMap<ServiceId, Service> = services.all().await?.into_iter().map(|row| (row.id, row)).collect();
    let row = |agent: Model| Row {
        member: members.get(&agent.member_id).cloned(),
        service: services.get(&agent.service_id).cloned(),
        agent,
    };
    Ok(agents.into_iter().map(row).collect())
}

fn role(role: Role, language: Language) -> &'static str {
    match role {
        Role::Manager => own(language, "관리자", "Manager"),
        Role::Agent => own(language, "상담원", "Agent"),
    }
}

/// The channels of an agent as one cell.
fn channels(agent: &Model, language: Language) -> Cell {
    let all = [
        (Channel::Ticket, "티켓", "ticket"),
        (Channel::Chat, "채팅", "chat"),
        (Channel::Phone, "전화", "phone"),
    ];
    let held = all.iter().filter(|(channel, ..)| agent.handles(*channel));
    let held: Vec<_> = held
        .map(|(_, korean, english)| own(language, korean, english))
        .collect();
    Cell::Text(held.join(", "))
}

const COLUMNS: &[Of<Row>] = &[
    Of {
        code: "serviceCode",
        title: ("서비스 ID", "Service ID"),
        cell: |row, _| Cell::text(row.service.as_ref().map(|service| service.code.clone())),
    },
    Of {
        code: "serviceName",
        title: ("서비스명", "Service"),
        cell: |row, _| Cell::text(row.service.as_ref().map(|service| service.name.clone())),
    },
    Of {
        code: "login",
        title: ("로그인 ID", "Login ID"),
        cell: |row, _| Cell::text(row.member.as_ref().map(|member| member.login.clone())),
    },
    Of {
        code: "name",
        title: ("이름", "Name"),
        cell: |row, _| Cell::text(row.member.as_ref().map(|member| member.name.clone())),
    },
    Of {
        code: "role",
        title: ("기본권한", "Role"),
        cell: |row, language| Cell::Text(role(row.agent.role, language).to_owned()),
    },
    Of {
        code: "channels",
        title: ("상담권한", "Channels"),
        cell: |row, language| channels(&row.agent, language),
    },
    Of {
        code: "assignsCallbacks",
        title: ("콜백 할당 권한", "Gives callbacks"),
        cell: |row, _| Cell::truth(row.agent.assigns_callbacks),
    },
    Of {
        code: "forwardsTickets",
        title: ("티켓 전달 권한", "Passes tickets on"),
        cell: |row, _| Cell::truth(row.agent.forwards_tickets),
    },
    Of {
        code: "viewsAccessLogs",
        title: ("조회 권한", "Sees access logs"),
        cell: |row, _| Cell::truth(row.agent.views_access_logs),
    },
    Of {
        code: "receivesTickets",
        title: ("티켓 할당", "Is given tickets"),
        cell: |row, _| Cell::truth(row.agent.receives_tickets),
    },
    Of {
        code: "receivesChats",
        title: ("채팅 할당", "Is given chats"),
        cell: |row, _| Cell::truth(row.agent.receives_chats),
    },
    Of {
        code: "controlsAssignment",
        title: ("할당 제어", "Controls being given"),
        cell: |row, _| Cell::truth(row.agent.controls_assignment),
    },
    Of {
        code: "addedAt",
        title: ("등록일시", "Added at"),
        cell: |row, _| Cell::Instant(row.agent.added_at),
    },
];
