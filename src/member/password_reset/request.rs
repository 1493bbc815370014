//! `passwordResetRequest`: somebody forgot his password. Whether there is such an organization or member is not told: not by
//! the answer, and not by the work that it takes.
//!
//! An account gets a letter every ten minutes and three an hour at most. Further requests are taken like any other and send
//! nothing, so that nobody can fill a stranger's mailbox, or make the link that he just got worthless.

use async_graphql::InputObject;
use chrono::Duration;
use sea_orm::{
    ColumnTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait, Func},
};

use super::{Column, Entity, GOOD_FOR, Model, send};
use crate::{
    kernel::{
        Action, Caller, Code, Error, Outcome, Plain, Reader, Result, Timestamp, Tx,
        security::{self, Brake},
    },
    member::{self, Hasher, Member, Status, rules, sign_in},
    organization,
};

/// Twenty in ten minutes from one address, whatever the account.
const ADDRESS: Brake = Brake {
    name: "password reset from address",
    attempts: 20,
    window: Duration::minutes(10),
};

/// Five in ten minutes for one account from one address.
const ACCOUNT_FROM_ADDRESS: Brake = Brake {
    name: "password reset of account from address",
    attempts: 5,
    window: Duration::minutes(10),
};

/// How many letters an account gets in an hour.
const MOST_AN_HOUR: usize = 3;

/// How long an account waits for the next letter.
const PAUSE: Duration = Duration::minutes(10);

/// Whose password to reset.
#[derive(Debug, InputObject)]
pub struct PasswordResetRequestInput {
    /// The organization's domain, such as `demo`.
    pub organization: String,
    /// The login ID or the e-mail address.
    pub login: String,
}

/// A request was taken.
pub(in crate::member) struct Taken;

impl Outcome for Taken {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Err(Error::internal("a password is never asked for twice"))
    }
}

/// `passwordResetRequest`.
///
/// # Errors
/// `SIGN_IN_BLOCKED` with the time of its end; `THROTTLED` if too many wait.
pub(in crate::member) async fn request(caller: &Caller, input: &PasswordResetRequestInput) -> Result<Taken> {
    let domain = sign_in::searchable(&input.organization);
    let login = sign_in::searchable(&input.login);
    let address = caller.origin().network_text();
    let brakes = [
        (ADDRESS, address.clone()),
        (ACCOUNT_FROM_ADDRESS, format!("{domain}/{login} {address}")),
    ];
    // The request holds one connection at a time.
    caller.release().await;
    if let Some(stop) = security::attempt(caller, &brakes).await? {
        if stop.is_first {
            security::log(caller, "PASSWORD_RESET_REQUEST_BLOCKED").await?;
        }
        return Err(sign_in::blocked("input.login", stop));
    }
    // A hash is the most of the work, whoever is asked for; what else differs is lost beside it.
    Hasher::pretend(caller.app()).await?;
    let Some(organization) = organization::find_by_domain(caller.app(), &domain).await? else {
        security::log(caller, "PASSWORD_RESET_UNKNOWN_ORGANIZATION").await?;
        return Ok(Taken);
    };
    let door = caller.at(organization).await;
    let deed = async |tx: &Tx| match find(tx, &login).await? {
        Some(member) => ask_for_letter(tx, &member).await,
        None => {
            tx.failed(Code::NotFound);
            Ok(Taken)
        }
    };
    door.act(Action::PasswordResetRequest, &Plain, deed).await
}

/// The member of a login ID or an e-mail address, unless he has left. No login ID has an `@` in it.
async fn find(reader: &Reader, login: &str) -> Result<Option<Member>> {
    if !login.contains('@') {
        return rules::find_by_login(reader, login).await;
    }
    let same = Expr::expr(Func::lower(Expr::col((member::Entity, member::Column::Email)))).eq(login);
    let active = reader
        .select::<member::Entity>()
        .filter(member::Column::Status.eq(Status::Active));
    active.filter(same).one().await
}

async fn ask_for_letter(tx: &Tx, member: &Member) -> Result<Taken> {
    tx.about::<member::Entity>(member);
    let now = tx.now();
    let recent = tx
        .select::<Entity>()
        .filter(Column::MemberId.eq(member.id))
        .filter(Column::RequestedAt.gt(Timestamp(now.0 - Duration::hours(1))))
        .order_by_desc(Column::RequestedAt)
        .all()
        .await?;
    let is_too_soon = recent.first().is_some_and(|last| now.0 - last.requested_at.0 < PAUSE);
    if is_too_soon || recent.len() >= MOST_AN_HOUR {
        tx.failed(Code::MailLimitReached);
        return Ok(Taken);
    }
    let reset = tx
        .create::<Entity>(Model {
            id: tx.fresh_id(),
            organization_id: tx.organization_id(),
            member_id: member.id,
            requested_at: now,
            expires_at: Timestamp(now.0 + GOOD_FOR),
            token_hash: None,
            used_at: None,
            used_from: String::new(),
        })
        .await?;
    tx.enqueue(send::job(&reset, now)).await?;
    Ok(Taken)
}
