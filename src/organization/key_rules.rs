//! Making, rotating and revoking organization keys. The key itself leaves once, in the answer that makes it; a
//! repeated request answers without it.

use async_graphql::InputObject;
use chrono::Duration;
use sea_orm::{ColumnTrait, ExprTrait, QueryFilter};
use serde::Serialize;

use super::key::{Addresses, Column, Entity, Model, Scope, Scopes};
use super::{key_text, rules::check_name};
use crate::kernel::{
    Code, Error, KeyId, Outcome, Problem, Result, Timestamp, Tx,
    address::Network,
    payload::asks,
    seal::{Keychain, Purpose},
    secret::token_hash,
};

/// How many live keys an organization can have.
const MOST_KEYS: usize = 20;

/// The longest overlap of a rotation: the old key works on for at most a day.
const LONGEST_OVERLAP: i32 = 24;

/// A new key.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct OrganizationKeyCreateInput {
    /// Makes a retry safe; the repeated answer has no `secret`. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// What it is called, 1 to 100 characters.
    pub name: String,
    /// What it may be used for, at least one.
    pub scopes: Vec<Scope>,
    /// From where it may be used: at most 50 addresses or networks in CIDR notation; empty or absent is everywhere.
    pub allowed_addresses: Option<Vec<String>>,
    /// When it stops working; absent or null where it does not by itself.
    pub expires_at: Option<Timestamp>,
}

/// How to rotate a key.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct OrganizationKeyRotateInput {
    /// Makes a retry safe; the repeated answer has no `secret`. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
    /// For how many hours the old key works on, 0 to 24; 0 ends it at once.
    pub overlap_hours: i32,
}

/// Changes to a key. Absent fields stay as they are.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct OrganizationKeyUpdateInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
    /// What it is called, 1 to 100 characters.
    pub name: Option<String>,
    /// What it may be used for, at least one.
    pub scopes: Option<Vec<Scope>>,
    /// From where it may be used: at most 50 addresses or networks in CIDR notation, yours among them; empty is everywhere.
    pub allowed_addresses: Option<Vec<String>>,
}

/// How to revoke a key.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct OrganizationKeyRevokeInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
}

asks!(
    OrganizationKeyCreateInput,
    OrganizationKeyRotateInput,
    OrganizationKeyUpdateInput,
    OrganizationKeyRevokeInput
);

/// A key and, the first time, its secrets.
#[derive(Debug)]
pub struct Issued {
    /// The key's row.
    pub key: Model,
    /// What is shown once; `None` in the answer to a repeated request.
    pub secrets: Option<Secrets>,
}

/// What a partner system proves with who it is.
pub struct Secrets {
    /// The key itself.
    pub secret: String,
    /// What requests are signed with.
    pub signing_secret: String,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(***)")
    }
}

impl Outcome for Issued {
    type Receipt = String;

    fn receipt(&self) -> String {
        self.key.receipt()
    }

    async fn again(tx: &Tx, receipt: String) -> Result<Self> {
        Ok(Self {
            key: Model::again(tx, receipt).await?,
            secrets: None,
        })
    }
}

/// `organizationKeyCreate`.
///
/// # Errors
/// As the input says; `LIMIT_REACHED` beyond 20 live keys; `ADDRESS_LOCKS_OUT` for a list without one's own address.
pub async fn create(tx: &Tx, input: &OrganizationKeyCreateInput) -> Result<Issued> {
    let mut problems: Vec<_> = check_name("input.name", &input.name).into_iter().collect();
    if input.scopes.is_empty() {
        problems.push(Problem::at("input.scopes", Code::Blank));
    }
    if input.expires_at.is_some_and(|at| at <= tx.now()) {
        problems.push(Problem::at("input.expiresAt", Code::Invalid).with("rule", "> now"));
    }
    let networks = input.allowed_addresses.clone().unwrap_or_default();
    problems.extend(check_networks(tx, &networks));
    Error::unless_none(problems)?;
    check_limit(tx).await?;
    issue(
        tx,
        input.name.trim().to_owned(),
        sorted(&input.scopes),
        Addresses(networks),
        input.expires_at,
    )
    .await
}

/// `organizationKeyRotate`: a new key of the same name, scopes and addresses; the old one works on for the overlap.
///
/// # Errors
/// `KEY_NOT_LIVE`, `OUT_OF_RANGE`, `LIMIT_REACHED` where old keys still work, and as for every edit.
pub async fn rotate(tx: &Tx, id: &str, input: &OrganizationKeyRotateInput) -> Result<Issued> {
    let old = tx.find_current::<Entity>(id, input.expected_version).await?;
    if !old.is_live(tx.now()) {
        return Err(Problem::at("id", Code::KeyNotLive).into());
    }
    if !(0..=LONGEST_OVERLAP).contains(&input.overlap_hours) {
        let problem = Problem::at("input.overlapHours", Code::OutOfRange)
            .with("min", 0)
            .with("max", LONGEST_OVERLAP);
        return Err(problem.into());
    }
    let end = Timestamp(tx.now().0 + Duration::hours(input.overlap_hours.into()));
    let (name, scopes, addresses, expires_at) = (
        old.name.clone(),
        old.scopes.clone(),
        old.allowed_addresses.clone(),
        old.expires_at,
    );
    // A key that is already on its way out keeps its end: else one rotation a day would keep it for ever.
    let ends = [old.expires_at, old.revoked_at, Some(end)];
    tx.update::<Entity>(old, |row| row.revoked_at = ends.into_iter().flatten().min())
        .await?;
    check_limit(tx).await?;
    let issued = issue(tx, name, scopes, addresses, expires_at).await?;
    tx.about::<Entity>(&issued.key);
    Ok(issued)
}

/// `organizationKeyUpdate`: what it may be used for and from where, from the next request on.
///
/// # Errors
/// As the input says; `KEY_NOT_LIVE`; `ADDRESS_LOCKS_OUT` for a list without one's own address.
pub async fn update(tx: &Tx, id: &str, input: &OrganizationKeyUpdateInput) -> Result<Model> {
    let key = tx.find_current::<Entity>(id, input.expected_version).await?;
    if !key.is_live(tx.now()) {
        return Err(Problem::at("id", Code::KeyNotLive).into());
    }
    let name = input.name.as_deref();
    let mut problems: Vec<_> = name
        .and_then(|name| check_name("input.name", name))
        .into_iter()
        .collect();
    if input.scopes.as_ref().is_some_and(Vec::is_empty) {
        problems.push(Problem::at("input.scopes", Code::Blank));
    }
    let networks = input.allowed_addresses.as_deref();
    problems.extend(
        networks
            .map(|networks| check_networks(tx, networks))
            .unwrap_or_default(),
    );
    Error::unless_none(problems)?;
    tx.update::<Entity>(key, |row| {
        if let Some(name) = name {
            name.trim().clone_into(&mut row.name);
        }
        if let Some(scopes) = &input.scopes {
            row.scopes = sorted(scopes);
        }
        if let Some(networks) = networks {
            row.allowed_addresses = Addresses(networks.to_vec());
        }
    })
    .await
}

fn sorted(scopes: &[Scope]) -> Scopes {
    let mut scopes = scopes.to_vec();
    scopes.sort_unstable();
    scopes.dedup();
    Scopes(scopes)
}

/// `organizationKeyRevoke`: the key stops working at once.
///
/// # Errors
/// `KEY_NOT_LIVE`; `LAST_KEY` where no other key is live: that one is rotated instead.
pub async fn revoke(tx: &Tx, id: &str, input: &OrganizationKeyRevokeInput) -> Result<Model> {
    let key = tx.find_current::<Entity>(id, input.expected_version).await?;
    if !key.is_live(tx.now()) {
        return Err(Problem::at("id", Code::KeyNotLive).into());
    }
    if live(tx).await?.iter().all(|other| other.id == key.id) {
        return Err(Problem::at("id", Code::LastKey).into());
    }
    let now = tx.now();
    tx.update::<Entity>(key, |row| row.revoked_at = Some(now)).await
}

/// Keys that work on after their rotation count as well, or else rotating would make any number of them.
async fn check_limit(tx: &Tx) -> Result<()> {
    let now = tx.now();
    let keys = tx
        .select::<Entity>()
        .filter(Column::RevokedAt.is_null().or(Column::RevokedAt.gt(now)))
        .all()
        .await?;
    if keys.iter().filter(|key| key.is_live(now)).count() >= MOST_KEYS {
        return Err(Problem::of(Code::LimitReached).with("max", MOST_KEYS).into());
    }
    Ok(())
}

async fn live(tx: &Tx) -> Result<Vec<Model>> {
    let keys = tx.select::<Entity>().filter(Column::RevokedAt.is_null()).all().await?;
    Ok(keys.into_iter().filter(|key| key.is_live(tx.now())).collect())
}

async fn issue(
    tx: &Tx,
    name: String,
    scopes: Scopes,
    addresses: Addresses,
    expires_at: Option<Timestamp>,
) -> Result<Issued> {
    let id: KeyId = tx.fresh_id();
    let random = &tx.app().random;
    let (secret, signing_secret) = (
        key_text::write(id, &random.bytes()),
        key_text::write_signing(&random.bytes()),
    );
    let chain = Keychain::for_sealing(tx, Purpose::KeySigning).await?;
    let sealed = chain.seal(random, &key_text::signing_cell(&id), signing_secret.as_bytes())?;
    let key = tx
        .create::<Entity>(Model {
            id,
            organization_id: tx.organization_id(),
            name,
            scopes,
            allowed_addresses: addresses,
            secret_hash: token_hash(&secret),
            signing_secret: Some(sealed),
            hint: secret.chars().skip(secret.len() - 4).collect(),
            created_at: tx.now(),
            expires_at,
            revoked_at: None,
            version: 1,
        })
        .await?;
    Ok(Issued {
        key,
        secrets: Some(Secrets { secret, signing_secret }),
    })
}

fn check_networks(tx: &Tx, networks: &[String]) -> Vec<Problem> {
    if networks.len() > 50 {
        return vec![Problem::at("input.allowedAddresses", Code::TooMany).with("max", 50)];
    }
    let parsed: Vec<_> = networks.iter().map(|text| Network::parse(text)).collect();
    let wrong = parsed.iter().enumerate().filter(|(_, network)| network.is_none());
    let mut problems: Vec<_> = wrong
        .map(|(place, _)| {
            Problem::at(&format!("input.allowedAddresses.{place}"), Code::Invalid).with("rule", "IP / CIDR")
        })
        .collect();
    // Whoever makes a key from a screen means to use it from his own systems as well as from here; a list that leaves
    // the author out is nearly always a slip, and it is the slip that locks people out.
    let own = tx.origin().address;
    let locked_out =
        own.is_some_and(|own| !parsed.is_empty() && !parsed.iter().flatten().any(|network| network.contains(own)));
    if problems.is_empty() && locked_out {
        problems.push(Problem::at("input.allowedAddresses", Code::AddressLocksOut));
    }
    problems
}
