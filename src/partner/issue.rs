//! A token for an organization key. An organization that does not exist, a key that does not and a dead key get the same
//! answer. A key has 256 random bits, so that what is braked is not the guessing of it but the flood: wrong ones by
//! address and organization, right ones by key. Nobody's wrong ones stop the right ones of others.

use chrono::Duration;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::token;
use crate::{
    kernel::{
        Action, Caller, Code, Error, KeyId, OrganizationId, Outcome, Plain, Problem, Result, Timestamp, Tx,
        secret::token_hash,
        security::{self, Brake, Stop},
    },
    organization::{
        self,
        key::{self, Scope},
        key_text, key_use,
    },
};

/// Thirty wrong keys a minute from one address.
const ADDRESS: Brake = Brake {
    name: "wrong key from address",
    attempts: 30,
    window: Duration::minutes(1),
};

/// Three hundred wrong keys a minute for one organization, from anywhere.
const ORGANIZATION: Brake = Brake {
    name: "wrong key of organization",
    attempts: 300,
    window: Duration::minutes(1),
};

/// Sixty tokens a minute for one key: one is good for ten minutes.
const KEY: Brake = Brake {
    name: "tokens of key",
    attempts: 60,
    window: Duration::minutes(1),
};

/// A token, or why there is none.
pub enum Issued {
    /// It was given.
    Token {
        /// The token.
        text: String,
        /// Until when it is good.
        expires_at: Timestamp,
        /// What its key may be used for.
        scopes: Vec<Scope>,
    },
    /// It was not; the attempt is in the log.
    Refused(Code),
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Token { expires_at, .. } => f.debug_tuple("Token").field(expires_at).finish(),
            Self::Refused(code) => f.debug_tuple("Refused").field(code).finish(),
        }
    }
}

impl Outcome for Issued {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Err(Error::internal("tokens are never given twice"))
    }
}

/// `partnerTokenIssue`: `named` is the organization's code or domain.
///
/// # Errors
/// `SIGN_IN_BLOCKED` with the time of its end.
pub async fn issue(caller: &Caller, named: &str, text: &str) -> Result<Issued> {
    // The request holds one connection at a time.
    caller.release().await;
    let organization = organization::find_named(caller.app(), named).await?;
    let key = look_up(caller, organization, text).await?;
    match (organization, key) {
        (Some(organization), Some(key)) => give(&caller.at(organization).await, key, text).await,
        _ => refuse(caller, organization, named).await,
    }
}

/// The ID of the live key that this is the text of. Where there is no such organization, one that cannot be is looked
/// into, for the same work.
async fn look_up(caller: &Caller, organization: Option<OrganizationId>, text: &str) -> Result<Option<KeyId>> {
    let door = caller.at(organization.unwrap_or(OrganizationId(Uuid::nil()))).await;
    let view = door.view(Action::PartnerTokenIssue).await?;
    let id = key_text::read(text).unwrap_or(KeyId(Uuid::nil()));
    let key = view.seek::<key::Entity>(&id.to_string()).await;
    drop(view);
    door.release().await;
    Ok(key?
        .filter(|key| is_of(key, text) && key.is_live(caller.now()))
        .map(|key| key.id))
}

fn is_of(key: &key::Model, text: &str) -> bool {
    token_hash(text).0.ct_eq(&key.secret_hash.0).into()
}

/// Gives a token, if the key still lives when the organization's turn has come.
async fn give(door: &Caller, id: KeyId, text: &str) -> Result<Issued> {
    // By place: whoever has the key and is elsewhere brakes himself alone.
    let subject = format!("{id} {}", door.origin().network_text());
    if let Some(stop) = security::attempt(door, &[(KEY, subject)]).await? {
        if stop.is_first {
            fail(door, Code::SignInBlocked).await?;
        }
        return Err(blocked(stop));
    }
    let deed = async |tx: &Tx| {
        let key = tx.find::<key::Entity>("input.key", &id.to_string()).await?;
        tx.about::<key::Entity>(&key);
        let refusal = if !is_of(&key, text) || !key.is_live(tx.now()) {
            Some(Code::CredentialsRefused)
        } else {
            (!key.allows(tx.origin().address)).then_some(Code::AddressNotAllowed)
        };
        if let Some(code) = refusal {
            tx.failed(code);
            return Ok(Issued::Refused(code));
        }
        key_use::note(tx, key.id).await?;
        let (text, expires_at) = token::write(tx.app(), tx.now(), &key)?;
        let scopes = key.scopes.0.clone();
        Ok(Issued::Token {
            text,
            expires_at,
            scopes,
        })
    };
    door.act(Action::PartnerTokenIssue, &Plain, deed).await
}

/// Counts a wrong key, and leaves it in the organization's log; where there is none, in that of security.
async fn refuse(caller: &Caller, organization: Option<OrganizationId>, named: &str) -> Result<Issued> {
    let subject = organization.map_or_else(|| named.trim().to_lowercase(), |organization| organization.to_string());
    let brakes = [(ADDRESS, caller.origin().network_text()), (ORGANIZATION, subject)];
    let stop = security::attempt(caller, &brakes).await?;
    let code = stop.map_or(Code::CredentialsRefused, |_| Code::SignInBlocked);
    if stop.is_none_or(|stop| stop.is_first) {
        match organization {
            Some(organization) => fail(&caller.at(organization).await, code).await?,
            None => security::log(caller, "PARTNER_TOKEN_UNKNOWN_ORGANIZATION").await?,
        }
    }
    match stop {
        Some(stop) => Err(blocked(stop)),
        None => Ok(Issued::Refused(code)),
    }
}

/// Leaves the attempt in the organization's log, as one that failed.
async fn fail(door: &Caller, code: Code) -> Result<()> {
    let deed = async |tx: &Tx| {
        tx.failed(code);
        Ok(Issued::Refused(code))
    };
    door.act(Action::PartnerTokenIssue, &Plain, deed).await.map(drop)
}

fn blocked(stop: Stop) -> Error {
    Problem::at("input.key", Code::SignInBlocked).until(stop.until).into()
}
