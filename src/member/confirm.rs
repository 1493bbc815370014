//! `sessionConfirm`: a signed-in member shows again who he is, by his password and, where he uses one, his second factor.

use super::{entity::Entity, second_factor, session, sign_in};
use crate::kernel::{Action, Caller, Code, Error, Outcome, Plain, Result, Tx, security};

/// What a member shows.
pub(super) struct Shown {
    /// His password.
    pub(super) password: String,
    /// A code of his second factor.
    pub(super) code: Option<String>,
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
/// `UNAUTHENTICATED`, `SIGN_IN_BLOCKED` with the time of its end, `TOO_LONG`; `THROTTLED` if too many wait.
pub(super) async fn confirm(caller: &Caller, shown: &Shown) -> Result<Confirmation> {
    let id = caller.actor().member().ok_or(Error::Unauthenticated)?.member_id;
    let view = caller.view(Action::SessionConfirm).await?;
    let member = view.find::<Entity>("id", &id.to_string()).await?;
    let has_second_factor = second_factor::active(&view, id).await?.is_some();
    drop(view);
    caller.release().await;
    let is_right = sign_in::is_own_password(caller, "input.password", &member, &shown.password).await?;
    let brakes = sign_in::code_brakes(id);
    if is_right && has_second_factor && shown.code.is_some() {
        sign_in::check_code_brakes(caller, &brakes).await?;
    }
    let deed = async |tx: &Tx| {
        let refused = if is_right {
            second_factor::ask(tx, id, shown.code.as_deref()).await?
        } else {
            Some(Code::CredentialsRefused)
        };
        match refused {
            None => Ok(Confirmation::Done(session::confirm(tx).await?)),
            Some(code) => {
                tx.failed(code);
                Ok(Confirmation::Refused(code))
            }
        }
    };
    let confirmation = caller.act(Action::SessionConfirm, &Plain, deed).await?;
    if has_second_factor && matches!(confirmation, Confirmation::Done(_)) {
        security::forgive(caller.app(), &brakes).await?;
    }
    Ok(confirmation)
}
