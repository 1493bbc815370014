//! How an organization begins: with an invitation of its owner.

use super::{door, told};
use crate::{
    kernel::{App, Language, OrganizationId},
    member::invitation::{self, Invitee},
    organization,
};

/// The owner-to-be of a new organization.
#[derive(Debug, Clone)]
pub struct Owner {
    /// The login ID.
    pub login: String,
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

/// Creates an organization and invites its owner; there is no member until he accepts. Where the operator brings him
/// the link by himself, no letter is sent, and the link is in the answer and nowhere else.
///
/// # Errors
/// Whatever is wrong with either.
pub async fn found_organization(
    app: &App,
    name: &str,
    domain: &str,
    time_zone: &str,
    owner: Owner,
    by_hand: bool,
) -> anyhow::Result<(OrganizationId, Option<String>)> {
    let new = organization::New {
        name: name.to_owned(),
        domain: domain.to_owned(),
        time_zone: time_zone.to_owned(),
    };
    let owner = Invitee {
        login: owner.login,
        name: owner.name,
        email: owner.email,
        language: Language::default(),
    };
    invitation::create_organization(app, new, &owner, by_hand)
        .await
        .map_err(told)
}

/// Invites an owner again who has not come yet, at another address if one is given. Answers the link where the operator
/// brings it to him by himself.
///
/// # Errors
/// If there is no such organization or invitation, or it was sent a short while ago.
pub async fn invite_owner_again(
    app: &App,
    domain: &str,
    email: Option<&str>,
    by_hand: bool,
) -> anyhow::Result<Option<String>> {
    let caller = door(app, domain).await?;
    let done = invitation::invite_owner_again(&caller, email, by_hand).await;
    Ok(done.map_err(told)?.link)
}
