//! Sessions: from a sign-in to its end. A session ends by its own word, after 12 hours, after 30 minutes without use,
//! or when one of its refresh tokens comes back a second time.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::SimpleObject;
use chrono::{DateTime, Duration};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, entity::prelude::*};
use serde::Serialize;

use super::{entity, refresh_token, token};
use crate::{
    kernel::{
        Action, App, Caller, Code, Error, IdentityProviderId, MemberId, OrganizationId, Outcome, Problem,
        RefreshTokenId, Result, SessionId, Timestamp, Tx, id::TypedId, record::record, secret::token_hash,
    },
    organization,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The longest session (ASVS 7.3.1; 고시 6④ asks for an end without use as well).
const LONGEST: Duration = Duration::hours(12);

/// The longest pause.
const IDLE: Duration = Duration::minutes(30);

/// For so long a used refresh token is good again: two tabs of one browser refresh together.
const GRACE: Duration = Duration::seconds(10);

/// One sign-in.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    pub member_id: MemberId,
    pub started_at: Timestamp,
    pub confirmed_at: Timestamp,
    pub used_at: Timestamp,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub address: String,
    pub client: String,
    pub provider_id: Option<IdentityProviderId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "session", SessionId, label: id }

impl Model {
    /// Since when and until when it holds.
    pub fn lifetime(&self) -> Lifetime {
        Lifetime {
            used_at: self.used_at,
            expires_at: self.expires_at,
            ended_at: self.ended_at,
        }
    }
}

/// Since when and until when a session holds.
#[derive(Debug, Clone, Copy)]
pub struct Lifetime {
    /// When it was last used to get tokens.
    pub used_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
}

impl Lifetime {
    /// Whether it holds at `now`.
    pub fn holds(&self, now: Timestamp, idle: Duration) -> bool {
        self.ended_at.is_none() && now < self.expires_at && now.0 - self.used_at.0 <= idle
    }
}

/// The longest pause. The demo's tokens live longer than that, so there it is no shorter than a session.
pub fn idle_limit(app: &App) -> Duration {
    if app.settings.is_demo { LONGEST } else { IDLE }
}

/// The tokens of a sign-in.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "SessionTokens")]
pub struct Tokens {
    /// The token to send as `Authorization: Bearer …`. A JWT.
    pub access_token: String,
    /// Until when the access token is good: ten minutes; in the demo, twelve hours.
    pub access_token_expires_at: Timestamp,
    /// The token that gets a new pair with `sessionRefresh`, once.
    pub refresh_token: String,
    /// Until when it can be refreshed at the longest: 12 hours from the sign-in, and 30 minutes from the last use.
    pub refresh_token_expires_at: Timestamp,
}

/// What a sign-in or refresh came to.
#[derive(Debug)]
pub enum Started {
    /// It worked.
    Session(Tokens, MemberId),
    /// It did not; the attempt is in the log.
    Refused(Code),
}

impl Outcome for Started {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Err(Error::internal("tokens are never given twice"))
    }
}

/// How many sessions ended.
#[derive(Debug, Clone, Copy)]
pub struct Ending(pub i32);

impl Outcome for Ending {
    type Receipt = i32;

    fn receipt(&self) -> i32 {
        self.0
    }

    async fn again(_: &Tx, receipt: i32) -> Result<Self> {
        Ok(Self(receipt))
    }
}

/// What a member has shown to be let in.
#[derive(Debug, Clone, Copy)]
pub enum Proof {
    /// His password, just now.
    Password,
    /// A token of this identity provider, to which he showed at this instant who he is, where it says so.
    Provider(IdentityProviderId, Option<Timestamp>),
}

/// Starts a session for a member who has shown who he is: the one place through which everybody comes in.
///
/// # Errors
/// Only if the database fails.
pub async fn start_for(tx: &Tx, member: &entity::Model, proof: Proof) -> Result<Started> {
    let now = tx.now();
    let (provider_id, confirmed_at) = match proof {
        Proof::Password => (None, now),
        // Nobody knows when: as long ago as can be.
        Proof::Provider(id, at) => (Some(id), at.unwrap_or(Timestamp(DateTime::UNIX_EPOCH))),
    };
    let session = tx
        .create::<Entity>(Model {
            id: tx.fresh_id(),
            organization_id: tx.organization_id(),
            member_id: member.id,
            started_at: now,
            confirmed_at,
            used_at: now,
            expires_at: Timestamp(now.0 + LONGEST),
            ended_at: None,
            address: tx.origin().address_text(),
            client: tx.origin().client.clone(),
            provider_id,
        })
        .await?;
    tx.about::<entity::Entity>(member);
    tokens(tx, &session).await
}

/// `sessionRefresh`: a new pair of tokens for an old refresh token.
///
/// # Errors
/// `NOT_FOUND` where there is no such organization. A token that is not good is an outcome, so that its use is logged.
pub(super) async fn refresh(tx: &Tx, text: &str) -> Result<Started> {
    // The organization is only what the token says: one that does not exist has no log to write to.
    tx.find::<organization::Entity>("input.refreshToken", &tx.organization_id().to_string())
        .await?;
    let hash = token_hash(text);
    let found = tx
        .select::<refresh_token::Entity>()
        .filter(refresh_token::Column::TokenHash.eq(hash))
        .one()
        .await?;
    let Some(token) = found else { return Ok(refuse(tx)) };
    let session = tx
        .find::<Entity>("input.refreshToken", &token.session_id.to_string())
        .await?;
    let member = tx
        .find::<entity::Entity>("input.refreshToken", &session.member_id.to_string())
        .await?;
    tx.about::<entity::Entity>(&member);
    if !session.lifetime().holds(tx.now(), idle_limit(tx.app())) || member.status != entity::Status::Active {
        return Ok(refuse(tx));
    }
    let now = tx.now();
    if token.used_at.is_some_and(|at| now.0 - at.0 > GRACE) {
        tx.update::<Entity>(session, |row| row.ended_at = Some(now)).await?;
        return Ok(refuse(tx));
    }
    if token.used_at.is_none() {
        tx.update::<refresh_token::Entity>(token, |row| row.used_at = Some(now))
            .await?;
    }
    let session = tx.update::<Entity>(session, |row| row.used_at = now).await?;
    tokens(tx, &session).await
}

/// Whether a refresh token was ever given by this organization, or is the first in a minute that was not from its address:
/// whoever makes tokens up fills no log and takes no organization's turn.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn is_worth_a_look(caller: &Caller, organization: OrganizationId, text: &str) -> Result<bool> {
    let door = caller.at(organization).await;
    let view = door.view(Action::SessionRefresh).await?;
    let given = view
        .select::<refresh_token::Entity>()
        .filter(refresh_token::Column::TokenHash.eq(token_hash(text)));
    let is_given = given.one().await?.is_some();
    drop(view);
    door.release().await;
    let from = caller.origin().network_text();
    Ok(is_given || caller.app().bad_tokens.is_news(caller.now(), &from))
}

fn refuse(tx: &Tx) -> Started {
    tx.failed(Code::RefreshTokenRefused);
    Started::Refused(Code::RefreshTokenRefused)
}

/// `sessionConfirm`, for a member who showed at this instant who he is.
///
/// # Errors
/// `UNAUTHENTICATED` if the session is gone.
pub(super) async fn confirm(tx: &Tx, confirmed_at: Timestamp) -> Result<Model> {
    let id = tx
        .actor()
        .member()
        .map(|member| member.session_id)
        .ok_or(Error::Unauthenticated)?;
    let session = tx
        .seek::<Entity>(&id.to_string())
        .await?
        .ok_or(Error::Unauthenticated)?;
    let now = tx.now();
    tx.update::<Entity>(session, |row| {
        row.confirmed_at = confirmed_at;
        row.used_at = now;
    })
    .await
}

/// `sessionEnd` and `sessionEndAll`: ends the caller's session, or all of his sessions.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn end(tx: &Tx, all: bool) -> Result<Ending> {
    let Some(member) = tx.actor().member() else {
        return Err(Error::Unauthenticated);
    };
    let mut select = tx
        .select::<Entity>()
        .filter(Column::MemberId.eq(member.member_id))
        .filter(Column::EndedAt.is_null());
    if !all {
        select = select.filter(Column::Id.eq(member.session_id));
    }
    let now = tx.now();
    let mut ended = 0;
    for session in select
        .all()
        .await?
        .into_iter()
        .filter(|session| session.lifetime().holds(now, idle_limit(tx.app())))
    {
        tx.update::<Entity>(session, |row| row.ended_at = Some(now)).await?;
        ended += 1;
    }
    Ok(Ending(ended))
}

/// Ends the sessions that an identity provider began; of one member, or of all.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn end_of(tx: &Tx, provider: IdentityProviderId, member: Option<MemberId>) -> Result<()> {
    let now = tx.now();
    let mut select = tx
        .select::<Entity>()
        .filter(Column::ProviderId.eq(provider))
        .filter(Column::EndedAt.is_null())
        .filter(Column::ExpiresAt.gt(now));
    if let Some(member) = member {
        select = select.filter(Column::MemberId.eq(member));
    }
    for session in select.all().await? {
        tx.update::<Entity>(session, |row| row.ended_at = Some(now)).await?;
    }
    Ok(())
}

/// The organization that a refresh token says it is of. Nothing is believed yet: the token is looked for there.
pub(super) fn organization_of(token: &str) -> Option<OrganizationId> {
    let (organization, _) = token.strip_prefix("rt_")?.split_once('_')?;
    format!("{}_{organization}", OrganizationId::PREFIX).parse().ok()
}

/// Whether this member has signed in from this address before.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn knows_address(reader: &crate::kernel::Reader, member: MemberId, address: &str) -> Result<bool> {
    let known = reader
        .select::<Entity>()
        .filter(Column::MemberId.eq(member))
        .filter(Column::Address.eq(address));
    Ok(known.order_by_desc(Column::Id).limit(1).one().await?.is_some())
}

async fn tokens(tx: &Tx, session: &Model) -> Result<Started> {
    let app: &App = tx.app();
    let organization = tx.organization_id();
    let (access_token, access_token_expires_at) =
        token::write(app, tx.now(), session.member_id, organization, session.id)?;
    let of = organization
        .to_string()
        .replace(&format!("{}_", OrganizationId::PREFIX), "");
    let refresh_token = format!("rt_{of}_{}", URL_SAFE_NO_PAD.encode(app.random.bytes::<32>()));
    tx.create::<refresh_token::Entity>(refresh_token::Model {
        id: tx.fresh_id::<RefreshTokenId>(),
        organization_id: organization,
        session_id: session.id,
        token_hash: token_hash(&refresh_token),
        issued_at: tx.now(),
        used_at: None,
    })
    .await?;
    let refresh_token_expires_at = session.expires_at;
    let tokens = Tokens {
        access_token,
        access_token_expires_at,
        refresh_token,
        refresh_token_expires_at,
    };
    Ok(Started::Session(tokens, session.member_id))
}

/// The problem that a refusal becomes.
pub(super) fn refusal(code: Code) -> Problem {
    let path = match code {
        Code::RefreshTokenRefused => "input.refreshToken",
        Code::SecondFactorRequired | Code::SecondFactorRefused => "input.code",
        Code::TokenRefused => "input.token",
        _ => "input.password",
    };
    Problem::at(path, code)
}
