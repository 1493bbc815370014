//! What can be done with an organization: creating it, at the operator's word; approving what has to be agreed on
//! first; changing its name, zone and, for the owner, its domain.

use async_graphql::{ID, InputObject, MaybeUndefined};
use chrono_tz::Tz;
use serde::Serialize;

use super::{code, entity, route};
use crate::{
    kernel::{
        App, Code, Error, Job, Month, OrganizationId, Problem, Reader, Result, Role, Tx, audit::is_hidden, outbox,
        payload::asks, zone,
    },
    picture,
};

/// What an operator says of a new organization.
#[derive(Debug, Clone)]
pub struct New {
    /// The display name.
    pub name: String,
    /// The domain.
    pub domain: String,
    /// The IANA time zone.
    pub time_zone: String,
}

/// What an operator can approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// IPCC (Private) telephony.
    Ipcc,
    /// Mobile Contact.
    MobileContact,
    /// The security item of contracts.
    Security,
}

/// Changes to an organization. Absent fields stay as they are.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct OrganizationUpdateInput {
    /// Makes a retry safe: the same key with the same input within 24 hours answers as the first time. 1 to 64 visible ASCII characters; a UUID is good.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
    /// The display name, 1 to 100 characters.
    pub name: Option<String>,
    /// The domain: 3 to 40 small letters, digits and hyphens, beginning with a letter or digit. Only the owner may change it, after a recent confirmation of the password.
    pub domain: Option<String>,
    /// The IANA time zone, such as `Asia/Seoul`. Only the owner may change it. A day that a contract's edit has used stays used.
    pub time_zone: Option<String>,
    /// Whether every member has to sign in with a second factor; whoever has none can then only enroll one. Who signs in by an identity provider is asked for no code: the provider vouches for him. Only the owner may change it, after a recent confirmation of the password, and he must have a second factor himself.
    pub requires_second_factor: Option<bool>,
    /// 메인 로고: the ID of a picture of `pictureUpload`, at the top of the organization's pages; null takes it away.
    pub main_logo_id: MaybeUndefined<ID>,
    /// Whether whoever holds a grant to see personal data in clear has to sign in with a second factor. Only the owner may change it, after a recent confirmation of the password.
    pub requires_second_factor_for_pii: Option<bool>,
}

asks!(OrganizationUpdateInput);

/// Hosts that are something else, or look like it.
const RESERVED: [&str; 9] = [
    "admin",
    "api",
    "help",
    "localhost",
    "mail",
    "smtp",
    "static",
    "status",
    "www",
];

/// The organization whose rows a reader sees.
///
/// # Errors
/// `NOT_FOUND` where there is none.
pub async fn own(reader: &Reader) -> Result<entity::Model> {
    let id = reader.organization_id().to_string();
    reader.find::<entity::Entity>("input.organization", &id).await
}

/// Creates the organization of this transaction.
///
/// # Errors
/// `BLANK`, `TOO_LONG`, `INVALID`, `TAKEN`, `UNKNOWN_TIME_ZONE`.
pub async fn create(tx: &Tx, new: New) -> Result<entity::Model> {
    let domain = new.domain.to_lowercase();
    let mut problems: Vec<_> = check_name("input.name", &new.name).into_iter().collect();
    problems.extend(find_domain_problem(tx, &domain).await?);
    problems.extend(check_time_zone("input.timeZone", &new.time_zone));
    Error::unless_none(problems)?;
    let organization = tx
        .create::<entity::Entity>(entity::Model {
            id: tx.organization_id(),
            code: fresh_code(tx.app()),
            name: new.name.trim().to_owned(),
            domain: domain.clone(),
            time_zone: new.time_zone,
            is_ipcc_approved: false,
            is_mobile_contact_approved: false,
            is_security_approved: false,
            requires_second_factor: false,
            main_logo_id: None,
            requires_second_factor_for_pii: false,
            created_at: tx.now(),
            version: 1,
        })
        .await?;
    tx.create::<route::Entity>(route::Model {
        domain,
        organization_id: organization.id,
    })
    .await?;
    tx.create::<code::Entity>(code::Model {
        code: organization.code.clone(),
        organization_id: organization.id,
    })
    .await?;
    tx.enqueue(first_close(tx, &organization)?).await?;
    Ok(organization)
}

/// Approves or withdraws what has to be agreed on first.
///
/// # Errors
/// Only if the database fails.
pub async fn approve(tx: &Tx, approval: Approval, is_approved: bool) -> Result<entity::Model> {
    let organization = tx
        .find::<entity::Entity>("id", &tx.organization_id().to_string())
        .await?;
    tx.update::<entity::Entity>(organization, |row| match approval {
        Approval::Ipcc => row.is_ipcc_approved = is_approved,
        Approval::MobileContact => row.is_mobile_contact_approved = is_approved,
        Approval::Security => row.is_security_approved = is_approved,
    })
    .await
}

/// `organizationUpdate`.
///
/// # Errors
/// As the input says; `OWNER_REQUIRED` for domain, zone and the demand of a second factor; `CONFIRMATION_REQUIRED` for
/// domain and demand; `SECOND_FACTOR_ABSENT` if the owner demands what he has not himself.
pub async fn update(tx: &Tx, id: &str, input: &OrganizationUpdateInput) -> Result<entity::Model> {
    let organization = tx.find_current::<entity::Entity>(id, input.expected_version).await?;
    let name = input.name.as_deref().map(str::trim);
    let domain = input
        .domain
        .as_deref()
        .map(str::to_lowercase)
        .filter(|domain| *domain != organization.domain);
    let zone = input.time_zone.clone().filter(|zone| *zone != organization.time_zone);
    let is_owner = tx.actor().roles().contains(&Role::Owner);
    let mut problems: Vec<_> = name
        .and_then(|name| check_name("input.name", name))
        .into_iter()
        .collect();
    if let Some(domain) = &domain {
        problems.extend(find_domain_problem(tx, domain).await?);
    }
    problems.extend(zone.as_deref().and_then(|zone| check_time_zone("input.timeZone", zone)));
    let demand = input
        .requires_second_factor
        .filter(|demand| *demand != organization.requires_second_factor);
    problems.extend(demand.and_then(|demand| find_demand_problem(tx, demand)));
    let logo = picture::chosen(tx, "input.mainLogoId", &input.main_logo_id, &mut problems).await?;
    let demand_for_pii = input
        .requires_second_factor_for_pii
        .filter(|demand| *demand != organization.requires_second_factor_for_pii);
    let reserved = [
        ("input.domain", domain.is_some()),
        ("input.timeZone", zone.is_some()),
        ("input.requiresSecondFactor", demand.is_some()),
        ("input.requiresSecondFactorForPii", demand_for_pii.is_some()),
    ];
    problems.extend(
        reserved
            .iter()
            .filter(|(_, asked)| *asked && !is_owner)
            .map(|(path, _)| Problem::at(path, Code::OwnerRequired)),
    );
    Error::unless_none(problems)?;
    if domain.is_some() || demand.is_some() || demand_for_pii.is_some() {
        tx.require_confirmation()?;
    }
    if let Some(domain) = &domain {
        move_route(tx, &organization.domain, domain).await?;
    }
    let updated = tx
        .update::<entity::Entity>(organization, |row| {
            row.name = name.map_or_else(|| row.name.clone(), str::to_owned);
            row.domain = domain.unwrap_or_else(|| row.domain.clone());
            row.time_zone = zone.unwrap_or_else(|| row.time_zone.clone());
            row.requires_second_factor = demand.unwrap_or(row.requires_second_factor);
            row.main_logo_id = logo.unwrap_or(row.main_logo_id);
            row.requires_second_factor_for_pii = demand_for_pii.unwrap_or(row.requires_second_factor_for_pii);
        })
        .await?;
    if logo.is_some() {
        picture::show(tx, picture::Place::MainLogo, updated.id.0, updated.main_logo_id).await?;
    }
    tx.about::<entity::Entity>(&updated);
    Ok(updated)
}

/// The first month's close; each close asks for the next.
fn first_close(tx: &Tx, organization: &entity::Model) -> Result<Job> {
    let zone: Tz = organization.time_zone.parse().map_err(Error::internal)?;
    let month = Month::of(zone::date_at(tx.now().0, zone)).ok_or_else(|| Error::internal("no such month"))?;
    outbox::month_close(month, zone)
}

/// What is wrong with a new domain. Only what can be one is looked for: PostgreSQL takes no NUL.
async fn find_domain_problem(tx: &Tx, domain: &str) -> Result<Option<Problem>> {
    let problem = check_domain("input.domain", domain);
    if problem.is_none() && route::is_taken(tx, domain).await? {
        return Ok(Some(Problem::at("input.domain", Code::Taken)));
    }
    Ok(problem)
}

/// What is wrong with demanding a second factor, if something is: an owner without one would shut himself out.
fn find_demand_problem(tx: &Tx, demand: bool) -> Option<Problem> {
    let is_owner = tx.actor().roles().contains(&Role::Owner);
    let has_one = tx.actor().member().is_some_and(|member| member.has_second_factor);
    (demand && is_owner && !has_one).then(|| Problem::at("input.requiresSecondFactor", Code::SecondFactorAbsent))
}

async fn move_route(tx: &Tx, from: &str, to: &str) -> Result<()> {
    let old = tx.find::<route::Entity>("input.domain", from).await?;
    tx.delete::<route::Entity>(old).await?;
    let organization_id: OrganizationId = tx.organization_id();
    tx.create::<route::Entity>(route::Model {
        domain: to.to_owned(),
        organization_id,
    })
    .await?;
    Ok(())
}

/// 16 letters and digits, as the product's own organization IDs look.
fn fresh_code(app: &App) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (0..16)
        .map(|_| char::from(LETTERS[app.random.below(62) as usize]))
        .collect()
}

/// What is wrong with a display name of 1 to 100 characters, if something is.
pub fn check_name(path: &str, name: &str) -> Option<Problem> {
    // Joiners are part of how some scripts and pictures are written.
    let joins = |letter: char| matches!(letter, '\u{200c}' | '\u{200d}');
    let length = name.trim().chars().count();
    if name.trim().chars().all(joins) {
        return Some(Problem::at(path, Code::Blank));
    }
    if name.chars().any(|letter| is_hidden(letter) && !joins(letter)) {
        return Some(Problem::at(path, Code::Invalid).with("rule", "control or invisible characters"));
    }
    (length > 100).then(|| Problem::at(path, Code::TooLong).with("max", 100))
}

/// What is wrong with a domain, if something is.
pub fn check_domain(path: &str, domain: &str) -> Option<Problem> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    match domain.len() {
        0 => Some(Problem::at(path, Code::Blank)),
        1..3 => Some(Problem::at(path, Code::TooShort).with("min", 3)),
        41.. => Some(Problem::at(path, Code::TooLong).with("max", 40)),
        _ if !domain.bytes().all(allowed) || domain.starts_with('-') || domain.ends_with('-') => {
            Some(Problem::at(path, Code::Invalid).with("rule", "a-z 0-9 -"))
        }
        _ if RESERVED.contains(&domain) || domain.starts_with("xn--") => Some(Problem::at(path, Code::Reserved)),
        _ => None,
    }
}

/// What is wrong with the name of a time zone, if something is.
pub fn check_time_zone(path: &str, zone: &str) -> Option<Problem> {
    zone.parse::<Tz>()
        .is_err()
        .then(|| Problem::at(path, Code::UnknownTimeZone))
}
