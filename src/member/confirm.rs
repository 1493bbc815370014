//! `sessionConfirm`: a signed-in member shows again who he is, by his password and, where he uses one, his second factor; or,
//! where an identity provider began his session, by a fresh token of it.

use super::{entity::Entity, identity, second_factor, session, sign_in};
use crate::kernel::{
    Action, Caller, Code, Error, Outcome, Plain, Problem, Result, Tx,
    security::{self, Counted},
};

/// What a member shows: a password or a token, not both.
pub(super) struct Shown<'a> {
    /// His password.
    pub(super) password: Option<&'a str>,
    /// A code of his second factor, beside the password.
    pub(super) code: Option<&'a str>,
    /// A token of the provider that began his session.
    pub(super) token: Option<&'a str>,
}

/// What a confirmation came to.
pub(super) enum Confirmation {
    /// It holds.
    Done(session::Model),
    /// What was shown is not right; the attempt is in the log.
    Refused(Code),
}

impl Outcome for Confirmation {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Err(Error::internal("a confirmation is never given twice"))
    }
}

/// `sessionConfirm`.
///
/// # Errors
/// `UNAUTHENTICATED`, `INVALID`, `SIGN_IN_BLOCKED` with the time of its end, `TOO_LONG`; `THROTTLED` if too many wait.
pub(super) async fn confirm(caller: &Caller, shown: &Shown<'_>) -> Result<Confirmation> {
    if caller.actor().member().is_none() {
        // A partner system is somebody, and may not; that it tried is in the log.
        let refused = caller.view(Action::SessionConfirm).await;
        return Err(refused.err().unwrap_or(Error::Unauthenticated));
    }
    match (shown.password, shown.token) {
        (Some(password), None) => by_password(caller, password, shown.code).await,
        (None, Some(token)) => by_token(caller, token).await,
        _ => Err(Problem::at("input", Code::Invalid)
            .with("rule", "password / token")
            .into()),
    }
}

async fn by_password(caller: &Caller, password: &str, code: Option<&str>) -> Result<Confirmation> {
    let id = caller.actor().member().ok_or(Error::Unauthenticated)?.member_id;
    let view = caller.view(Action::SessionConfirm).await?;
    let member = view.find::<Entity>("id", &id.to_string()).await?;
    let has_second_factor = second_factor::active(&view, id).await?.is_some();
    let knows_address = sign_in::knows_address(&view, caller, id).await?;
    drop(view);
    caller.release().await;
    let action = Action::SessionConfirm;
    let is_right = sign_in::is_own_password(caller, action, "input.password", &member, password).await?;
    let code = code.filter(|code| !code.trim().is_empty());
    let counted = if is_right && has_second_factor && code.is_some() {
        let brakes = sign_in::code_brakes(caller, id, knows_address);
        sign_in::check_code_brakes(caller, action, Some(&member), &brakes).await?
    } else {
        Counted::default()
    };
    let deed = async |tx: &Tx| {
        let refused = if is_right {
            second_factor::ask(tx, id, code).await?
        } else {
            Some(Code::CredentialsRefused)
        };
        match refused {
            None => Ok(Confirmation::Done(session::confirm(tx, tx.now()).await?)),
            Some(code) => Ok(refuse(tx, code)),
        }
    };
    let confirmation = caller.act(action, &Plain, deed).await?;
    if let Confirmation::Done(_) = confirmation {
        security::give_back(caller, &counted).await?;
    }
    Ok(confirmation)
}

async fn by_token(caller: &Caller, token: &str) -> Result<Confirmation> {
    let confirmed_at = identity::authenticated_at(caller, token).await?;
    let deed = async |tx: &Tx| match confirmed_at {
        Some(at) => Ok(Confirmation::Done(session::confirm(tx, at).await?)),
        None => Ok(refuse(tx, Code::TokenRefused)),
    };
    caller.act(Action::SessionConfirm, &Plain, deed).await
}

fn refuse(tx: &Tx, code: Code) -> Confirmation {
    tx.failed(code);
    Confirmation::Refused(code)
}
