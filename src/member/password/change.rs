//! `passwordChange`: a signed-in member gives himself another password. It ends his other sessions, makes open links for
//! new passwords worthless, and is told him by a letter.

use async_graphql::InputObject;

use super::{
    LONGEST,
    policy::{self, Accepted, Whose},
};
use crate::{
    kernel::{Action, Caller, Code, Error, MemberId, Outcome, Plain, Problem, Result, SessionId, Tx},
    member::{Entity, Member, letter::Event, notice, own_session, password_reset, second_factor, sign_in},
    organization,
};

/// What to change a password with.
#[derive(InputObject)]
pub struct PasswordChangeInput {
    /// The password that holds now, at most 1,024 bytes.
    #[graphql(secret)]
    pub current_password: String,
    /// The password that is to hold: at least 15 characters, or 8 where a second factor is in use, and at most 1,024 bytes. Any characters are good; what everybody thinks of is refused.
    #[graphql(secret)]
    pub new_password: String,
}

/// What a change came to.
#[derive(Debug)]
pub(in crate::member) enum Changing {
    /// The new password holds.
    Done(Box<Member>),
    /// It does not; the attempt is in the log.
    Refused(Problem),
}

impl Outcome for Changing {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Err(Error::internal("a password is never changed twice"))
    }
}

/// `passwordChange`.
///
/// # Errors
/// `UNAUTHENTICATED`; what is wrong with the new password; `PASSWORD_UNCHANGED`; `SIGN_IN_BLOCKED` with the time of its
/// end; `THROTTLED` if too many wait.
pub(in crate::member) async fn change(caller: &Caller, input: &PasswordChangeInput) -> Result<Changing> {
    let view = caller.view(Action::PasswordChange).await?;
    let signed_in = caller.actor().member().ok_or(Error::Unauthenticated)?;
    let (id, session) = (signed_in.member_id, signed_in.session_id);
    let member = view.find::<Entity>("id", &id.to_string()).await?;
    let organization = organization::own(&view).await?;
    let has_second_factor = second_factor::active(&view, id).await?.is_some();
    drop(view);
    caller.release().await;
    let whose = Whose::member(&organization, &member, has_second_factor);
    find_problems(input, &whose)?;
    let (action, path) = (Action::PasswordChange, "input.currentPassword");
    let is_right = sign_in::is_own_password(caller, action, path, &member, &input.current_password).await?;
    let accepted = if is_right {
        Some(policy::accept(caller.app(), "input.newPassword", &input.new_password, &whose).await?)
    } else {
        None
    };
    let deed = async |tx: &Tx| {
        let current = tx.find::<Entity>("id", &id.to_string()).await?;
        match accepted {
            // Meanwhile another request may have changed it.
            Some(accepted) if current.password_hash == member.password_hash => {
                let changed = replace(tx, current, accepted, Some(session)).await?;
                Ok(Changing::Done(Box::new(changed)))
            }
            _ => {
                tx.failed(Code::CredentialsRefused);
                tx.about::<Entity>(&current);
                let problem = Problem::at("input.currentPassword", Code::CredentialsRefused);
                Ok(Changing::Refused(problem))
            }
        }
    };
    caller.act(action, &Plain, deed).await
}

/// What can be seen without looking at the password that holds.
fn find_problems(input: &PasswordChangeInput, whose: &Whose) -> Result<()> {
    let current = &input.current_password;
    let too_long = || Problem::at("input.currentPassword", Code::TooLong).with("max", LONGEST);
    let mut problems: Vec<Problem> = (current.len() > LONGEST).then(too_long).into_iter().collect();
    problems.extend(policy::find_problem("input.newPassword", &input.new_password, whose));
    if problems.is_empty() && policy::is_same(current, &input.new_password) {
        problems.push(Problem::at("input.newPassword", Code::PasswordUnchanged));
    }
    Error::unless_none(problems)
}

/// Puts a new password in the place of the old one, with all that follows from it: whoever was in by the old one is out,
/// but for the session `except`.
///
/// # Errors
/// Only if the database fails.
pub(in crate::member) async fn replace(
    tx: &Tx,
    member: Member,
    accepted: Accepted,
    except: Option<SessionId>,
) -> Result<Member> {
    let id: MemberId = member.id;
    let member = accepted.give(tx, member).await?;
    own_session::end_all_of(tx, id, except).await?;
    password_reset::close_all_of(tx, id).await?;
    notice::tell(tx, id, Event::PasswordChanged).await?;
    tx.about::<Entity>(&member);
    Ok(member)
}
