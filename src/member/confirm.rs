//! `sessionConfirm`: a signed-in member shows again who he is, by his password or, where an identity provider began his
//! session, by a fresh token of it.

use super::{entity, identity, session, sign_in};
use crate::kernel::{Action, Caller, Code, Error, Outcome, Plain, Problem, Result, Tx};

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

/// `sessionConfirm`, with exactly one of the two.
///
/// # Errors
/// `UNAUTHENTICATED`, `INVALID`, `SIGN_IN_BLOCKED` with the time of its end, `TOO_LONG`; `THROTTLED` if too many wait.
pub(super) async fn confirm(caller: &Caller, password: Option<&str>, token: Option<&str>) -> Result<Confirmation> {
    let signed_in = caller.actor().member().ok_or(Error::Unauthenticated)?;
    let (confirmed_at, refusal) = match (password, token) {
        (Some(password), None) => {
            let view = caller.view(Action::SessionConfirm).await?;
            let id = signed_in.member_id.to_string();
            let member = view.find::<entity::Entity>("id", &id).await?;
            drop(view);
            caller.release().await;
            let is_right = sign_in::is_own_password(caller, &member, password).await?;
            (is_right.then(|| caller.now()), Code::CredentialsRefused)
        }
        (None, Some(token)) => (identity::authenticated_at(caller, token).await?, Code::TokenRefused),
        _ => {
            return Err(Problem::at("input", Code::Invalid)
                .with("rule", "password / token")
                .into());
        }
    };
    let deed = async |tx: &Tx| match confirmed_at {
        Some(at) => Ok(Confirmation::Done(session::confirm(tx, at).await?)),
        None => {
            tx.failed(refusal);
            Ok(Confirmation::Refused(refusal))
        }
    };
    caller.act(Action::SessionConfirm, &Plain, deed).await
}
