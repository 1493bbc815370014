//! `viewerUpdate`: what a member changes of himself.

use async_graphql::InputObject;
use sea_orm::{
    ColumnTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, Func},
};
use serde::Serialize;

use super::{
    Column, Entity, Member, Status, invitation::is_invited, letter::Event, notice, password_reset, rules::check_email,
};
use crate::{
    kernel::{Code, Error, Language, Problem, Result, Tx, payload::asks},
    organization::check_name,
};

/// Changes to oneself. Absent fields stay as they are.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct ViewerUpdateInput {
    /// Makes a retry safe: the same key with the same input within 24 hours answers as the first time. 1 to 64 visible ASCII characters; a UUID is good.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The member's `version` last read.
    pub expected_version: i32,
    /// 이름: 1 to 100 characters.
    pub name: Option<String>,
    /// The e-mail address, at most 254 characters, which no other member has and nobody is invited at. It takes a recent confirmation of the password; the old address is told.
    pub email: Option<String>,
    /// The language of one's letters.
    pub language: Option<Language>,
}

asks!(ViewerUpdateInput);

/// `viewerUpdate`.
///
/// # Errors
/// `BLANK`, `TOO_LONG`, `INVALID`, `TAKEN`, `STALE_VERSION`; `CONFIRMATION_REQUIRED` for the address.
pub(super) async fn update(tx: &Tx, input: &ViewerUpdateInput) -> Result<Member> {
    let id = tx.actor().member().ok_or(Error::Unauthenticated)?.member_id;
    let member = tx
        .find_current::<Entity>(&id.to_string(), input.expected_version)
        .await?;
    let name = input.name.as_deref().map(str::trim);
    let email = input
        .email
        .as_deref()
        .map(str::trim)
        .filter(|email| *email != member.email);
    let mut problems: Vec<_> = name
        .and_then(|name| check_name("input.name", name))
        .into_iter()
        .collect();
    if let Some(email) = email {
        problems.extend(find_email_problem(tx, &member, email).await?);
    }
    Error::unless_none(problems)?;
    if email.is_some() {
        tx.require_confirmation()?;
    }
    let moves = email.is_some_and(|email| !member.has_mailbox(email));
    let updated = tx
        .update::<Entity>(member, |row| {
            if let Some(name) = name {
                row.name = name.to_owned();
                row.name_key = name.to_lowercase();
            }
            if let Some(email) = email {
                row.set_email(email);
            }
            row.language = input.language.unwrap_or(row.language);
        })
        .await?;
    if moves {
        password_reset::close_all_of(tx, id).await?;
        notice::tell(tx, id, Event::EmailChanged).await?;
    }
    tx.about::<Entity>(&updated);
    Ok(updated)
}

async fn find_email_problem(tx: &Tx, member: &Member, email: &str) -> Result<Option<Problem>> {
    let problem = check_email("input.email", email);
    if problem.is_some() {
        return Ok(problem);
    }
    let same = Expr::expr(Func::lower(Expr::col((Entity, Column::Email)))).eq(email.to_lowercase());
    let others = tx
        .select::<Entity>()
        .filter(Column::Status.eq(Status::Active))
        .filter(Column::Id.ne(member.id));
    let is_others = others.filter(same).one().await?.is_some();
    let is_taken = is_others || !member.has_mailbox(email) && is_invited(tx, email).await?;
    Ok(is_taken.then(|| Problem::at("input.email", Code::Taken)))
}
