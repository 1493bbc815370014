//! Oneself in the API: sessions, the second factor as it is, and changes.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::AccountUserError;
use crate::{
    kernel::{
        Action, Caller, Error, Plain, Result, Timestamp,
        payload::{payload, settle},
    },
    member::{
        Entity, Member,
        own_account::{self, ViewerUpdateInput},
        own_session, recovery_code, second_factor,
    },
    organization::graphql::Own,
};

payload! { ViewerUpdatePayload, "viewerUpdate", AccountUserError, {
    /// The member as he is now, also where he was not changed.
    member: Member,
} }

payload! { SessionRevokePayload, "sessionRevoke", AccountUserError, {
    /// How many sessions ended: 1, or 0 where it had ended before; null where there is none.
    ended_count: i32,
} }

/// The signed-in member's second factor.
#[derive(Debug, SimpleObject)]
pub struct ViewerSecondFactor {
    /// Whether one is in use: a sign-in asks for its code.
    is_active: bool,
    /// Since when it is in use; null where none is.
    activated_at: Option<Timestamp>,
    /// How many recovery codes are left, 0 to 10.
    recovery_codes_left: i32,
    /// Whether one is needed: the organization demands it, or the password has fewer than 15 characters. Whoever then has none can only enroll one, or choose a longer password where that is why.
    is_demanded: bool,
}

pub(in crate::member) async fn sessions(context: &Context<'_>) -> Result<Vec<own_session::Shown>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let signed_in = caller.actor().member().ok_or(Error::Unauthenticated)?;
    let view = caller.view(Action::ViewerRead).await?;
    own_session::shown(&view, caller.app(), signed_in.member_id, signed_in.session_id).await
}

pub(in crate::member) async fn second_factor(context: &Context<'_>, own: &Member) -> Result<ViewerSecondFactor> {
    let view = context.data_unchecked::<Arc<Caller>>().view(Action::ViewerRead).await?;
    let factor = second_factor::active(&view, own.id).await?;
    let left = match &factor {
        Some(_) => recovery_code::left(&view, own.id).await?,
        None => 0,
    };
    // The check of the session has fetched it already.
    let organization = view.loader.load_one(Own).await.map_err(Error::internal)?;
    let app = context.data_unchecked::<Arc<Caller>>().app();
    let is_demanded = match &organization {
        Some(organization) => second_factor::is_demanded(&view, app, organization, own).await?,
        None => own.has_short_password,
    };
    Ok(ViewerSecondFactor {
        is_active: factor.is_some(),
        activated_at: factor.and_then(|factor| factor.activated_at),
        recovery_codes_left: i32::try_from(left).unwrap_or(i32::MAX),
        is_demanded,
    })
}

/// Oneself, to change.
#[derive(Debug, Default)]
pub struct OwnMutation;

#[Object]
impl OwnMutation {
    /// Changes one's own name, e-mail address or language. Absent fields stay as they are. Needs `VIEWER_UPDATE`, and a recent `sessionConfirm` for the address.
    async fn viewer_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The changes.")] input: ViewerUpdateInput,
    ) -> Result<ViewerUpdatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| own_account::update(tx, &input).await;
        let (done, problems) = settle(caller.act(Action::ViewerUpdate, &input, deed).await)?;
        let member = match (done, caller.actor().member()) {
            (None, Some(signed_in)) => {
                let view = caller.view(Action::ViewerRead).await?;
                view.seek::<Entity>(&signed_in.member_id.to_string()).await?
            }
            (done, _) => done,
        };
        Ok(ViewerUpdatePayload {
            member,
            user_errors: AccountUserError::all(problems)?,
        })
    }

    /// Ends one of one's own sessions. Needs `SESSION_REVOKE`.
    async fn session_revoke(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The session's ID.")] id: ID,
    ) -> Result<SessionRevokePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| own_session::revoke(tx, &id).await;
        let (ending, problems) = settle(caller.act(Action::SessionRevoke, &Plain, deed).await)?;
        Ok(SessionRevokePayload {
            ended_count: ending.map(|ending| ending.0),
            user_errors: AccountUserError::all(problems)?,
        })
    }
}
