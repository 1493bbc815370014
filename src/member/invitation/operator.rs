//! What operators do with invitations: a new organization begins with one, its owner's. Where no mail server is to be
//! bothered, the operator is shown the link, once, and brings it to the owner by himself.

use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    check::Invitee,
    entity::{Column, Entity, Model, State},
    rules::{Way, again, write},
    token,
};
use crate::{
    kernel::{Action, App, Caller, Error, OrganizationId, Outcome, Plain, Result, Tx, id, secret::token_hash},
    member::letter,
    organization,
};

/// An owner's invitation and, where it is the operator who brings it to him, its link.
pub struct HandedOver {
    /// The invitation.
    pub invitation: Model,
    /// The link, which is kept nowhere.
    pub link: Option<String>,
}

impl Outcome for HandedOver {
    type Receipt = String;

    fn receipt(&self) -> String {
        self.invitation.receipt()
    }

    async fn again(tx: &Tx, receipt: String) -> Result<Self> {
        Ok(Self {
            invitation: Model::again(tx, receipt).await?,
            link: None,
        })
    }
}

/// Creates an organization and invites its owner, in one deed: by a letter, or `by_hand`.
///
/// # Errors
/// Whatever is wrong with either.
pub async fn create_organization(
    app: &App,
    new: organization::New,
    owner: &Invitee,
    by_hand: bool,
) -> Result<(OrganizationId, Option<String>)> {
    let id = OrganizationId(id::fresh(app.clock.now(), &app.random));
    let deed = async |tx: &Tx| {
        let place = |field: &str| format!("input.{field}");
        let mut problems = owner.problems(&place);
        match organization::create(tx, new).await {
            Ok(_) => {}
            Err(Error::Problems(others)) => problems.extend(others),
            Err(other) => return Err(other),
        }
        Error::unless_none(problems)?;
        let (way, link) = way(tx, by_hand);
        let invitation = write(tx, owner, true, way).await?;
        Ok(HandedOver { invitation, link })
    };
    let operator = Caller::operator(app.clone(), id);
    let done = operator.act(Action::OrganizationCreate, &Plain, deed).await?;
    Ok((id, done.link))
}

/// Sends an owner's invitation that nobody has accepted once more, to another address if one is given.
///
/// # Errors
/// `NOT_FOUND` where the owner has come already; and as for sending any invitation again.
pub async fn invite_owner_again(caller: &Caller, email: Option<&str>, by_hand: bool) -> Result<HandedOver> {
    let deed = async |tx: &Tx| {
        let open = Column::State.is_in([State::Pending, State::Expired]);
        let owners = tx.select::<Entity>().filter(Column::IsOwner.eq(true)).filter(open);
        let invitation = owners.one().await?.ok_or_else(|| Error::not_found("owner"))?;
        let corrected = email.map(|email| Invitee {
            email: email.to_owned(),
            ..Invitee::of(&invitation)
        });
        let (way, link) = way(tx, by_hand);
        let invitation = again(tx, invitation, corrected, way).await?;
        Ok(HandedOver { invitation, link })
    };
    let action = match email {
        Some(_) => Action::InvitationUpdate,
        None => Action::InvitationResend,
    };
    caller.act(action, &Plain, deed).await
}

fn way(tx: &Tx, by_hand: bool) -> (Way, Option<String>) {
    if !by_hand {
        return (Way::Letter, None);
    }
    let token = token::mint(tx.app(), tx.organization_id());
    let link = letter::invitation_link(&tx.app().settings, &token);
    (Way::Hand(token_hash(&token)), Some(link))
}
