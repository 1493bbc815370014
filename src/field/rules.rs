//! What can be done with fields: adding, changing, putting them in another order, removing. They are a service's settings,
//! and so its managers' and the owner's; an organization administrator who manages nothing does not set services up.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, QueryFilter, QuerySelect, sea_query::Expr};

use super::{
    composition::{self, Composition, deepest},
    entity::{Column, Entity, Model, Visibility},
    input::{FieldAddInput, FieldRemoveInput, FieldReorderInput, FieldUpdateInput},
    kind::FieldType,
    system,
    text::{Options, Texts},
};
use crate::{
    admin::rank::{Rank, Standing},
    agent, contract,
    kernel::{Code, Error, FieldId, PersonalKind, Problem, Reader, Result, ServiceId, Tx},
    service::{self, Service, ServiceCreateInput},
};

/// How many fields of its own a service can have at a time: with those that came with it not more than a list takes.
pub(super) const MOST_OWN: usize = 80;

/// The most characters that any value takes.
pub const LONGEST: i32 = 5_000;

/// `serviceCreate`: a service with a draft of its contract, and the fields that every service has.
///
/// # Errors
/// As for [`contract::add`].
pub async fn add_service(tx: &Tx, input: &ServiceCreateInput) -> Result<Service> {
    let service = contract::add(tx, input).await?;
    let fields = system::fields(tx, &service);
    tx.create_many::<Entity>(fields.clone()).await?;
    composition::found(tx, service.id, &fields).await?;
    Ok(service)
}

/// The fields of a service that are there, in their order.
///
/// # Errors
/// Only if the database fails.
pub async fn of_service(reader: &Reader, service: ServiceId) -> Result<Vec<Model>> {
    composition::fields(reader, &[service]).await
}

/// A service whose fields are about to change: the fields that are there, in their order, and what they make together.
struct Ground {
    service: Service,
    fields: Vec<Model>,
    composition: Composition,
}

impl Ground {
    /// The service of this ID, for whoever may set it up; for others there is none.
    async fn of(tx: &Tx, path: &str, id: &str) -> Result<Self> {
        let service = tx.find::<service::Entity>(path, id).await?;
        if !manages(tx, service.id).await? {
            return Err(Error::not_found(path));
        }
        if service.status == service::Status::Terminated {
            return Err(Problem::at(path, Code::ServiceTerminated).into());
        }
        let fields = of_service(tx, service.id).await?;
        let there = tx.seek::<composition::Entity>(&service.id.to_string()).await?;
        let composition = match there {
            Some(composition) => composition,
            None => composition::found(tx, service.id, &fields).await?,
        };
        Ok(Self {
            service,
            fields,
            composition,
        })
    }

    /// The same for the service of a field that is there, with the field.
    async fn under(tx: &Tx, id: &str, expected_version: i32) -> Result<(Self, Model)> {
        let field = tx.find::<Entity>("id", id).await?;
        let ground = Self::of(tx, "id", &field.service_id.to_string()).await?;
        let current = tx.find_current::<Entity>(id, expected_version).await?;
        if current.removed_at.is_some() {
            return Err(Error::not_found("id"));
        }
        Ok((ground, current))
    }
}

/// Whether whoever acts may set a service up, as it is in this transaction.
async fn manages(tx: &Tx, service: ServiceId) -> Result<bool> {
    let Some(actor) = tx.actor().member() else {
        return Ok(true);
    };
    if Standing::of_actor(tx, Rank::Member).await?.rank == Rank::Owner {
        return Ok(true);
    }
    let mut places = tx
        .select::<agent::Entity>()
        .filter(agent::Column::ServiceId.eq(service));
    agent::managing(tx, QuerySelect::query(&mut places), Expr::val(actor.member_id));
    Ok(places.one().await?.is_some())
}

/// `fieldAdd`: a field behind those that are there.
///
/// # Errors
/// As the input says, all at once; `LIMIT_REACHED` beyond 80 fields of its own.
pub async fn add(tx: &Tx, input: &FieldAddInput) -> Result<Model> {
    let ground = Ground::of(tx, "input.serviceId", &input.service_id).await?;
    let texts = Texts::tidied(&input.texts);
    let options = tidied(input.options.as_deref());
    let mut problems: Vec<Problem> = check_code(tx, ground.service.id, &input.code)
        .await?
        .into_iter()
        .collect();
    problems.extend(texts.problems(&ground.service));
    problems.extend(check_length(input.kind, input.length, LONGEST));
    problems.extend(check_options(&input.code, input.kind, options.as_ref(), true));
    problems.extend(check_required(input.kind, input.is_required));
    problems.extend(check_encryption(input));
    if ground.fields.iter().filter(|field| !field.is_system).count() >= MOST_OWN {
        problems.push(Problem::of(Code::LimitReached).with("max", MOST_OWN));
    }
    Error::unless_none(problems)?;
    let is_encrypted = input.is_encrypted.unwrap_or(false);
    let last = ground.fields.last().map_or(-1, |field| field.position);
    let field = tx
        .create::<Entity>(Model {
            id: tx.fresh_id(),
            organization_id: tx.organization_id(),
            service_id: ground.service.id,
            code: input.code.clone(),
            code_key: input.code.to_lowercase(),
            kind: input.kind,
            is_system: false,
            texts,
            length: input.length.unwrap_or(0),
            options: options.unwrap_or_default(),
            is_required: input.is_required.unwrap_or(false),
            is_encrypted,
            personal_kind: is_encrypted.then(|| input.personal_kind.unwrap_or(PersonalKind::Generic)),
            visibility: input.visibility.unwrap_or(Visibility::Customers),
            position: last + 1,
            created_at: tx.now(),
            removed_at: None,
            version: 1,
        })
        .await?;
    composition::follow(tx, ground.composition).await?;
    Ok(field)
}

/// `fieldUpdate`.
///
/// # Errors
/// As the input says, all at once; `FIELD_IS_FIXED` for what a field that came with the service must stay.
pub(super) async fn update(tx: &Tx, id: &str, input: &FieldUpdateInput) -> Result<Model> {
    let (ground, field) = Ground::under(tx, id, input.expected_version).await?;
    let texts = input.texts.as_deref().map(Texts::tidied);
    let options = tidied(input.options.as_deref());
    let longest = if field.is_system {
        system::longest(&field.code)
    } else {
        LONGEST
    };
    let mut problems = texts
        .as_ref()
        .map_or_else(Vec::new, |texts| texts.problems(&ground.service));
    problems.extend(check_length(field.kind, input.length, longest));
    if options.is_some() {
        problems.extend(check_options(&field.code, field.kind, options.as_ref(), false));
    }
    problems.extend(check_required(field.kind, input.is_required));
    if field.is_system {
        let must = system::must_be_required(&field.code, ground.service.kind);
        let fixed = [
            ("input.isRequired", must && input.is_required == Some(false)),
            ("input.length", field.kind.has_length() && input.length == Some(0)),
            (
                "input.visibility",
                input
                    .visibility
                    .is_some_and(|visibility| visibility != field.visibility),
            ),
        ];
        let broken = fixed.into_iter().filter(|(_, is_broken)| *is_broken);
        problems.extend(broken.map(|(path, _)| Problem::at(path, Code::FieldIsFixed)));
    }
    Error::unless_none(problems)?;
    let field = tx
        .update::<Entity>(field, |row| {
            row.texts = texts.unwrap_or_else(|| row.texts.clone());
            row.options = options.unwrap_or_else(|| row.options.clone());
            row.length = input.length.unwrap_or(row.length);
            row.is_required = input.is_required.unwrap_or(row.is_required);
            row.visibility = input.visibility.unwrap_or(row.visibility);
        })
        .await?;
    composition::follow(tx, ground.composition).await?;
    Ok(field)
}

/// `fieldReorder`.
///
/// # Errors
/// `NOT_FOUND`, `STALE_VERSION`; `FIELDS_DIFFER` where the list is not of all fields, each once.
pub(super) async fn reorder(tx: &Tx, id: &str, input: &FieldReorderInput) -> Result<Composition> {
    let ground = Ground::of(tx, "id", id).await?;
    if ground.composition.version != input.expected_version {
        return Err(Problem::at("input.expectedVersion", Code::StaleVersion).into());
    }
    let wanted: HashMap<FieldId, usize> = input
        .field_ids
        .iter()
        .enumerate()
        .filter_map(|(place, id)| Some((id.parse().ok()?, place)))
        .collect();
    let is_all = wanted.len() == ground.fields.len()
        && input.field_ids.len() == wanted.len()
        && ground.fields.iter().all(|field| wanted.contains_key(&field.id));
    if !is_all {
        return Err(Problem::at("input.fieldIds", Code::FieldsDiffer).into());
    }
    tx.about::<composition::Entity>(&ground.composition);
    for field in ground.fields {
        let place = wanted.get(&field.id).and_then(|place| i32::try_from(*place).ok());
        let place = place.unwrap_or(field.position);
        if place != field.position {
            tx.update::<Entity>(field, |row| row.position = place).await?;
        }
    }
    composition::follow(tx, ground.composition).await
}

/// `fieldRemove`: it is asked for no more. Its code stays taken, and what tickets have of it stays theirs.
///
/// # Errors
/// `NOT_FOUND`, `STALE_VERSION`; `FIELD_IS_FIXED` for one that came with the service.
pub(super) async fn remove(tx: &Tx, id: &str, input: &FieldRemoveInput) -> Result<Model> {
    let (ground, field) = Ground::under(tx, id, input.expected_version).await?;
    if field.is_system {
        return Err(Problem::at("id", Code::FieldIsFixed).into());
    }
    let now = tx.now();
    let field = tx.update::<Entity>(field, |row| row.removed_at = Some(now)).await?;
    composition::follow(tx, ground.composition).await?;
    Ok(field)
}

fn tidied(options: Option<&[Vec<String>]>) -> Option<Options> {
    options.map(Options::tidied)
}

async fn check_code(tx: &Tx, service: ServiceId, code: &str) -> Result<Option<Problem>> {
    const AT: &str = "input.code";
    let is_plain = code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let wrong = match code.len() {
        0 => Some(Problem::at(AT, Code::Blank)),
        46.. => Some(Problem::at(AT, Code::TooLong).with("max", 45)),
        _ if !is_plain || !code.starts_with(|letter: char| letter.is_ascii_alphabetic()) => {
            Some(Problem::at(AT, Code::Invalid).with("rule", "A-Z a-z 0-9 _"))
        }
        _ => None,
    };
    if wrong.is_some() {
        return Ok(wrong);
    }
    let used = tx.select::<Entity>().filter(Column::ServiceId.eq(service));
    let used = used.filter(Column::CodeKey.eq(code.to_lowercase())).one().await?;
    Ok(used.map(|_| Problem::at(AT, Code::Taken)))
}

fn not_for_type(path: &str) -> Problem {
    Problem::at(path, Code::NotForType)
}

fn check_length(kind: FieldType, length: Option<i32>, longest: i32) -> Option<Problem> {
    const AT: &str = "input.length";
    let length = length.filter(|length| *length != 0)?;
    if !kind.has_length() {
        return Some(not_for_type(AT));
    }
    let fits = (1..=longest).contains(&length);
    (!fits).then(|| Problem::at(AT, Code::OutOfRange).with("min", 1).with("max", longest))
}

fn check_options(code: &str, kind: FieldType, options: Option<&Options>, is_new: bool) -> Vec<Problem> {
    match options {
        Some(_) if !kind.has_options() => vec![not_for_type("input.options")],
        Some(options) => options.problems(if is_new { 1 } else { deepest(code, kind) }),
        None if kind.has_options() => vec![Problem::at("input.options", Code::Blank)],
        None => Vec::new(),
    }
}

fn check_required(kind: FieldType, is_required: Option<bool>) -> Option<Problem> {
    (is_required == Some(true) && !kind.takes_values()).then(|| not_for_type("input.isRequired"))
}

fn check_encryption(input: &FieldAddInput) -> Option<Problem> {
    let is_encrypted = input.is_encrypted.unwrap_or(false);
    if is_encrypted && !input.kind.can_be_encrypted() {
        return Some(not_for_type("input.isEncrypted"));
    }
    let is_lone = !is_encrypted && input.personal_kind.is_some();
    is_lone.then(|| Problem::at("input.personalKind", Code::Invalid).with("rule", "isEncrypted"))
}
