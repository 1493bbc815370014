//! From a request to its caller: the token's signature, then, in one statement, whether its session still holds and
//! what the member is today. A right that was taken away is gone with the next request.

use std::sync::Arc;

use async_graphql::{Data, Request as GraphqlRequest, Response as GraphqlResponse};
use axum::http::StatusCode;
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, FromQueryResult, IdenStatic, Iterable, JoinType, QueryFilter, QueryResult,
    QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use super::{
    client_address::client_address,
    cost::CostTable,
    errors::give_codes,
    graphql_http::{Backend, EnteredCaller, Refusal, RequestHead},
    schema::{self, ApiSchema},
};
use crate::{
    admin, agent,
    kernel::{
        Actor, App, Caller, Error, Language, Origin, Result, SignedIn, View,
        config::Introspection,
        security::{self, Hush},
        upload,
    },
    member::{
        self, Claims, second_factor,
        session::{self, Lifetime},
    },
    organization::{self, Organization, graphql::Own},
};

/// What stands behind `/graphql`.
#[derive(Clone)]
pub struct Api {
    app: App,
    schema: ApiSchema,
    cost: Arc<CostTable>,
    bad_tokens: Arc<Hush>,
}

impl Api {
    /// The API of an installation.
    ///
    /// # Errors
    /// Only if the schema's own text can't be read.
    pub fn new(app: App) -> anyhow::Result<Self> {
        let schema = schema::build();
        let cost = Arc::new(CostTable::from_sdl(&schema.sdl())?);
        Ok(Self {
            app,
            schema,
            cost,
            bad_tokens: Arc::default(),
        })
    }

    /// The caller of a token; `None` if it is not ours, or its time, its session or its member is over.
    async fn known(&self, token: &str, origin: Origin, language: Language) -> Result<Option<Caller>> {
        match member::read_token(&self.app, self.app.clock.now(), token) {
            Some(claims) => signed_in(&self.app, &claims, origin, language).await,
            None => Ok(None),
        }
    }

    /// Whatever becomes of the entry, the token is refused.
    async fn log_bad_token(&self, origin: &Origin) {
        if self.bad_tokens.is_news(self.app.clock.now(), origin)
            && let Err(error) = security::log(&self.app, "ACCESS_TOKEN_REFUSED", origin).await
        {
            tracing::error!(?error, "a refused token could not be logged");
        }
    }
}

impl Backend for Api {
    type Executor = ApiSchema;
    type Visit = Arc<Caller>;

    fn executor(&self) -> &ApiSchema {
        &self.schema
    }

    fn cost(&self) -> &CostTable {
        &self.cost
    }

    async fn enter(&self, head: RequestHead<'_>) -> std::result::Result<EnteredCaller<Arc<Caller>>, Refusal> {
        let language = head.accept_language.map_or_else(Language::default, Language::accepted);
        let origin = Origin {
            address: head
                .peer
                .map(|peer| client_address(peer.ip(), &head.forwarded_for, &self.app.settings.trusted_proxies)),
            request_id: head.request_id.to_owned(),
            client: head.user_agent.map(Origin::client_of).unwrap_or_default(),
        };
        let caller = match head.bearer {
            None => Caller::new(self.app.clone(), Actor::Nobody, None, origin, language),
            Some(token) => match self.known(token, origin.clone(), language).await.map_err(refusal)? {
                Some(caller) => caller,
                None => {
                    self.log_bad_token(&origin).await;
                    return Err(Refusal::bad_token());
                }
            },
        };
        let introspection = match self.app.settings.introspection {
            Introspection::Public => true,
            Introspection::SignedIn => caller.actor().member().is_some(),
            Introspection::Off => false,
        };
        let caller = Arc::new(caller);
        let mut data = Data::default();
        data.insert(caller.clone());
        Ok(EnteredCaller {
            data,
            language: language.tag(),
            introspection,
            visit: caller,
        })
    }

    fn largest_file(&self, mutation: &str) -> Option<usize> {
        upload::largest_file(mutation)
    }

    async fn pause(&self, visit: &Arc<Caller>) {
        visit.release().await;
    }

    async fn execute(&self, visit: &Arc<Caller>, request: GraphqlRequest) -> GraphqlResponse {
        let mut response = visit.answer(self.schema.execute(request)).await;
        give_codes(&mut response.errors, visit.language());
        response
    }

    async fn leave(&self, visit: Arc<Caller>) {
        visit.leave().await;
    }
}

fn refusal(error: Error) -> Refusal {
    if let Error::Internal(cause) = &error {
        tracing::error!(cause, "a session could not be checked");
    }
    Refusal {
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: "UNAVAILABLE",
        message: "The service is not available at the moment.".into(),
        headers: vec![(
            axum::http::header::RETRY_AFTER,
            axum::http::HeaderValue::from_static("1"),
        )],
    }
}

/// What the check finds: the session, its member, and the organization, which nearly every request asks for next.
struct Found {
    member: SignedIn,
    lifetime: Lifetime,
    organization: Organization,
}

impl FromQueryResult for Found {
    fn from_query_result(row: &QueryResult, prefix: &str) -> std::result::Result<Self, DbErr> {
        let has_second_factor: bool = row.try_get(prefix, "has_second_factor")?;
        let needs_second_factor: bool = row.try_get(prefix, "needs_second_factor")?;
        Ok(Self {
            member: SignedIn {
                member_id: row.try_get(prefix, "member_id")?,
                session_id: row.try_get(prefix, "session_id")?,
                login: row.try_get(prefix, "login")?,
                name: row.try_get(prefix, "name")?,
                is_owner: row.try_get(prefix, "is_owner")?,
                is_administrator: row.try_get(prefix, "is_administrator")?,
                is_manager: row.try_get(prefix, "is_manager")?,
                has_second_factor,
                must_enroll: needs_second_factor && !has_second_factor,
                confirmed_at: row.try_get(prefix, "confirmed_at")?,
            },
            lifetime: Lifetime {
                used_at: row.try_get(prefix, "used_at")?,
                expires_at: row.try_get(prefix, "expires_at")?,
                ended_at: row.try_get(prefix, "ended_at")?,
            },
            organization: Organization::from_query_result(row, "organization_")?,
        })
    }
}

/// The caller of a token whose signature was right; `None` if its session or its member is no more.
///
/// # Errors
/// Only if the database fails.
pub async fn signed_in(app: &App, claims: &Claims, origin: Origin, language: Language) -> Result<Option<Caller>> {
    let door = Caller::new(app.clone(), Actor::Nobody, Some(claims.org), origin, language);
    let view = door.open(claims.org).await?;
    let found = check(&view, claims).await;
    let holds = |found: &Found| found.lifetime.holds(app.clock.now(), session::idle_limit(app));
    match found {
        Ok(Some(found)) if holds(&found) => {
            view.loader.feed_one(Own, found.organization).await;
            drop(view);
            Ok(Some(door.signed_in_as(found.member)))
        }
        other => {
            drop(view);
            door.release().await;
            other.map(|_| None)
        }
    }
}

/// Whether a column names the member of the session.
fn same<C: ColumnTrait>(member: C) -> Expr {
    Expr::col(member.as_column_ref()).eq(Expr::col((session::Entity, session::Column::MemberId)))
}

async fn check(view: &View, claims: &Claims) -> Result<Option<Found>> {
    let member = session::Entity::belongs_to(member::Entity)
        .from((session::Column::OrganizationId, session::Column::MemberId))
        .to((member::Column::OrganizationId, member::Column::Id));
    let administrator = session::Entity::belongs_to(admin::Entity)
        .from((session::Column::OrganizationId, session::Column::MemberId))
        .to((admin::Column::OrganizationId, admin::Column::MemberId));
    let organization = session::Entity::belongs_to(organization::Entity)
        .from(session::Column::OrganizationId)
        .to(organization::Column::Id);
    let is_administrator = Expr::col((admin::Entity, admin::Column::MemberId)).is_not_null();
    let is_manager = Expr::exists(view.related::<agent::Entity>(|places| {
        agent::managing(view, places, Expr::col((session::Entity, session::Column::MemberId)));
    }));
    let has_second_factor = Expr::exists(view.related::<second_factor::Entity>(|factor| {
        factor
            .and_where(same(second_factor::Column::MemberId))
            .and_where(second_factor::Column::ActivatedAt.is_not_null());
    }));
    // The organization demands one, or the password is good beside one only.
    let needs_second_factor = Expr::col((organization::Entity, organization::Column::RequiresSecondFactor))
        .or(Expr::col((member::Entity, member::Column::HasShortPassword)));
    let mut select = view
        .select::<session::Entity>()
        .select_only()
        .column_as(session::Column::Id, "session_id")
        .columns([
            session::Column::MemberId,
            session::Column::ConfirmedAt,
            session::Column::UsedAt,
        ])
        .columns([session::Column::ExpiresAt, session::Column::EndedAt])
        .columns([member::Column::Login, member::Column::Name, member::Column::IsOwner])
        .column_as(is_administrator, "is_administrator")
        .column_as(is_manager, "is_manager")
        .column_as(has_second_factor, "has_second_factor")
        .column_as(needs_second_factor, "needs_second_factor")
        .join(JoinType::InnerJoin, member.into())
        .join(JoinType::LeftJoin, administrator.into())
        .join(JoinType::InnerJoin, organization.into())
        .filter(session::Column::Id.eq(claims.sid))
        .filter(session::Column::MemberId.eq(claims.sub))
        .filter(member::Column::Status.eq(member::Status::Active));
    for column in organization::Column::iter() {
        select = select.column_as(column, format!("organization_{}", column.as_str()));
    }
    Ok(select.rows::<Found>().await?.into_iter().next())
}
