//! What can be done with company information: adding, changing and removing entries. What an entry ever said is kept.

use async_graphql::InputObject;
use sea_orm::{ColumnTrait, QueryFilter};
use serde::Serialize;

use super::{
    content::Content,
    entity::{Column, Entity, Model},
    footer, revision,
};
use crate::{
    kernel::{Code, Error, PictureId, Problem, Result, Tx, payload::asks},
    organization::check_name,
    picture,
};

/// How many entries an organization can have at a time.
const MOST_ENTRIES: u64 = 100;

/// A new entry of company information.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct CompanyCreateInput {
    /// Makes a retry safe: the same key with the same input within 24 hours answers as the first time. 1 to 64 visible ASCII characters; a UUID is good.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// 관리용 명칭: 1 to 50 characters, unique in the organization, whatever the case.
    pub title: String,
    /// What it says; at most 200,000 bytes in all.
    pub content: Content,
}

/// Changes to an entry. Absent fields stay as they are.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct CompanyUpdateInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
    /// 관리용 명칭: 1 to 50 characters, unique in the organization, whatever the case.
    pub title: Option<String>,
    /// What it says from now on, as a whole; at most 200,000 bytes in all. Footers that show it follow at once.
    pub content: Option<Content>,
}

/// How to remove an entry.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct CompanyRemoveInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
}

asks!(CompanyCreateInput, CompanyUpdateInput, CompanyRemoveInput);

/// `companyCreate`.
///
/// # Errors
/// As the input says, all at once; `LIMIT_REACHED` beyond 100 entries.
pub async fn create(tx: &Tx, input: &CompanyCreateInput) -> Result<Model> {
    let mut content = input.content.tidied();
    let title = input.title.trim();
    let mut problems = check_title(tx, title, None).await?;
    problems.extend(content.problems());
    let logo = content.find_logo(tx, &mut problems).await?;
    let there = tx.select::<Entity>().filter(Column::RemovedAt.is_null());
    if there.count().await? >= MOST_ENTRIES {
        problems.push(Problem::of(Code::LimitReached).with("max", MOST_ENTRIES));
    }
    Error::unless_none(problems)?;
    let company = tx
        .create::<Entity>(Model {
            id: tx.fresh_id(),
            organization_id: tx.organization_id(),
            title: title.to_owned(),
            title_key: title.to_lowercase(),
            content,
            revision: 1,
            created_at: tx.now(),
            removed_at: None,
            version: 1,
        })
        .await?;
    hold(tx, &company, logo).await?;
    revision::keep(tx, &company).await?;
    Ok(company)
}

/// `companyUpdate`: a new version, shown at once wherever the entry is published.
///
/// # Errors
/// As the input says, all at once; `NOT_FOUND` for an entry that was removed.
pub async fn update(tx: &Tx, id: &str, input: &CompanyUpdateInput) -> Result<Model> {
    let company = current(tx, id, input.expected_version).await?;
    let mut content = input.content.as_ref().map(Content::tidied);
    let title = input.title.as_deref().map(str::trim);
    let mut problems = match title {
        Some(title) => check_title(tx, title, Some(&company)).await?,
        None => Vec::new(),
    };
    problems.extend(content.iter().flat_map(Content::problems));
    let logo = match &mut content {
        Some(content) => content.find_logo(tx, &mut problems).await?,
        None => None,
    };
    Error::unless_none(problems)?;
    let is_same = title.is_none_or(|title| title == company.title)
        && content.as_ref().is_none_or(|content| *content == company.content);
    if is_same {
        return Ok(company);
    }
    let changed = tx
        .update::<Entity>(company, |row| {
            if let Some(title) = title {
                row.title = title.to_owned();
                row.title_key = title.to_lowercase();
            }
            if let Some(content) = content {
                row.content = content;
            }
            row.revision += 1;
        })
        .await?;
    hold(tx, &changed, logo).await?;
    revision::keep(tx, &changed).await?;
    footer::follow(tx, &changed).await?;
    Ok(changed)
}

/// `companyRemove`: the entry goes from the list; what it said stays in its versions.
///
/// # Errors
/// `COMPANY_IN_USE` while a footer shows it, with the names of the services.
pub async fn remove(tx: &Tx, id: &str, input: &CompanyRemoveInput) -> Result<Model> {
    let company = current(tx, id, input.expected_version).await?;
    let services = footer::services_of(tx, company.id).await?;
    if !services.is_empty() {
        let names: Vec<_> = services.iter().map(|service| service.name.as_str()).collect();
        let problem = Problem::at("id", Code::CompanyInUse).with("services", names.join(", "));
        return Err(problem.into());
    }
    let now = tx.now();
    tx.update::<Entity>(company, |row| row.removed_at = Some(now)).await
}

/// Keeps the logo for as long as there are versions that show it.
async fn hold(tx: &Tx, company: &Model, logo: Option<PictureId>) -> Result<()> {
    match logo {
        Some(logo) => picture::hold(tx, picture::Place::Company, company.id.0, logo).await,
        None => Ok(()),
    }
}

/// The entry as it is, unless it was removed.
async fn current(tx: &Tx, id: &str, expected_version: i32) -> Result<Model> {
    let company = tx.find_current::<Entity>(id, expected_version).await?;
    if company.removed_at.is_some() {
        return Err(Error::not_found("id"));
    }
    Ok(company)
}

async fn check_title(tx: &Tx, title: &str, own: Option<&Model>) -> Result<Vec<Problem>> {
    const AT: &str = "input.title";
    if let Some(problem) = check_name(AT, title) {
        return Ok(vec![problem]);
    }
    if title.chars().count() > 50 {
        return Ok(vec![Problem::at(AT, Code::TooLong).with("max", 50)]);
    }
    let holder = tx
        .select::<Entity>()
        .filter(Column::TitleKey.eq(title.to_lowercase()))
        .filter(Column::RemovedAt.is_null())
        .one()
        .await?;
    let is_taken = holder.is_some_and(|holder| own.is_none_or(|own| own.id != holder.id));
    Ok(is_taken.then(|| Problem::at(AT, Code::Taken)).into_iter().collect())
}
