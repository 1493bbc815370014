//! The second factor in the API.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object};

use super::AccountUserError;
use crate::{
    kernel::{
        Action, Caller, Plain, Problem, Result,
        payload::{payload, settle},
    },
    member::{
        Entity, Member,
        second_factor::rules::{self, Coded, SecondFactorResetInput},
    },
};

payload! { SecondFactorEnrollPayload, "secondFactorEnroll", AccountUserError, {
    /// The secret in base 32, to be typed into an authenticator: shown this once. Null where there are user errors.
    secret: String,
    /// The same as an `otpauth:` address, which authenticators read as a QR code: shown this once. Null where there are user errors.
    uri: String,
} }

payload! { SecondFactorActivatePayload, "secondFactorActivate", AccountUserError, {}, {
    /// Ten recovery codes, each good once in the place of a code: shown this once. Empty where there are user errors.
    recovery_codes: String,
} }

payload! { SecondFactorRemovePayload, "secondFactorRemove", AccountUserError, {
    /// Whether it was removed; null where there are user errors.
    is_removed: bool,
} }

payload! { RecoveryCodesRenewPayload, "recoveryCodesRenew", AccountUserError, {}, {
    /// Ten recovery codes in the place of all earlier ones: shown this once. Empty where there are user errors.
    recovery_codes: String,
} }

payload! { SecondFactorResetPayload, "secondFactorReset", AccountUserError, {
    /// The member; null where there is none.
    member: Member,
} }

/// What to prove a second factor with.
#[derive(InputObject)]
pub struct SecondFactorActivateInput {
    /// The code of 6 digits that the authenticator shows.
    #[graphql(secret)]
    pub code: String,
}

/// What to give a second factor up with.
#[derive(InputObject)]
pub struct SecondFactorRemoveInput {
    /// A code of the authenticator or a recovery code.
    #[graphql(secret)]
    pub code: String,
}

/// What to get new recovery codes with.
#[derive(InputObject)]
pub struct RecoveryCodesRenewInput {
    /// A code of the authenticator or a recovery code.
    #[graphql(secret)]
    pub code: String,
}

/// Second factors, to change.
#[derive(Debug, Default)]
pub struct SecondFactorMutation;

#[Object]
impl SecondFactorMutation {
    /// Makes a secret for an authenticator and shows it, this once. It is not asked for before `secondFactorActivate` has proved it. Needs `SECOND_FACTOR_ENROLL` and a recent `sessionConfirm`.
    async fn second_factor_enroll(&self, context: &Context<'_>) -> Result<SecondFactorEnrollPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::enroll(tx).await;
        let (done, problems) = settle(caller.act(Action::SecondFactorEnroll, &Plain, deed).await)?;
        let (secret, uri) = done.map(|enrollment| (enrollment.secret, enrollment.uri)).unzip();
        Ok(SecondFactorEnrollPayload {
            secret,
            uri,
            user_errors: AccountUserError::all(problems)?,
        })
    }

    /// Proves the authenticator by its first code: from now on every sign-in with a password asks for one. It ends one's other sessions. Needs `SECOND_FACTOR_ACTIVATE` and a recent `sessionConfirm`.
    async fn second_factor_activate(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The code.")] input: SecondFactorActivateInput,
    ) -> Result<SecondFactorActivatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let (recovery_codes, user_errors) = told(rules::activate(caller, &input.code).await)?;
        Ok(SecondFactorActivatePayload {
            recovery_codes: recovery_codes.unwrap_or_default(),
            user_errors,
        })
    }

    /// Gives up one's second factor. It ends one's other sessions. Needs `SECOND_FACTOR_REMOVE` and a recent `sessionConfirm`.
    async fn second_factor_remove(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A code.")] input: SecondFactorRemoveInput,
    ) -> Result<SecondFactorRemovePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let (done, user_errors) = told(rules::remove(caller, &input.code).await)?;
        Ok(SecondFactorRemovePayload {
            is_removed: done.map(|_| true),
            user_errors,
        })
    }

    /// Gets ten new recovery codes; the earlier ones are good no more. Needs `RECOVERY_CODES_RENEW` and a recent `sessionConfirm`.
    async fn recovery_codes_renew(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A code.")] input: RecoveryCodesRenewInput,
    ) -> Result<RecoveryCodesRenewPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let (recovery_codes, user_errors) = told(rules::renew(caller, &input.code).await)?;
        Ok(RecoveryCodesRenewPayload {
            recovery_codes: recovery_codes.unwrap_or_default(),
            user_errors,
        })
    }

    /// Takes the second factor from a member who has lost it: not from oneself, and not from the owner. It ends the member's sessions, and a letter tells of it. Needs `SECOND_FACTOR_RESET` and a recent `sessionConfirm`.
    async fn second_factor_reset(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The member's ID.")] id: ID,
        #[graphql(desc = "How.")] input: SecondFactorResetInput,
    ) -> Result<SecondFactorResetPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let (done, problems) = settle(rules::reset(caller, &id, &input).await)?;
        let member = match done {
            Some(member) => Some(member),
            None => caller.view(Action::OrganizationRead).await?.seek::<Entity>(&id).await?,
        };
        Ok(SecondFactorResetPayload {
            member,
            user_errors: AccountUserError::all(problems)?,
        })
    }
}

/// What giving a code came to: new recovery codes, perhaps none; or why it was refused.
fn told(coded: Result<Coded>) -> Result<(Option<Vec<String>>, Vec<AccountUserError>)> {
    let (done, problems) = match settle(coded)? {
        (Some(Coded::Done(codes)), problems) => (Some(codes), problems),
        (Some(Coded::Refused(code)), _) => (None, vec![Problem::at("input.code", code)]),
        (None, problems) => (None, problems),
    };
    Ok((done, AccountUserError::all(problems)?))
}
