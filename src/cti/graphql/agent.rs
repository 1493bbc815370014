//! What the API says of CTI agents: members with the phone right, what they hold, and the pages of them.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, ID, InputObject, Object};
use sea_orm::{
    ColumnTrait, Condition, QueryFilter,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    cti::{
        Contracted, contracted,
        line::{self, Line},
    },
    kernel::{
        Action, Caller, Code, Error, MemberId, Page, PageRequest, Reader, Result, ServiceId, Timestamp, View,
        page::{self, Cursors, Direction, Part, connection},
    },
    member::{self, Member, search},
    service::{Service, graphql::PossibleAction},
};

/// CTI 상담원: a member who has the phone right in a service whose contract has the telephone, and what he logs in with.
#[derive(Debug, Clone)]
pub struct CtiAgent {
    member: Member,
    line: Option<Line>,
    services: Vec<Service>,
}

/// CTI 상담원: a member who has the phone right in a service whose contract has the telephone, and what he logs in with.
#[Object]
impl CtiAgent {
    /// The member.
    async fn member(&self) -> &Member {
        &self.member
    }

    /// CTI ID; null where he has none.
    async fn cti_id(&self) -> Option<&String> {
        self.line.as_ref()?.cti_id.as_ref()
    }

    /// CTI NO: digits, zeros in front among them; null where he has none.
    async fn cti_number(&self) -> Option<&String> {
        self.line.as_ref()?.cti_number.as_ref()
    }

    /// When they were last changed; null where he never had any.
    async fn changed_at(&self) -> Option<Timestamp> {
        self.line.as_ref().map(|line| line.changed_at)
    }

    /// Counts the changes: give it back as `expectedVersion`. 0 where he never had any.
    async fn version(&self) -> i32 {
        self.line.as_ref().map_or(0, |line| line.version)
    }

    /// 서비스: those in which he has the phone right and whose contracts have the telephone, in the order of their names, at most 100.
    async fn services(&self) -> &Vec<Service> {
        &self.services
    }

    /// What the caller can do with it now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Vec<PossibleAction> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let has_no_right = self.services.is_empty().then_some(Code::AgentHasNoPhoneRight);
        vec![PossibleAction::of(caller, Action::CtiAgentUpdateMany, has_no_right)]
    }
}

connection! { CtiAgentConnection, CtiAgentEdge, CtiAgent, "agent", "CTI agents" }

/// Which agents; conditions are joined by *and*.
#[derive(Debug, Default, InputObject)]
pub struct CtiAgentFilter {
    /// 서비스: only those who have the phone right in it.
    pub service_id: Option<ID>,
    /// 이름: the name contains this, whatever the case; at most 100 characters.
    pub name_contains: Option<String>,
    /// 이메일: the e-mail address contains this, whatever the case; at most 100 characters.
    pub email_contains: Option<String>,
    /// CTI ID: it contains this, whatever the case, in whatever spelling; at most 100 characters.
    pub cti_id_contains: Option<String>,
    /// CTI NO: it contains these digits, in whatever spelling; at most 100 characters.
    pub cti_number_contains: Option<String>,
    /// Only who has a CTI ID and number, or only who has none.
    pub has_number: Option<bool>,
}

/// Members as CTI agents: two statements for any number of them.
pub(super) async fn gather(view: &View, members: Vec<Member>, contracted: &Contracted) -> Result<Vec<CtiAgent>> {
    let ids: Vec<MemberId> = members.iter().map(|member| member.id).collect();
    let lines = line::of(view, ids.iter().copied()).await?;
    let mut lines: HashMap<_, _> = lines.into_iter().map(|line| (line.member_id, line)).collect();
    let mut services = HashMap::<_, Vec<Service>>::new();
    for place in line::places(view, ids, contracted).await? {
        let service = contracted.service(place.service_id).cloned();
        services.entry(place.member_id).or_default().extend(service);
    }
    let agent = |member: Member| {
        let mut services = services.remove(&member.id).unwrap_or_default();
        services.sort_by(|one, other| (&one.name_key, one.id).cmp(&(&other.name_key, other.id)));
        CtiAgent {
            line: lines.remove(&member.id),
            services,
            member,
        }
    };
    Ok(members.into_iter().map(agent).collect())
}

/// The agents of these members, in that order.
pub(super) async fn of_members(caller: &Arc<Caller>, ids: &[MemberId]) -> Result<Vec<CtiAgent>> {
    let view = caller.view(Action::CtiRead).await?;
    let contracted = contracted(&view).await?;
    let rows = view.select::<member::Entity>();
    let rows = rows.filter(member::Column::Id.is_in(ids.iter().copied())).all().await?;
    let mut found: HashMap<_, _> = rows.into_iter().map(|member| (member.id, member)).collect();
    let members = ids.iter().filter_map(|id| found.remove(id)).collect();
    gather(&view, members, &contracted).await
}

/// A page of agents, by name; `None` where there is no CTI.
pub(super) async fn list(
    context: &Context<'_>,
    request: PageRequest,
    filter: &CtiAgentFilter,
) -> Result<Option<CtiAgentConnection>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::CtiRead).await?;
    let contracted = contracted(&view).await?;
    if !contracted.is_somewhere() {
        return Ok(None);
    }
    let cursors = Cursors::new(&caller.app().keys, view.organization_id(), "CTI agents");
    let place = |row: &Member| [Part::Text(row.name_key.clone()), Part::Id(row.id.0)];
    let columns = [member::Column::NameKey, member::Column::Id];
    let shown = condition(&view, &contracted, filter)?;
    let select = || view.select::<member::Entity>().filter(shown.clone());
    let page = page::read(select(), columns, Direction::Asc, &request, &cursors, place).await?;
    let total = match context.look_ahead().field("totalCount").exists() {
        true if page.is_whole() => page.edges.len() as u64,
        true => select().count().await?,
        false => 0,
    };
    let (places, members): (Vec<_>, Vec<_>) = page.edges.into_iter().unzip();
    let agents = gather(&view, members, &contracted).await?;
    let page = Page {
        edges: places.into_iter().zip(agents).collect(),
        has_next: page.has_next,
        has_previous: page.has_previous,
    };
    Ok(Some(CtiAgentConnection::of(page, total)))
}

/// The members who are shown.
fn condition(reader: &Reader, contracted: &Contracted, filter: &CtiAgentFilter) -> Result<Condition> {
    let service = filter.service_id.as_ref().map(|id| id.parse::<ServiceId>());
    let services: Vec<_> = match service {
        None => contracted.ids().collect(),
        Some(asked) => asked
            .into_iter()
            .filter(|id| contracted.service(*id).is_some())
            .collect(),
    };
    let named = search::matching([&filter.name_contains, &None, &filter.email_contains], true)?;
    let mut all = Condition::all()
        .add(member::Column::Status.eq(member::Status::Active))
        .add(line::telephoning(reader, services))
        .add(named);
    let id = searched(filter.cti_id_contains.as_deref())?.map(|text| line::key(&text));
    let number = searched(filter.cti_number_contains.as_deref())?;
    let held = |narrow: Condition| {
        Expr::exists(reader.related::<line::Entity>(|lines| {
            let own = Expr::col((member::Entity, member::Column::Id));
            lines
                .and_where(Expr::col((line::Entity, line::Column::MemberId)).eq(own))
                .and_where(line::Column::CtiNumber.is_not_null())
                .cond_where(narrow);
        }))
    };
    if id.is_some() || number.is_some() {
        let like =
            |column: line::Column, text: String| Expr::col((line::Entity, column)).like(search::containing(&text));
        let id = id.map(|text| like(line::Column::CtiIdKey, text));
        let number = number.map(|text| like(line::Column::CtiNumber, text));
        let both = id.into_iter().chain(number).fold(Condition::all(), Condition::add);
        all = all.add(held(both));
    }
    match filter.has_number {
        None => {}
        Some(true) => all = all.add(held(Condition::all())),
        Some(false) => all = all.add(held(Condition::all()).not()),
    }
    Ok(all)
}

/// A text to search by in its one spelling; `None` where there is nothing to see.
pub(super) fn searched(text: Option<&str>) -> Result<Option<String>> {
    let Some(text) = text else { return Ok(None) };
    if text.chars().count() > 100 {
        return Err(Error::BadInput(
            "A text to search by has at most 100 characters.".into(),
        ));
    }
    Ok(Some(line::folded(text)).filter(|text| !text.is_empty()))
}
