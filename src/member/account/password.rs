//! Passwords in the API: changing one's own, and a new one by mail for whoever forgot his.

use std::sync::Arc;

use async_graphql::{Context, Object};

use super::AccountUserError;
use crate::{
    kernel::{
        Caller, Result,
        payload::{payload, settle},
    },
    member::{
        Member,
        password::change::{self, Changing, PasswordChangeInput},
        password_reset::{
            redeem::{self, PasswordResetInput, PasswordResetPreview, Resetting},
            request::{self, PasswordResetRequestInput},
        },
    },
};

payload! { PasswordChangePayload, "passwordChange", AccountUserError, {
    /// The member; null where there are user errors.
    member: Member,
} }

payload! { PasswordResetRequestPayload, "passwordResetRequest", AccountUserError, {
    /// Whether the request was taken: true whether or not there is such a member; null where there are user errors.
    is_taken: bool,
} }

payload! { PasswordResetPayload, "passwordReset", AccountUserError, {
    /// The organization's domain, to sign in with; null where there are user errors.
    organization_domain: String,
    /// The login ID, to sign in with; null where there are user errors.
    login: String,
} }

/// Links for new passwords, to look at.
#[derive(Debug, Default)]
pub struct PasswordQuery;

#[Object]
impl PasswordQuery {
    /// Whose password a link of `passwordResetRequest` is for; null where the link is not good. Looking uses nothing up. Needs nobody: `PASSWORD_RESET`.
    async fn password_reset_preview(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What stands behind the `#` of the link.")] token: String,
    ) -> Result<Option<PasswordResetPreview>> {
        Box::pin(redeem::preview(context.data_unchecked::<Arc<Caller>>(), &token)).await
    }
}

/// Passwords, to change.
#[derive(Debug, Default)]
pub struct PasswordMutation;

#[Object]
impl PasswordMutation {
    /// Changes one's own password. It ends one's other sessions, and a letter tells of it. Needs `PASSWORD_CHANGE`.
    async fn password_change(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The password that holds and the one that is to.")] input: PasswordChangeInput,
    ) -> Result<PasswordChangePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let (member, problems) = match settle(change::change(caller, &input).await)? {
            (Some(Changing::Done(member)), problems) => (Some(*member), problems),
            (Some(Changing::Refused(problem)), _) => (None, vec![problem]),
            (None, problems) => (None, problems),
        };
        Ok(PasswordChangePayload {
            member,
            user_errors: AccountUserError::all(problems)?,
        })
    }

    /// Has a letter sent with a link that sets a new password, good once and for 30 minutes; a newer one replaces it. An account gets one every ten minutes and three an hour at most. The answer does not tell whether there is such a member. Needs nobody: `PASSWORD_RESET_REQUEST`.
    async fn password_reset_request(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose.")] input: PasswordResetRequestInput,
    ) -> Result<PasswordResetRequestPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let (taken, problems) = settle(request::request(caller, &input).await)?;
        Ok(PasswordResetRequestPayload {
            is_taken: taken.map(|request::Taken| true),
            user_errors: AccountUserError::all(problems)?,
        })
    }

    /// Sets a new password by a link of `passwordResetRequest`. It ends all of the member's sessions, and a letter tells of it. Needs nobody: `PASSWORD_RESET`.
    async fn password_reset(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The link's token and the new password.")] input: PasswordResetInput,
    ) -> Result<PasswordResetPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let (done, problems) = match settle(redeem::reset(caller, &input).await)? {
            (Some(Resetting::Done { domain, login }), problems) => (Some((domain, login)), problems),
            (Some(Resetting::Refused(problem)), _) => (None, vec![problem]),
            (None, problems) => (None, problems),
        };
        let (organization_domain, login) = done.unzip();
        Ok(PasswordResetPayload {
            organization_domain,
            login,
            user_errors: AccountUserError::all(problems)?,
        })
    }
}
