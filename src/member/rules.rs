//! How members come to be, and what their login IDs and addresses may look like.

use sea_orm::{ColumnTrait, QueryFilter};

use super::{Whose, accept_password, entity};
use crate::{
    kernel::{
        Action, App, Caller, Code, Error, Language, OrganizationId, Plain, Problem, Reader, Result, Tx, id, mail,
        secret::SecretText,
    },
    organization::{self, check_name},
};

/// A new member.
#[derive(Debug, Clone)]
pub struct New {
    /// The login ID.
    pub login: String,
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// Whether he has come by a link that lay in its mailbox.
    pub is_email_proved: bool,
    /// The language of his letters.
    pub language: Language,
    /// The hash of the password.
    pub password_hash: SecretText,
    /// Whether this is the owner.
    pub is_owner: bool,
}

/// Adds a member.
///
/// # Errors
/// `BLANK`, `TOO_LONG`, `INVALID` for each value that is not right.
pub async fn create(tx: &Tx, new: New) -> Result<entity::Model> {
    let mut problems: Vec<_> = check_name("input.name", &new.name).into_iter().collect();
    problems.extend(check_login("input.login", &new.login));
    problems.extend(check_email("input.email", &new.email));
    Error::unless_none(problems)?;
    tx.create::<entity::Entity>(entity::Model {
        id: tx.fresh_id(),
        organization_id: tx.organization_id(),
        login: new.login,
        name_key: new.name.to_lowercase(),
        name: new.name,
        email: new.email,
        email_proved_at: new.is_email_proved.then(|| tx.now()),
        language: new.language,
        password_hash: new.password_hash,
        has_short_password: false,
        is_owner: new.is_owner,
        status: entity::Status::Active,
        joined_at: tx.now(),
        left_at: None,
        version: 1,
    })
    .await
}

/// The member of a login ID, unless he has left: a login ID is free again once its member has.
///
/// # Errors
/// Only if the database fails.
pub async fn find_by_login(reader: &Reader, login: &str) -> Result<Option<entity::Model>> {
    let named = reader
        .select::<entity::Entity>()
        .filter(entity::Column::Login.eq(login));
    named
        .filter(entity::Column::Status.eq(entity::Status::Active))
        .one()
        .await
}

/// Creates an organization with its owner: one deed, at the operator's word.
///
/// # Errors
/// Whatever is wrong with either; a password of fewer than 15 characters (NIST 800-63B-4, for want of a second factor).
pub async fn create_organization(app: &App, new: organization::New, owner: New) -> Result<OrganizationId> {
    let id = OrganizationId(id::fresh(app.clock.now(), &app.random));
    let operator = Caller::operator(app.clone(), id);
    operator
        .act(Action::OrganizationCreate, &Plain, async |tx| {
            let organization = organization::create(tx, new).await?;
            create(tx, owner).await?;
            Ok(organization)
        })
        .await?;
    Ok(id)
}

/// The hash of an owner's password that the operator typed.
///
/// # Errors
/// As for [`accept_password`].
pub async fn first_password(app: &App, password: &str) -> Result<SecretText> {
    let accepted = accept_password(app, "input.password", password, &Whose::default()).await?;
    Ok(accepted.hash)
}

/// What is wrong with a login ID, if something is.
pub(super) fn check_login(path: &str, login: &str) -> Option<Problem> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    let begins = login
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let fits = (3..=40).contains(&login.len()) && begins && login.bytes().all(allowed);
    (!fits).then(|| Problem::at(path, Code::Invalid).with("rule", "a-z 0-9 . _ -, 3–40"))
}

/// What is wrong with an e-mail address, if something is: it must be one to every program that reads it.
pub fn check_email(path: &str, email: &str) -> Option<Problem> {
    (!mail::is_address(email)).then(|| Problem::at(path, Code::Invalid).with("rule", "name@domain"))
}
