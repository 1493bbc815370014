//! From a request to its caller: the token's signature, then, in one statement, whether its session still holds and
//! what the member is today. A right that was taken away is gone with the next request.

use std::sync::Arc;

use async_graphql::{Data, Request as GraphqlRequest, Response as GraphqlResponse, parser::types::OperationType};
use axum::http::StatusCode;

use super::{
    aside,
    client_address::client_address,
    codes::RequestCode,
    cost::{Buckets, CostTable, Meter, Taker, Throttle},
    errors::give_codes,
    graphql_http::{Backend, EnteredCaller, Refusal, RequestHead},
    schema::{self, ApiSchema},
    signature, standing,
};
use crate::{
    kernel::{Actor, App, Caller, Error, Language, Origin, Result, Timestamp, config::Introspection, security, upload},
    member::{self, Claims},
    organization::graphql::Own,
    partner::{self, Fault, Known, Signed},
};

/// What stands behind `/graphql`.
#[derive(Clone)]
pub struct Api {
    app: App,
    schema: ApiSchema,
    cost: Arc<CostTable>,
    buckets: Arc<Buckets>,
}

impl Api {
    /// The API of an installation.
    ///
    /// # Errors
    /// Only if the schema's own text can't be read.
    pub fn new(app: App) -> anyhow::Result<Self> {
        let schema = schema::build();
        let cost = Arc::new(CostTable::from_sdl(&schema.sdl())?);
        let buckets = Arc::new(Buckets::new(app.settings.cost_bucket, app.settings.cost_refill));
        Ok(Self {
            app,
            schema,
            cost,
            buckets,
        })
    }

    /// The installation.
    pub(super) fn app(&self) -> &App {
        &self.app
    }

    /// Until when a token is good as far as it says itself; `None` for one that is none of ours or over.
    pub(super) fn until(&self, token: &str) -> Option<Timestamp> {
        let now = self.app.clock.now();
        member::read_token(&self.app, now, token)
            .map(|claims| claims.until())
            .or_else(|| partner::until(&self.app, now, token))
    }

    /// Whether the session or key of a token that was good still holds. Where the database does not answer, it is left to
    /// the next time.
    pub(super) async fn still_holds(&self, request_id: &str, token: &str) -> bool {
        let origin = Origin {
            request_id: request_id.to_owned(),
            ..Origin::default()
        };
        let app = &self.app;
        // All sockets of a server that has just begun ask at the same time.
        let _pass = app.watches.pass().await;
        let Some(claims) = member::read_token(app, app.clock.now(), token) else {
            let known = partner::of_token(app, token, origin, Language::default()).await;
            return match known {
                Ok(Known::Partner(caller)) => {
                    caller.release().await;
                    true
                }
                Ok(Known::Nobody) => false,
                // From where the key is used was looked at when the socket was opened.
                Ok(Known::Elsewhere(_)) | Err(_) => true,
            };
        };
        match signed_in(app, &claims, origin, Language::default()).await {
            Ok(Some(caller)) => {
                caller.release().await;
                true
            }
            Ok(None) => false,
            Err(_) => true,
        }
    }

    /// Takes what a request costs from a caller's bucket, or says when there is enough.
    pub(super) fn charge(&self, taker: Taker, cost: u64) -> std::result::Result<Throttle, Refusal> {
        let now = self.app.clock.now();
        self.buckets.take(taker, cost, now).map_err(|seconds| {
            let message = "There are fewer points left than this costs: come again after the seconds of Retry-After.";
            let mut refusal = Refusal::of(StatusCode::TOO_MANY_REQUESTS, RequestCode::Throttled, message);
            let seconds = axum::http::HeaderValue::from(seconds);
            refusal.headers.push((axum::http::header::RETRY_AFTER, seconds));
            refusal
        })
    }

    /// Takes what the first event of a subscription costs, as [`Self::charge`]; its meter takes what the others do.
    pub(super) fn meter(&self, taker: Taker, cost: u64) -> std::result::Result<Arc<Meter>, Refusal> {
        let throttle = self.charge(taker, cost)?;
        Ok(Arc::new(Meter::new(self.buckets.clone(), taker, cost, throttle)))
    }

    /// Who sends a token: a member by his session, or a partner system by its key.
    async fn bearer(&self, token: &str, origin: Origin, language: Language) -> Entry {
        let app = &self.app;
        if let Some(claims) = member::read_token(app, app.clock.now(), token) {
            let known = signed_in(app, &claims, origin.clone(), language).await;
            return match known.map_err(refusal)? {
                Some(caller) => Ok(caller),
                None => Box::pin(self.refused(&origin, "ACCESS_TOKEN_REFUSED", Refusal::bad_token())).await,
            };
        }
        Box::pin(self.partner(token, origin, language)).await
    }

    async fn partner(&self, token: &str, origin: Origin, language: Language) -> Entry {
        let known = partner::of_token(&self.app, token, origin.clone(), language).await;
        match known.map_err(refusal)? {
            Known::Partner(caller) => Ok(*caller),
            Known::Nobody => {
                self.refused(&origin, "ACCESS_TOKEN_REFUSED", Refusal::bad_token())
                    .await
            }
            Known::Elsewhere(elsewhere) => {
                elsewhere.log().await;
                Err(signature::elsewhere())
            }
        }
    }

    /// Which partner system signed a request.
    async fn signer(&self, signed: &Signed<'_>, origin: Origin, language: Language) -> Entry {
        let known = partner::who_signed(&self.app, signed, origin.clone(), language).await;
        let fault = match known.map_err(refusal)? {
            Ok(caller) => return Ok(caller),
            Err(fault) => fault,
        };
        let said = signature::refusal(&fault);
        match fault {
            Fault::Elsewhere(elsewhere) => {
                elsewhere.log().await;
                Err(said)
            }
            Fault::Refused | Fault::Replayed => self.refused(&origin, "SIGNATURE_REFUSED", said).await,
            // Whose clock is wrong is no intruder yet.
            Fault::Untimely => Err(said),
        }
    }

    /// Whatever becomes of its entry in the log, a token or signature is refused.
    async fn refused(&self, origin: &Origin, kind: &'static str, refusal: Refusal) -> Entry {
        let nobody = Caller::new(
            self.app.clone(),
            Actor::Nobody,
            None,
            origin.clone(),
            Language::default(),
        );
        let what = format!("{kind} {}", origin.network_text());
        if self.app.bad_tokens.is_news(nobody.now(), &what)
            && let Err(error) = security::log(&nobody, kind).await
        {
            tracing::error!(?error, "a refused token could not be logged");
        }
        Err(refusal)
    }
}

/// What looking for a signer costs, in points of the address's bucket.
const SIGNER: u64 = 10;

/// A caller who is let in, or why not.
type Entry = std::result::Result<Caller, Refusal>;

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
        let stranger = Taker::of(&Actor::Nobody, &origin);
        // Whose signature it is has to be looked for, and that comes before anybody is known.
        if head.signed.is_some() {
            self.charge(stranger, SIGNER)?;
        }
        let entry = match (head.signed, head.bearer) {
            (Some(signed), _) => Box::pin(self.signer(&signed, origin, language)).await,
            (None, Some(token)) => self.bearer(token, origin, language).await,
            (None, None) => Ok(Caller::new(self.app.clone(), Actor::Nobody, None, origin, language)),
        };
        let caller = match entry {
            Ok(caller) => caller,
            Err(refusal) if head.paid.is_some() => return Err(refusal),
            // Whoever is not let in comes out of his address's bucket.
            Err(refusal) => {
                return Err(self
                    .charge(stranger, head.cost)
                    .map_or_else(|throttled| throttled, |_| refusal));
            }
        };
        let paid = head.paid.map_or_else(
            || self.charge(Taker::of(caller.actor(), caller.origin()), head.cost),
            Ok,
        );
        let throttle = match paid {
            Ok(throttle) => Some(throttle),
            Err(throttled) => {
                caller.leave().await;
                return Err(throttled);
            }
        };
        let introspection = match self.app.settings.introspection {
            Introspection::Public => true,
            Introspection::SignedIn => !matches!(caller.actor(), Actor::Nobody),
            Introspection::Off => false,
        };
        let caller = match head.operation {
            OperationType::Query => caller.looking_aside(),
            OperationType::Mutation | OperationType::Subscription => caller,
        };
        let caller = Arc::new(caller);
        let mut data = Data::default();
        data.insert(caller.clone());
        Ok(EnteredCaller {
            data,
            language: language.tag(),
            throttle,
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
        let mut response = aside::execute(&self.schema, visit, request).await;
        give_codes(&mut response.errors, visit.language());
        response
    }

    async fn leave(&self, visit: Arc<Caller>) {
        visit.leave().await;
        partner::note_use(&visit).await;
    }
}

fn refusal(error: Error) -> Refusal {
    if let Error::Internal(cause) | Error::Uncertain(cause) = &error {
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
            Ok(Some(door.known_as(Actor::Member(member))))
        }
        other => {
            drop(view);
            door.release().await;
            other.map(|_| None)
        }
    }
}
