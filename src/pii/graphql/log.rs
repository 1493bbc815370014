//! 개인정보 취급 권한 로그: what the API says of the log of grants. Each filter goes along an index in the order of the list;
//! where one holds of the actor or the holder, or of several kinds, each alternative goes along its own.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, SimpleObject, dataloader::Loader};
use chrono::{Duration, Months};
use sea_orm::{ActiveEnum, ColumnTrait, Condition, QueryFilter};

use crate::{
    kernel::{
        Action, AuditEntryId, Batch, Caller, Error, PageRequest, PiiChangeId, Reader, Result, ServiceId, Timestamp,
        audit::{self, ActorKind, clean},
        page::{self, Cursors, Part, connection},
        reader::Scoped,
    },
    pii::change::{Column, Entity, Kind, Model, Said, about},
    service::graphql::DateTimeRange,
};

connection! { PiiGrantChangeConnection, PiiGrantChangeEdge, Model, "change", "changes of grants" }

/// The widest span: twelve months, whichever they are.
const WIDEST: Duration = Duration::days(366);

/// Which changes; conditions are joined by *and*.
#[derive(Debug, Default, InputObject)]
pub struct PiiGrantChangeFilter {
    /// 일시: in this span, at most 12 months (366 days) wide. Without an end it ends now; without a beginning it begins 12 months before its end.
    pub occurred_at: Option<DateTimeRange>,
    /// 구분: any of these kinds, at most 10.
    pub kind: Option<Vec<Kind>>,
    /// 이름: the actor or the holder had exactly this name then, 2 to 100 characters.
    pub name: Option<String>,
    /// 계정: the actor or the holder had this login ID, 2 to 40 characters.
    pub login: Option<String>,
    /// IP: from this address, at most 50 characters.
    pub address: Option<String>,
    /// 서비스: about this service, before or after it; what holds or held for all services is about each.
    pub service_id: Option<ID>,
    /// Of this grant.
    pub grant_id: Option<ID>,
}

/// Who did it to a grant.
#[derive(Debug, SimpleObject)]
pub struct PiiGrantActor {
    /// What kind of actor it was.
    pub kind: ActorKind,
    /// The name as it was then.
    pub name: String,
    /// The login ID; null for all but members.
    pub login: Option<String>,
    /// The ID, good for `node`; null for all but members.
    pub reference: Option<String>,
}

/// Whose grant it is, as he was then.
#[derive(Debug, SimpleObject)]
pub struct PiiGrantHolder {
    /// The name.
    pub name: String,
    /// The login ID.
    pub login: String,
    /// The ID, good for `node`.
    pub reference: String,
}

/// What a grant said.
#[derive(Debug, SimpleObject)]
pub struct PiiGrantTerms {
    /// 이메일: the address that it was given to.
    pub email: String,
    /// IP: from where, at most 10.
    pub networks: Vec<String>,
    /// Whether it held for all services.
    pub is_for_all_services: bool,
    /// For which services: their IDs, at most 100; empty where for all.
    pub service_references: Vec<String>,
    /// 목적: for what.
    pub purpose: String,
    /// Until when.
    pub valid_until: Timestamp,
}

impl From<&Said> for PiiGrantTerms {
    fn from(said: &Said) -> Self {
        let services = said.scope.services.iter().flatten();
        Self {
            email: said.email.clone(),
            networks: said.networks.clone(),
            is_for_all_services: said.scope.services.is_none(),
            service_references: services.map(ToString::to_string).collect(),
            purpose: said.purpose.clone(),
            valid_until: said.valid_until,
        }
    }
}

#[ComplexObject]
impl Model {
    /// The grant's ID, good for `node`.
    async fn grant_reference(&self) -> String {
        self.grant_id.to_string()
    }

    /// Who did it.
    async fn actor(&self) -> PiiGrantActor {
        PiiGrantActor {
            kind: self.actor_kind,
            name: self.actor_name.clone(),
            login: self.actor_login.clone(),
            reference: self.actor_id.clone(),
        }
    }

    /// Whose grant it is.
    async fn holder(&self) -> PiiGrantHolder {
        PiiGrantHolder {
            name: self.target_name.clone(),
            login: self.target_login.clone(),
            reference: self.target_id.clone(),
        }
    }

    /// 변경 전: what it said before; null where it was given.
    #[graphql(name = "before")]
    async fn terms_before(&self) -> Option<PiiGrantTerms> {
        self.before.as_ref().map(PiiGrantTerms::from)
    }

    /// 변경 후: what it said afterwards; null where it ended.
    #[graphql(name = "after")]
    async fn terms_after(&self) -> Option<PiiGrantTerms> {
        self.after.as_ref().map(PiiGrantTerms::from)
    }

    /// The deed's entry in the audit log, whose chain vouches for this row.
    async fn entry(&self, context: &Context<'_>) -> Result<Option<audit::Model>> {
        let view = context.data_unchecked::<Arc<Caller>>().view(Action::AuditRead).await?;
        view.loader
            .load_one(Entry(self.entry_id))
            .await
            .map_err(Error::internal)
    }
}

/// The question for an entry of the audit log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Entry(pub(crate) AuditEntryId);

impl Loader<Entry> for Batch {
    type Value = audit::Model;
    type Error = String;

    async fn load(&self, keys: &[Entry]) -> std::result::Result<HashMap<Entry, audit::Model>, String> {
        let rows = self.select::<audit::Entity>();
        let rows = rows.filter(audit::Column::Id.is_in(keys.iter().map(|key| key.0)));
        let rows = rows.all().await.map_err(|error| format!("{error:?}"))?;
        Ok(rows.into_iter().map(|row| (Entry(row.id), row)).collect())
    }
}

/// The log of grants, to look at.
#[derive(Debug, Default)]
pub struct PiiLogQuery;

#[Object]
impl PiiLogQuery {
    /// 개인정보 취급 권한 로그: every grant to see personal data that was given, changed, taken back or over, newest first. Needs `AUDIT_READ`.
    async fn pii_grant_changes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which changes; those of the last 12 months where absent.")] filter: Option<
            PiiGrantChangeFilter,
        >,
    ) -> Result<Option<PiiGrantChangeConnection>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::AuditRead).await?;
        let filter = filter.unwrap_or_default();
        check(&filter)?;
        let span = span(filter.occurred_at.as_ref(), caller.now())?;
        let cursors = Cursors::new(&caller.app().keys, view.organization_id(), "PII grant changes");
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let select = || narrowed(view.select::<Entity>(), &filter, span);
        let ways = alternatives(&view, &filter);
        let rows = ways.iter().map(|way| select().filter(way.clone())).collect();
        let place = |row: &Model| [Part::Instant(row.occurred_at), Part::Id(row.id.0)];
        let columns = [Column::OccurredAt, Column::Id];
        let page = page::read_log(context, Action::AuditRead, rows, columns, &request, &cursors, place).await?;
        let total = match context.look_ahead().field("totalCount").exists() {
            true if page.is_whole() => page.edges.len() as u64,
            true => select().filter(any(ways)).count().await?,
            false => 0,
        };
        Ok(Some(PiiGrantChangeConnection::of(page, total)))
    }
}

/// Whether a filter's lists and texts are as long as they may be.
pub(in crate::pii) fn check(filter: &PiiGrantChangeFilter) -> Result<()> {
    let fits = |text: &Option<String>, least, most| {
        let length = text.as_ref().map(|text| text.chars().count());
        length.is_none_or(|length| (least..=most).contains(&length))
    };
    let is_right = filter.kind.as_ref().is_none_or(|kinds| kinds.len() <= 10)
        && fits(&filter.name, 2, 100)
        && fits(&filter.login, 2, 40)
        && fits(&filter.address, 0, 50);
    if is_right {
        Ok(())
    } else {
        Err(Error::BadInput(
            "A filter's lists and texts are as long as their descriptions say.".into(),
        ))
    }
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

/// The rows of the log, but for the ways to be of several things.
pub(in crate::pii) fn narrowed<'v>(
    mut select: Scoped<'v, Entity>,
    filter: &PiiGrantChangeFilter,
    (from, to): (Timestamp, Option<Timestamp>),
) -> Scoped<'v, Entity> {
    select = select.filter(Column::OccurredAt.gte(from));
    if let Some(to) = to {
        select = select.filter(Column::OccurredAt.lt(to));
    }
    if let Some(address) = &filter.address {
        select = select.filter(Column::Address.eq(clean(address)));
    }
    if let Some(grant) = &filter.grant_id {
        let id = grant.parse().unwrap_or(crate::kernel::PiiGrantId(uuid::Uuid::nil()));
        select = select.filter(Column::GrantId.eq(id));
    }
    select
}

/// The ways to be what the filter asks for, where there are several; each has an index. Nothing is of none of the kinds.
pub(in crate::pii) fn alternatives(reader: &Reader, filter: &PiiGrantChangeFilter) -> Vec<Condition> {
    let is = |column: Column, text: &str| Condition::all().add(column.eq(text));
    let either = |columns: [Column; 2], text: &String| columns.map(|column| is(column, &clean(text))).to_vec();
    if filter.kind.as_ref().is_some_and(Vec::is_empty) {
        return Vec::new();
    }
    let about = |service: Option<ServiceId>| {
        let changes = reader.related::<about::Entity>(|rows| {
            rows.clear_selects().column((about::Entity, about::Column::ChangeId));
            rows.and_where(match service {
                Some(service) => about::Column::ServiceId.eq(service),
                None => about::Column::ServiceId.is_null(),
            });
        });
        Condition::all().add(Column::Id.in_subquery(changes))
    };
    // A text that is no service's ID finds nothing, and then nothing about all services either.
    let of_service = |id: &ID| match id.parse() {
        Ok(service) => vec![about(Some(service)), about(None)],
        Err(_) => vec![Condition::all().add(Column::Id.eq(PiiChangeId(uuid::Uuid::nil())))],
    };
    let of_kinds = |kinds: &Vec<Kind>| kinds.iter().map(|kind| is(Column::Kind, &kind.to_value())).collect();
    let mut choices = [
        filter
            .name
            .as_ref()
            .map(|name| either([Column::ActorName, Column::TargetName], name)),
        filter
            .login
            .as_ref()
            .map(|login| either([Column::ActorLogin, Column::TargetLogin], login)),
        filter.service_id.as_ref().map(of_service),
        filter.kind.as_ref().map(of_kinds),
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
pub(in crate::pii) fn any(of: impl IntoIterator<Item = Condition>) -> Condition {
    of.into_iter().fold(Condition::any(), Condition::add)
}
