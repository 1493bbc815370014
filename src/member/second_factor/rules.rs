//! The verbs of the second factor: enrolling it, proving it for the first time, giving it up, new recovery codes; and taking
//! it from somebody who has lost it.

use async_graphql::InputObject;
use serde::Serialize;

use super::{Entity, Model, accepts_step, active, ask, is_demanded, of, plain, recovery_code, seal, totp};
use crate::{
    kernel::{
        Action, Caller, Code, Error, MemberId, On, Outcome, Plain, Problem, Result, Tx,
        payload::asks,
        security::{self, Counted},
    },
    member::{self, Member, Status, letter::Event, notice, own_session, sign_in},
    organization,
};

/// A secret that was made for an authenticator. It is told this once.
pub(in crate::member) struct Enrollment {
    /// In base 32, to be typed.
    pub(in crate::member) secret: String,
    /// As authenticators read it.
    pub(in crate::member) uri: String,
}

/// What giving a code came to.
pub(in crate::member) enum Coded {
    /// It was right; these are new recovery codes, where there are new ones.
    Done(Vec<String>),
    /// It was not; the attempt is in the log.
    Refused(Code),
}

macro_rules! told_once {
    ($($name:ident),*) => {$(
        impl Outcome for $name {
            type Receipt = ();

            fn receipt(&self) {}

            async fn again(_: &Tx, (): ()) -> Result<Self> {
                Err(Error::internal("codes are never told twice"))
            }
        }
    )*};
}
told_once!(Enrollment, Coded);

/// Whose second factor to take away.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct SecondFactorResetInput {
    /// Makes a retry safe: the same key with the same input within 24 hours answers as the first time. 1 to 64 visible ASCII characters; a UUID is good.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The member's `version` last read.
    pub expected_version: i32,
}

asks!(SecondFactorResetInput);

/// `secondFactorEnroll`. A secret that was never proved is replaced.
///
/// # Errors
/// `SECOND_FACTOR_ACTIVE`.
pub(in crate::member) async fn enroll(tx: &Tx) -> Result<Enrollment> {
    let member = own(tx).await?;
    if let Some(earlier) = of(tx, member.id).await? {
        if earlier.activated_at.is_some() {
            return Err(Problem::of(Code::SecondFactorActive).into());
        }
        tx.delete::<Entity>(earlier).await?;
    }
    let bytes = zeroize::Zeroizing::new(tx.app().random.bytes::<{ totp::SECRET }>());
    tx.create::<Entity>(Model {
        organization_id: tx.organization_id(),
        member_id: member.id,
        secret: seal(tx, member.id, &*bytes).await?,
        enrolled_at: tx.now(),
        activated_at: None,
        last_step: 0,
    })
    .await?;
    tx.about::<member::Entity>(&member);
    let organization = organization::own(tx).await?;
    let secret = totp::base32(&*bytes);
    let account = format!("{}@{}", member.login, organization.domain);
    let uri = totp::uri(&secret, &account);
    Ok(Enrollment { secret, uri })
}

/// `secondFactorActivate`. It ends the member's other sessions: whoever is in by his password alone is out.
///
/// # Errors
/// `SECOND_FACTOR_ABSENT`, `SECOND_FACTOR_ACTIVE`; `SIGN_IN_BLOCKED` with the time of its end.
pub(in crate::member) async fn activate(caller: &Caller, code: &str) -> Result<Coded> {
    let deed = async |tx: &Tx, member: &Member| {
        let factor = of(tx, member.id).await?.ok_or(Problem::of(Code::SecondFactorAbsent))?;
        if factor.activated_at.is_some() {
            return Err(Problem::of(Code::SecondFactorActive).into());
        }
        let code = plain(code).unwrap_or_default();
        let activated = accepts_step(tx, factor, &code, |row, now| row.activated_at = Some(now)).await?;
        if !activated {
            return Ok(refuse(tx, Code::SecondFactorRefused));
        }
        let codes = recovery_code::renew(tx, member.id).await?;
        end_others(tx, member).await?;
        notice::tell(tx, member.id, Event::SecondFactorAdded).await?;
        Ok(Coded::Done(codes))
    };
    with_code(caller, Action::SecondFactorActivate, deed).await
}

/// `secondFactorRemove`. It ends the member's other sessions.
///
/// # Errors
/// `SECOND_FACTOR_ABSENT`, `SECOND_FACTOR_DEMANDED`; `SIGN_IN_BLOCKED` with the time of its end.
pub(in crate::member) async fn remove(caller: &Caller, code: &str) -> Result<Coded> {
    let deed = async |tx: &Tx, member: &Member| {
        let factor = active(tx, member.id)
            .await?
            .ok_or(Problem::of(Code::SecondFactorAbsent))?;
        let organization = organization::own(tx).await?;
        if is_demanded(tx, tx.app(), &organization, member).await? {
            return Err(Problem::of(Code::SecondFactorDemanded).into());
        }
        if let Some(code) = ask(tx, member.id, Some(code)).await? {
            return Ok(refuse(tx, code));
        }
        take_away(tx, factor).await?;
        end_others(tx, member).await?;
        Ok(Coded::Done(Vec::new()))
    };
    with_code(caller, Action::SecondFactorRemove, deed).await
}

/// `recoveryCodesRenew`.
///
/// # Errors
/// `SECOND_FACTOR_ABSENT`; `SIGN_IN_BLOCKED` with the time of its end.
pub(in crate::member) async fn renew(caller: &Caller, code: &str) -> Result<Coded> {
    let deed = async |tx: &Tx, member: &Member| {
        if active(tx, member.id).await?.is_none() {
            return Err(Problem::of(Code::SecondFactorAbsent).into());
        }
        match ask(tx, member.id, Some(code)).await? {
            Some(code) => Ok(refuse(tx, code)),
            None => Ok(Coded::Done(recovery_code::renew(tx, member.id).await?)),
        }
    };
    with_code(caller, Action::RecoveryCodesRenew, deed).await
}

/// `secondFactorReset`: for a member of no higher rank who has lost his. It ends his sessions.
///
/// # Errors
/// `NOT_FOUND`, `STALE_VERSION`, `MEMBER_LEFT`, `NOT_ONESELF`, `ABOVE_OWN_RANK`, `SECOND_FACTOR_ABSENT`.
pub(in crate::member) async fn reset(caller: &Caller, id: &str, input: &SecondFactorResetInput) -> Result<Member> {
    let deed = async |tx: &Tx| {
        let member = tx.find_current::<member::Entity>(id, input.expected_version).await?;
        let is_oneself = tx.actor().member().is_some_and(|actor| actor.member_id == member.id);
        let refused = match &member {
            member if member.status == Status::Left => Some(Code::MemberLeft),
            _ if is_oneself => Some(Code::NotOneself),
            // There is one owner, and he is not the caller.
            member if member.is_owner => Some(Code::AboveOwnRank),
            _ => None,
        };
        if let Some(code) = refused {
            return Err(Problem::at("id", code).into());
        }
        let factor = active(tx, member.id).await?;
        let factor = factor.ok_or(Problem::at("id", Code::SecondFactorAbsent))?;
        take_away(tx, factor).await?;
        own_session::end_all_of(tx, member.id, None).await?;
        tx.about::<member::Entity>(&member);
        Ok(member)
    };
    caller.act(Action::SecondFactorReset, &On(id, input), deed).await
}

/// Removes a second factor with its recovery codes, and has its member told.
async fn take_away(tx: &Tx, factor: Model) -> Result<()> {
    let member = factor.member_id;
    tx.delete::<Entity>(factor).await?;
    recovery_code::forget(tx, member).await?;
    notice::tell(tx, member, Event::SecondFactorRemoved).await
}

/// Ends the acting member's sessions but for the one he acts in.
async fn end_others(tx: &Tx, member: &Member) -> Result<()> {
    let current = tx.actor().member().map(|actor| actor.session_id);
    own_session::end_all_of(tx, member.id, current).await
}

/// Does what a code decides about, with a brake on guessing it.
async fn with_code(
    caller: &Caller,
    action: Action,
    deed: impl AsyncFnOnce(&Tx, &Member) -> Result<Coded> + Send,
) -> Result<Coded> {
    let Some(signed_in) = caller.actor().member() else {
        let refused = caller.view(action).await;
        return Err(refused.err().unwrap_or(Error::Unauthenticated));
    };
    // Whoever may not do it at all is told so first, and is not counted.
    let counted = if caller.may(action) {
        count(caller, action, signed_in.member_id).await?
    } else {
        Counted::default()
    };
    let coded = caller
        .act(action, &Plain, async |tx| {
            let member = own(tx).await?;
            tx.about::<member::Entity>(&member);
            deed(tx, &member).await
        })
        .await?;
    if let Coded::Done(_) = coded {
        security::give_back(caller, &counted).await?;
    }
    Ok(coded)
}

async fn count(caller: &Caller, action: Action, member: MemberId) -> Result<Counted> {
    let view = caller.view(action).await?;
    let knows_address = sign_in::knows_address(&view, caller, member).await;
    drop(view);
    caller.release().await;
    let brakes = sign_in::code_brakes(caller, member, knows_address?);
    sign_in::check_code_brakes(caller, action, None, &brakes).await
}

fn refuse(tx: &Tx, code: Code) -> Coded {
    tx.failed(code);
    Coded::Refused(code)
}

/// The member who acts.
async fn own(tx: &Tx) -> Result<Member> {
    let id: MemberId = tx.actor().member().ok_or(Error::Unauthenticated)?.member_id;
    tx.find::<member::Entity>("id", &id.to_string()).await
}
