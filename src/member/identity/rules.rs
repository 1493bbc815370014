//! What operators do with identity providers: say which may sign an organization's people in, and who a member is
//! there. Whoever came from a provider that is shut out is out as well.

use anyhow::{Context, ensure};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use serde::Deserialize;

use super::{
    fetch::{self, Address},
    link,
    provider::{self, Algorithm},
    token::is_subject,
};
use crate::{
    kernel::{Code, Error, MemberId, Problem, Reader, Result, Tx},
    member::{self, session},
    organization::check_name,
};

/// How many providers an organization can have.
const MOST_PROVIDERS: usize = 5;

/// What an operator says of a provider.
#[derive(Debug, Clone)]
pub struct Setting {
    /// What it is called, 1 to 100 characters.
    pub name: String,
    /// What its tokens say of themselves, to the letter: an https address.
    pub issuer: String,
    /// For whom its tokens are: the client ID of this service, 1 to 255 characters.
    pub client_id: String,
    /// Where its keys are: an https address; `None` until the issuer was asked.
    pub jwks_url: Option<String>,
    /// With what it signs.
    pub algorithm: Algorithm,
    /// Whether a verified e-mail address makes a member known at his first sign-in.
    pub links_by_email: bool,
    /// Whether it may sign anybody in.
    pub is_enabled: bool,
}

/// Adds a provider, or changes the one of this issuer.
///
/// # Errors
/// As [`Setting`] says; `LIMIT_REACHED` beyond five.
pub async fn set(tx: &Tx, setting: Setting) -> Result<provider::Model> {
    let mut problems: Vec<_> = check_name("input.name", &setting.name).into_iter().collect();
    problems.extend(check_address("input.issuer", &setting.issuer));
    let jwks_url = setting.jwks_url.clone().unwrap_or_default();
    problems.extend(check_address("input.jwksUrl", &jwks_url));
    if !is_subject(&setting.client_id) {
        problems.push(Problem::at("input.clientId", Code::Invalid).with("rule", "1–255"));
    }
    Error::unless_none(problems)?;
    let known = list(tx).await?;
    let count = known.len();
    let old = known.into_iter().find(|provider| provider.issuer == setting.issuer);
    let Some(old) = old else {
        if count >= MOST_PROVIDERS {
            return Err(Problem::of(Code::LimitReached).with("max", MOST_PROVIDERS).into());
        }
        return create(tx, setting, jwks_url).await;
    };
    let provider = tx
        .update::<provider::Entity>(old, |row| {
            row.name = setting.name.trim().to_owned();
            row.client_id = setting.client_id;
            row.jwks_url = jwks_url;
            row.algorithm = setting.algorithm;
            row.links_by_email = setting.links_by_email;
            row.is_enabled = setting.is_enabled;
        })
        .await?;
    if !provider.is_enabled {
        session::end_of(tx, provider.id, None).await?;
    }
    Ok(provider)
}

async fn create(tx: &Tx, setting: Setting, jwks_url: String) -> Result<provider::Model> {
    tx.create::<provider::Entity>(provider::Model {
        id: tx.fresh_id(),
        organization_id: tx.organization_id(),
        name: setting.name.trim().to_owned(),
        issuer: setting.issuer,
        client_id: setting.client_id,
        jwks_url,
        algorithm: setting.algorithm,
        links_by_email: setting.links_by_email,
        is_enabled: setting.is_enabled,
        created_at: tx.now(),
        version: 1,
    })
    .await
}

/// The organization's providers, in the order of their making.
///
/// # Errors
/// Only if the database fails.
pub async fn list(reader: &Reader) -> Result<Vec<provider::Model>> {
    let providers = reader.select::<provider::Entity>();
    providers.order_by_asc(provider::Column::Id).all().await
}

/// Removes a provider, whatever it knew of members, and the sessions that it began.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn remove(tx: &Tx, issuer: &str) -> Result<provider::Model> {
    let provider = find(tx, issuer).await?;
    tx.about::<provider::Entity>(&provider);
    session::end_of(tx, provider.id, None).await?;
    for link in links(tx, &provider).await? {
        tx.delete::<link::Entity>(link).await?;
    }
    tx.delete::<provider::Entity>(provider.clone()).await?;
    Ok(provider)
}

/// Says who a member is at a provider.
///
/// # Errors
/// `NOT_FOUND`; `TAKEN` where the subject is somebody already, or the member is known there.
pub async fn link_member(tx: &Tx, issuer: &str, login: &str, subject: &str) -> Result<member::Model> {
    if !is_subject(subject) {
        return Err(Problem::at("input.subject", Code::Invalid).with("rule", "1–255").into());
    }
    let (provider, member) = find_both(tx, issuer, login).await?;
    let links = links(tx, &provider).await?;
    if links.iter().any(|link| link.subject == subject) {
        return Err(Problem::at("input.subject", Code::Taken).into());
    }
    if links.iter().any(|link| link.member_id == member.id) {
        return Err(Problem::at("input.login", Code::Taken).into());
    }
    create_link(tx, &provider, member.id, subject).await?;
    tx.about::<member::Entity>(&member);
    Ok(member)
}

/// Forgets who a member is at a provider, and ends the sessions that he has by it.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn unlink_member(tx: &Tx, issuer: &str, login: &str) -> Result<member::Model> {
    let (provider, member) = find_both(tx, issuer, login).await?;
    let link = find_link(tx, &provider, member.id).await?;
    let link = link.ok_or_else(|| Error::not_found("input.login"))?;
    tx.delete::<link::Entity>(link).await?;
    session::end_of(tx, provider.id, Some(member.id)).await?;
    tx.about::<member::Entity>(&member);
    Ok(member)
}

/// Writes down who a member is at a provider. The database knows that a subject is one member, and that a member has
/// one subject.
///
/// # Errors
/// `TAKEN`.
pub(super) async fn create_link(tx: &Tx, provider: &provider::Model, member: MemberId, subject: &str) -> Result<()> {
    tx.create::<link::Entity>(link::Model {
        organization_id: tx.organization_id(),
        provider_id: provider.id,
        subject: subject.to_owned(),
        member_id: member,
        linked_at: tx.now(),
    })
    .await?;
    Ok(())
}

/// Forgets who a member is at every provider.
///
/// # Errors
/// Only if the database fails.
pub(in crate::member) async fn forget(tx: &Tx, member: MemberId) -> Result<()> {
    let links = tx.select::<link::Entity>().filter(link::Column::MemberId.eq(member));
    for link in links.all().await? {
        tx.delete::<link::Entity>(link).await?;
    }
    Ok(())
}

/// Who a member is at a provider.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn find_link(
    reader: &Reader,
    provider: &provider::Model,
    member: MemberId,
) -> Result<Option<link::Model>> {
    let links = reader
        .select::<link::Entity>()
        .filter(link::Column::ProviderId.eq(provider.id))
        .filter(link::Column::MemberId.eq(member));
    links.one().await
}

/// Asks the issuer where its keys are, unless it was said (OpenID Connect Discovery 1.0).
///
/// # Errors
/// If it does not say so, or signs otherwise, in words for an operator.
pub async fn discover(setting: Setting) -> anyhow::Result<Setting> {
    #[derive(Deserialize)]
    struct Metadata {
        issuer: String,
        jwks_uri: String,
        id_token_signing_alg_values_supported: Vec<String>,
    }
    if setting.jwks_url.is_some() {
        return Ok(setting);
    }
    let issuer = &setting.issuer;
    let at = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let body = fetch::get(&at).await.map_err(|error| error.context(at.clone()))?;
    let told: Metadata = serde_json::from_slice(&body).with_context(|| at.clone())?;
    ensure!(told.issuer == *issuer, "{at} is of the issuer {}", told.issuer);
    let signs = told.id_token_signing_alg_values_supported;
    let is_right = signs.iter().any(|signs| signs == setting.algorithm.name());
    ensure!(is_right, "{issuer} signs with {}", signs.join(", "));
    Ok(Setting {
        jwks_url: Some(told.jwks_uri),
        ..setting
    })
}

async fn find(tx: &Tx, issuer: &str) -> Result<provider::Model> {
    let mut known = list(tx).await?.into_iter();
    let found = known.find(|provider| provider.issuer == issuer);
    found.ok_or_else(|| Error::not_found("input.issuer"))
}

async fn find_both(tx: &Tx, issuer: &str, login: &str) -> Result<(provider::Model, member::Model)> {
    let provider = find(tx, issuer).await?;
    let member = member::find_by_login(tx, login).await?;
    Ok((provider, member.ok_or_else(|| Error::not_found("input.login"))?))
}

async fn links(tx: &Tx, provider: &provider::Model) -> Result<Vec<link::Model>> {
    let links = tx.select::<link::Entity>();
    links.filter(link::Column::ProviderId.eq(provider.id)).all().await
}

fn check_address(path: &str, text: &str) -> Option<Problem> {
    let is_one = Address::parse(text).is_some() && !text.contains('\0');
    (!is_one).then(|| Problem::at(path, Code::Invalid).with("rule", "https://…"))
}
