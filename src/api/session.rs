//! From a request to its caller: the token's signature, then, in one statement, whether its session still holds and
//! what the member is today. A right that was taken away is gone with the next request.

use std::sync::Arc;

use async_graphql::{Data, Request as GraphqlRequest, Response as GraphqlResponse};
use axum::http::StatusCode;

use super::{
    client_address::client_address,
    cost::CostTable,
    errors::give_codes,
    graphql_http::{Backend, EnteredCaller, Refusal, RequestHead},
    schema::{self, ApiSchema},
    standing,
};
use crate::{
    kernel::{Actor, App, Caller, Error, Language, Origin, Result, config::Introspection, security, upload},
    member::{self, Claims},
    organization::graphql::Own,
};

/// What stands behind `/graphql`.
#[derive(Clone)]
pub struct Api {
    app: App,
    schema: ApiSchema,
    cost: Arc<CostTable>,
}

impl Api {
    /// The API of an installation.
    ///
    /// # Errors
    /// Only if the schema's own text can't be read.
    pub fn new(app: App) -> anyhow::Result<Self> {
        let schema = schema::build();
        let cost = Arc::new(CostTable::from_sdl(&schema.sdl())?);
        Ok(Self { app, schema, cost })
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
        if self
            .app
            .bad_tokens
            .is_news(self.app.clock.now(), &origin.network_text())
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

/// The caller of a token whose signature was right; `None` if its session or its member is no more.
///
/// # Errors
/// Only if the database fails.
pub async fn signed_in(app: &App, claims: &Claims, origin: Origin, language: Language) -> Result<Option<Caller>> {
    let door = Caller::new(app.clone(), Actor::Nobody, Some(claims.org), origin, language);
    let view = door.open(claims.org).await?;
    match standing::of(app, &view, (claims.sub, claims.sid)).await {
        Ok(Some((member, organization))) => {
            view.loader.feed_one(Own, organization).await;
            drop(view);
            Ok(Some(door.signed_in_as(member)))
        }
        other => {
            drop(view);
            door.release().await;
            other.map(|_| None)
        }
    }
}
