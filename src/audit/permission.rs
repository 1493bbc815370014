//! 권한 변경 로그: what the API says of the permission-change log. Each filter goes along an index in the order of the
//! list; where one holds of the actor or the target, or of several kinds, each alternative goes along its own.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{ComplexObject, Context, InputObject, Object, SimpleObject, dataloader::Loader};
use chrono::{Duration, Months};
use sea_orm::{ActiveEnum, ColumnTrait, Condition, QueryFilter};

use crate::{
    kernel::{
        Action, AuditLog, Batch, Caller, Error, PageRequest, Result, ServiceId, Timestamp,
        audit::{self, ActorKind, clean},
        page::{self, Cursors, Part, connection},
        permission::{Column, Entity, Kind, Model, Right},
        reader::Scoped,
    },
    member::graphql::selects,
    service::graphql::DateTimeRange,
};

connection! { PermissionChangeConnection, PermissionChangeEdge, Model, "change", "changes of rights" }

/// The widest span: twelve months, whichever they are.
const WIDEST: Duration = Duration::days(366);

/// Which changes; conditions are joined by *and*.
#[derive(Debug, Default, InputObject)]
pub struct PermissionChangeFilter {
    /// 조작일시: in this span, at most 12 months (366 days) wide. Without an end it ends now; without a beginning it begins 12 months before its end.
    pub occurred_at: Option<DateTimeRange>,
    /// 조작내용: any of these kinds, at most 20.
    pub kind: Option<Vec<Kind>>,
    /// 이름: the actor or the target had exactly this name then, at most 100 characters.
    pub name: Option<String>,
    /// ID: the actor or the target had this login ID, at most 40 characters.
    pub login: Option<String>,
    /// IP: from this address, at most 50 characters.
    pub address: Option<String>,
    /// 서비스: of rights in this service.
    #[graphql(name = "serviceId")]
    pub service: Option<async_graphql::ID>,
    /// By this member or key.
    #[graphql(name = "actorId")]
    pub actor: Option<async_graphql::ID>,
    /// Of rights of this member or key.
    #[graphql(name = "targetId")]
    pub target: Option<async_graphql::ID>,
}

/// Somebody as he was then.
#[derive(Debug, SimpleObject)]
pub struct PermissionParty {
    /// What kind of actor it was.
    pub kind: ActorKind,
    /// The name: of a member, a key, or the part of the service.
    pub name: String,
    /// The login ID; null for all but members.
    pub login: Option<String>,
    /// The ID of the member or key, good for `node`; null for others.
    pub reference: Option<String>,
}

/// A service as it was then.
#[derive(Debug, SimpleObject)]
pub struct PermissionService {
    /// The ID, good for `node`.
    pub reference: String,
    /// The name.
    pub name: String,
}

/// The permission-change log, to look at.
#[derive(Debug, Default)]
pub struct PermissionQuery;

#[Object]
impl PermissionQuery {
    /// 권한 변경 로그: every right that was given, changed or taken, newest first. Refused attempts stand in `auditEntries`. Needs `AUDIT_READ`.
    async fn permission_changes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which changes; those of the last 12 months where absent.")] filter: Option<
            PermissionChangeFilter,
        >,
    ) -> Result<Option<PermissionChangeConnection>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::AuditRead).await?;
        let filter = filter.unwrap_or_default();
        check(&filter)?;
        let span = span(filter.occurred_at.as_ref(), caller.now())?;
        let cursors = Cursors::new(&caller.app().keys, view.organization_id(), "permission changes");
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let select = || narrowed(view.select::<Entity>(), &filter, span);
        let ways = alternatives(&filter);
        let rows = || ways.iter().map(|way| select().filter(way.clone())).collect();
        let place = |row: &Model| [Part::Instant(row.occurred_at), Part::Id(row.id.0)];
        let columns = [Column::OccurredAt, Column::Id];
        let page = page::read_log(context, Action::AuditRead, rows(), columns, &request, &cursors, place).await?;
        let total = match context.look_ahead().field("totalCount").exists() {
            true if page.is_whole() => page.edges.len() as u64,
            true => Scoped::count_of(rows(), Column::Id).await?,
            false => 0,
        };
        if ["nodes", "edges.node"]
            .iter()
            .any(|path| selects(context, path, "entry"))
        {
            let places = page.edges.iter().map(|(_, row)| Place(row.log, row.sequence));
            view.loader.load_many(places).await.map_err(Error::internal)?;
        }
        Ok(Some(PermissionChangeConnection::of(page, total)))
    }
}

#[ComplexObject]
impl Model {
    /// Who did it.
    async fn actor(&self) -> PermissionParty {
        PermissionParty {
            kind: self.actor_kind,
            name: self.actor_name.clone(),
            login: self.actor_login.clone(),
            reference: self.actor_id.clone(),
        }
    }

    /// Whose rights they are: a member's or a key's.
    async fn target(&self) -> PermissionParty {
        PermissionParty {
            kind: self.target_kind,
            name: self.target_name.clone(),
            login: self.target_login.clone(),
            reference: Some(self.target_id.clone()),
        }
    }

    /// 서비스: the service that the rights are for; null for rights in the organization.
    async fn service(&self) -> Option<PermissionService> {
        Some(PermissionService {
            reference: self.service_id?.to_string(),
            name: self.service_name.clone().unwrap_or_default(),
        })
    }

    /// 변경 전 권한: the rights that `kind` is about, before, at most 20; empty where there were none.
    async fn before(&self) -> Vec<Right> {
        serde_json::from_str(&self.rights_before).unwrap_or_default()
    }

    /// 변경 후 권한: the rights that `kind` is about, after, at most 20; empty where none are left.
    async fn after(&self) -> Vec<Right> {
        serde_json::from_str(&self.rights_after).unwrap_or_default()
    }

    /// The deed's entry in the audit log, whose chain vouches for this row.
    async fn entry(&self, context: &Context<'_>) -> Result<Option<audit::Model>> {
        let view = context.data_unchecked::<Arc<Caller>>().view(Action::AuditRead).await?;
        let place = Place(self.log, self.sequence);
        view.loader.load_one(place).await.map_err(Error::internal)
    }
}

/// The place of an entry of the audit log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Place(AuditLog, i64);

impl Loader<Place> for Batch {
    type Value = audit::Model;
    type Error = String;

    async fn load(&self, keys: &[Place]) -> std::result::Result<HashMap<Place, audit::Model>, String> {
        let mut logs: HashMap<AuditLog, Vec<i64>> = HashMap::new();
        for Place(log, sequence) in keys {
            logs.entry(*log).or_default().push(*sequence);
        }
        let of_log = |(log, places)| {
            let log = Condition::all().add(audit::Column::Log.eq(log));
            log.add(audit::Column::Sequence.is_in(places))
        };
        let rows = self.select::<audit::Entity>().filter(any(logs.into_iter().map(of_log)));
        let rows = rows.all().await;
        let rows = rows.map_err(|error| format!("{error:?}"))?;
        Ok(rows
            .into_iter()
            .map(|row| (Place(row.log, row.sequence), row))
            .collect())
    }
}

pub(super) fn check(filter: &PermissionChangeFilter) -> Result<()> {
    let is_long = |text: &Option<String>, most| text.as_ref().is_some_and(|text| text.chars().count() > most);
    if filter.kind.as_ref().is_some_and(|kinds| kinds.len() > 20)
        || is_long(&filter.name, 100)
        || is_long(&filter.login, 40)
        || is_long(&filter.address, 50)
    {
        return Err(Error::BadInput(
            "A filter's lists and texts are as long as their descriptions say.".into(),
        ));
    }
    Ok(())
}

/// From when to when; the end is open where nothing is said of it.
fn span(range: Option<&DateTimeRange>, now: Timestamp) -> Result<(Timestamp, Option<Timestamp>)> {
    let (from, to) = range.map_or((None, None), |range| (range.from, range.to));
    let end = to.unwrap_or(now).0;
    let from = match from {
        Some(from) => from.0,
        None => end.checked_sub_months(Months::new(12)).unwrap_or(end),
    };
    if end - from > WIDEST {
        return Err(Error::BadInput("`occurredAt` spans at most 12 months.".into()));
    }
    Ok((Timestamp(from), to))
}

pub(super) fn narrowed<'v>(
    mut select: Scoped<'v, Entity>,
    filter: &PermissionChangeFilter,
    (from, to): (Timestamp, Option<Timestamp>),
) -> Scoped<'v, Entity> {
    select = select.filter(Column::OccurredAt.gte(from));
    if let Some(to) = to {
        select = select.filter(Column::OccurredAt.lt(to));
    }
    if let Some(address) = &filter.address {
        select = select.filter(Column::Address.eq(clean(address)));
    }
    if let Some(service) = &filter.service {
        let id = service.parse().unwrap_or(ServiceId(uuid::Uuid::nil()));
        select = select.filter(Column::ServiceId.eq(id));
    }
    if let Some(actor) = &filter.actor {
        select = select.filter(Column::ActorId.eq(clean(actor)));
    }
    if let Some(target) = &filter.target {
        select = select.filter(Column::TargetId.eq(clean(target)));
    }
    select
}

/// The ways to be what the filter asks for, where there are several; each has an index. Nothing is of none of the kinds.
pub(super) fn alternatives(filter: &PermissionChangeFilter) -> Vec<Condition> {
    let is = |column: Column, text: &str| Condition::all().add(column.eq(text));
    let either = |columns: [Column; 2], text: &String| columns.map(|column| is(column, &clean(text))).to_vec();
    let names = filter.name.as_ref();
    let logins = filter.login.as_ref();
    let kinds = filter.kind.as_ref();
    if kinds.is_some_and(Vec::is_empty) {
        return Vec::new();
    }
    let mut choices = [
        names.map(|name| either([Column::ActorName, Column::TargetName], name)),
        logins.map(|login| either([Column::ActorLogin, Column::TargetLogin], login)),
        kinds.map(|kinds| kinds.iter().map(|kind| is(Column::Kind, &kind.to_value())).collect()),
    ]
    .into_iter()
    .flatten();
    let Some(ways) = choices.next() else {
        return vec![Condition::all()];
    };
    let others = choices.fold(Condition::all(), |all, choice| all.add(any(choice)));
    ways.into_iter().map(|way| others.clone().add(way)).collect()
}

/// Any of these, of which there is one at least.
pub(super) fn any(of: impl IntoIterator<Item = Condition>) -> Condition {
    of.into_iter().fold(Condition::any(), Condition::add)
}
