//! What can be done with a service: adding it, editing its basic information, and the steps of its life. Every step
//! has one rule here, whoever takes it.

use async_graphql::{ID, InputObject, MaybeUndefined};
use sea_orm::{
    ColumnTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, Func},
};
use serde::Serialize;

use super::{
    EditorType, Languages, ServiceKind,
    entity::{Column, Entity, Model, Status},
    language, route,
};
use crate::{
    kernel::{Code, Error, Problem, Reader, Result, Tx, payload::asks},
    organization::{check_name, check_time_zone},
    picture,
};

/// How many services an organization can have, terminated ones included: their codes stay taken.
const MOST_SERVICES: u64 = 100;

/// Words that are parts of addresses already.
const RESERVED: [&str; 6] = ["api", "openapi", "hc", "admin", "oc", "graphql"];

/// A new service.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct ServiceCreateInput {
    /// Makes a retry safe: the same key with the same input within 24 hours answers as the first time. 1 to 64 visible ASCII characters; a UUID is good.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// 유형: what it is for. It can't be changed later.
    pub kind: ServiceKind,
    /// 서비스 ID: 2 to 45 letters A-Z and a-z, never used before in the organization, whatever the case. It can't be changed later.
    pub code: String,
    /// 서비스 명: 1 to 100 characters, unique in the organization, whatever the case.
    pub name: String,
    /// 헬프센터 언어: codes such as `ko`, at most 50; ko, ja, en and zh where absent. Not for an issue service.
    pub languages: Option<Vec<String>>,
    /// The main one of `languages`; the first of them where absent. Not for an issue service.
    pub main_language: Option<String>,
    /// The IANA time zone; the usual one of the main language where absent.
    pub time_zone: Option<String>,
    /// 에디터 타입; HTML where absent. Not for an issue service.
    pub editor_type: Option<EditorType>,
    /// 배너: the ID of a picture of `pictureUpload`; none where absent.
    pub banner_id: Option<ID>,
}

/// Changes to a service's basic information. Absent fields stay as they are; type and code can't be changed.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct ServiceUpdateInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
    /// 서비스 명: 1 to 100 characters, unique in the organization, whatever the case.
    pub name: Option<String>,
    /// 헬프센터 언어: all of them, 1 to 50 codes. Not for an issue service.
    pub languages: Option<Vec<String>>,
    /// The main language; it must be one of the languages. Not for an issue service.
    pub main_language: Option<String>,
    /// The IANA time zone.
    pub time_zone: Option<String>,
    /// 에디터 타입. Not for an issue service.
    pub editor_type: MaybeUndefined<EditorType>,
    /// 배너: the ID of a picture of `pictureUpload`; null takes it away.
    pub banner_id: MaybeUndefined<ID>,
}

asks!(ServiceCreateInput, ServiceUpdateInput);

/// Adds a service that is not yet in use.
///
/// # Errors
/// As the input says, all at once.
pub async fn create(tx: &Tx, input: &ServiceCreateInput) -> Result<Model> {
    let name = input.name.trim();
    let (code_problem, name_problem) = (check_code(&input.code), check_name("input.name", name));
    let sound_code = code_problem.is_none().then_some(input.code.as_str());
    let sound_name = name_problem.is_none().then_some(name);
    let mut problems: Vec<_> = code_problem.into_iter().chain(name_problem).collect();
    problems.extend(check_taken(tx, sound_code, sound_name, None).await?);
    let zone = input.time_zone.as_deref();
    problems.extend(zone.and_then(|zone| check_time_zone("input.timeZone", zone)));
    let asked = input.languages.clone().unwrap_or_default();
    let named = input.languages.is_some() || input.main_language.is_some() || input.editor_type.is_some();
    let languages = match input.kind {
        ServiceKind::Issue => {
            if named {
                problems.extend(not_for_issue(
                    input.languages.is_some(),
                    input.main_language.is_some(),
                    input.editor_type.is_some(),
                ));
            }
            Languages(Vec::new())
        }
        ServiceKind::Consultation => {
            let codes = if asked.is_empty() {
                language::DEFAULT.map(str::to_owned).to_vec()
            } else {
                asked
            };
            arrange(codes, input.main_language.as_deref(), &mut problems)
        }
    };
    let banner = input
        .banner_id
        .clone()
        .map_or(MaybeUndefined::Undefined, MaybeUndefined::Value);
    let banner = picture::chosen(tx, "input.bannerId", &banner, &mut problems).await?;
    if tx.select::<Entity>().count().await? >= MOST_SERVICES {
        problems.push(Problem::of(Code::LimitReached).with("max", MOST_SERVICES));
    }
    Error::unless_none(problems)?;
    let usual = language::usual_time_zone(languages.0.first().map_or("ko", String::as_str));
    let service = tx
        .create::<Entity>(Model {
            id: tx.fresh_id(),
            organization_id: tx.organization_id(),
            code: input.code.clone(),
            kind: input.kind,
            name: name.to_owned(),
            name_key: name.to_lowercase(),
            time_zone: zone.unwrap_or(usual).to_owned(),
            editor_type: (input.kind == ServiceKind::Consultation)
                .then(|| input.editor_type.unwrap_or(EditorType::Html)),
            languages,
            status: Status::NotInUse,
            created_at: tx.now(),
            suspended_at: None,
            terminated_at: None,
            banner_id: banner.flatten(),
            version: 1,
        })
        .await?;
    picture::show(tx, picture::Place::Banner, service.id.0, service.banner_id).await?;
    route::keep(tx, &service).await?;
    Ok(service)
}

/// `serviceUpdate`.
///
/// # Errors
/// As the input says, all at once; `SERVICE_TERMINATED`.
pub async fn update(tx: &Tx, id: &str, input: &ServiceUpdateInput) -> Result<Model> {
    let service = tx.find_current::<Entity>(id, input.expected_version).await?;
    if service.status == Status::Terminated {
        return Err(Problem::at("id", Code::ServiceTerminated).into());
    }
    let mut problems = Vec::new();
    let name = input.name.as_deref().map(str::trim);
    if let Some(name) = name {
        let problem = check_name("input.name", name);
        let sound_name = problem.is_none().then_some(name);
        problems.extend(problem);
        problems.extend(check_taken(tx, None, sound_name, Some(&service)).await?);
    }
    problems.extend(
        input
            .time_zone
            .as_deref()
            .and_then(|zone| check_time_zone("input.timeZone", zone)),
    );
    let editor = input.editor_type.as_opt_ref().flatten().copied();
    let mut languages = service.languages.clone();
    if service.kind == ServiceKind::Issue {
        problems.extend(not_for_issue(
            input.languages.is_some(),
            input.main_language.is_some(),
            editor.is_some(),
        ));
    } else if input.languages.is_some() || input.main_language.is_some() {
        let main = input.main_language.as_deref();
        languages = arrange(input.languages.clone().unwrap_or(languages.0), main, &mut problems);
    }
    if service.kind == ServiceKind::Consultation && input.editor_type.is_null() {
        problems.push(Problem::at("input.editorType", Code::Blank));
    }
    let banner = picture::chosen(tx, "input.bannerId", &input.banner_id, &mut problems).await?;
    Error::unless_none(problems)?;
    if let Some(banner) = banner {
        picture::show(tx, picture::Place::Banner, service.id.0, banner).await?;
    }
    change(tx, service, |row| {
        row.banner_id = banner.unwrap_or(row.banner_id);
        if let Some(name) = name {
            row.name = name.to_owned();
            row.name_key = name.to_lowercase();
        }
        row.languages = languages;
        row.time_zone = input.time_zone.clone().unwrap_or_else(|| row.time_zone.clone());
        row.editor_type = editor.or(row.editor_type);
    })
    .await
}

/// The service of this ID, if people may use it now. Everything that uses a service asks here.
///
/// # Errors
/// `NOT_FOUND`, `CONTRACT_NOT_COMPLETED`, `SERVICE_NOT_IN_USE`, `SERVICE_TERMINATED`, at `path`.
pub async fn find_usable(reader: &Reader, path: &str, id: &str) -> Result<Model> {
    let service = reader.find::<Entity>(path, id).await?;
    let code = match service.status {
        Status::InUse => return Ok(service),
        Status::NotInUse => Code::ContractNotCompleted,
        Status::Suspended => Code::ServiceNotInUse,
        Status::Terminated => Code::ServiceTerminated,
    };
    Err(Problem::at(path, code).into())
}

/// NOT_IN_USE → IN_USE, when its contract is completed.
///
/// # Errors
/// `CONTRACT_ALREADY_SIGNED` or `SERVICE_TERMINATED` in any other state.
pub async fn put_to_use(tx: &Tx, service: Model) -> Result<Model> {
    match service.status {
        Status::NotInUse => change(tx, service, |row| row.status = Status::InUse).await,
        Status::InUse | Status::Suspended => Err(Problem::at("id", Code::ContractAlreadySigned).into()),
        Status::Terminated => Err(Problem::at("id", Code::ServiceTerminated).into()),
    }
}

/// IN_USE → SUSPENDED.
///
/// # Errors
/// `CONTRACT_NOT_COMPLETED`, `SERVICE_NOT_IN_USE` or `SERVICE_TERMINATED` in any other state.
pub async fn suspend(tx: &Tx, service: Model) -> Result<Model> {
    let code = match service.status {
        Status::InUse => {
            let now = tx.now();
            let stop = |row: &mut Model| {
                row.status = Status::Suspended;
                row.suspended_at = Some(now);
            };
            return change(tx, service, stop).await;
        }
        Status::NotInUse => Code::ContractNotCompleted,
        Status::Suspended => Code::ServiceNotInUse,
        Status::Terminated => Code::ServiceTerminated,
    };
    Err(Problem::at("id", code).into())
}

/// SUSPENDED → IN_USE.
///
/// # Errors
/// `SERVICE_NOT_SUSPENDED`, `CONTRACT_NOT_COMPLETED` or `SERVICE_TERMINATED` in any other state.
pub async fn resume(tx: &Tx, service: Model) -> Result<Model> {
    let code = match service.status {
        Status::Suspended => {
            let start = |row: &mut Model| {
                row.status = Status::InUse;
                row.suspended_at = None;
            };
            return change(tx, service, start).await;
        }
        Status::NotInUse => Code::ContractNotCompleted,
        Status::InUse => Code::ServiceNotSuspended,
        Status::Terminated => Code::ServiceTerminated,
    };
    Err(Problem::at("id", code).into())
}

/// SUSPENDED → TERMINATED, and NOT_IN_USE → TERMINATED where a draft is discarded. The name becomes free, the code
/// does not.
///
/// # Errors
/// `SERVICE_STILL_ACTIVE` or `SERVICE_TERMINATED` in any other state.
pub async fn end(tx: &Tx, service: Model) -> Result<Model> {
    let code = match service.status {
        Status::Suspended | Status::NotInUse => {
            let now = tx.now();
            let end = |row: &mut Model| {
                row.status = Status::Terminated;
                row.terminated_at = Some(now);
            };
            return change(tx, service, end).await;
        }
        Status::InUse => Code::ServiceStillActive,
        Status::Terminated => Code::ServiceTerminated,
    };
    Err(Problem::at("id", code).into())
}

/// Changes a service, and the way to it with it.
async fn change(tx: &Tx, service: Model, change: impl FnOnce(&mut Model)) -> Result<Model> {
    let changed = tx.update::<Entity>(service, change).await?;
    route::keep(tx, &changed).await?;
    Ok(changed)
}

fn check_code(code: &str) -> Option<Problem> {
    let problem = |code| Some(Problem::at("input.code", code));
    match code.len() {
        0 => problem(Code::Blank),
        _ if !code.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            problem(Code::Invalid).map(|problem| problem.with("rule", "A-Z a-z"))
        }
        1 => problem(Code::TooShort).map(|problem| problem.with("min", 2)),
        46.. => problem(Code::TooLong).map(|problem| problem.with("max", 45)),
        _ if RESERVED.contains(&code.to_ascii_lowercase().as_str()) => problem(Code::Reserved),
        _ => None,
    }
}

/// What of these is taken. Only what is well-formed is looked for: PostgreSQL takes no NUL, in a question neither.
async fn check_taken(tx: &Tx, code: Option<&str>, name: Option<&str>, own: Option<&Model>) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    if let Some(code) = code {
        let same = Expr::expr(Func::lower(Expr::col(Column::Code))).eq(code.to_lowercase());
        if tx.select::<Entity>().filter(same).one().await?.is_some() {
            problems.push(Problem::at("input.code", Code::Taken));
        }
    }
    let Some(name) = name else { return Ok(problems) };
    let holder = tx
        .select::<Entity>()
        .filter(Column::NameKey.eq(name.to_lowercase()))
        .filter(Column::Status.ne(Status::Terminated))
        .one()
        .await?;
    if holder.is_some_and(|holder| own.is_none_or(|own| own.id != holder.id)) {
        problems.push(Problem::at("input.name", Code::Taken));
    }
    Ok(problems)
}

fn not_for_issue(languages: bool, main: bool, editor: bool) -> impl Iterator<Item = Problem> {
    let asked = [
        ("input.languages", languages),
        ("input.mainLanguage", main),
        ("input.editorType", editor),
    ];
    asked
        .into_iter()
        .filter(|(_, asked)| *asked)
        .map(|(path, _)| Problem::at(path, Code::NotAvailableForKind))
}

/// The languages with the main one first.
fn arrange(mut codes: Vec<String>, main: Option<&str>, problems: &mut Vec<Problem>) -> Languages {
    if codes.is_empty() {
        problems.push(Problem::at("input.languages", Code::Blank));
    }
    if codes.len() > 50 {
        problems.push(Problem::at("input.languages", Code::TooMany).with("max", 50));
        return Languages(codes);
    }
    for (place, code) in codes.iter().enumerate() {
        let path = format!("input.languages.{place}");
        if !language::CODES.contains(&code.as_str()) {
            problems.push(Problem::at(&path, Code::UnknownLanguage));
        } else if codes[..place].contains(code) {
            problems.push(Problem::at(&path, Code::Duplicate));
        }
    }
    if let Some(main) = main {
        match codes.iter().position(|code| code == main) {
            Some(place) => codes[..=place].rotate_right(1),
            None => problems.push(Problem::at("input.mainLanguage", Code::Invalid).with("rule", "languages")),
        }
    }
    Languages(codes)
}
