//! What owner and administrators do with members: give and take the administrator's role, correct names and addresses,
//! end memberships, hand the ownership on. Every verb asks first who stands above whom.

use chrono::Duration;
use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    input::{
        AdminAddInput, AdminRemoveInput, MemberLeaveInput, MemberRemoveInput, MemberUpdateInput, OwnershipTransferInput,
    },
    rank::{Rank, Standing, obstacle},
};
use crate::{
    kernel::{Action, Code, Error, Problem, Result, Timestamp, Tx, permission},
    member::{
        self, Member, Status, check_email, invitation::is_invited, letter::Event, notice, password_reset,
        search::find_by_email,
    },
    organization::check_name,
};

/// `adminAdd`.
///
/// # Errors
/// `NOT_FOUND`, `NOT_ONESELF`, `MEMBER_LEFT`, `ALREADY_ADMINISTRATOR` at `input.memberId`; `LIMIT_REACHED`.
pub(super) async fn add(tx: &Tx, input: &AdminAddInput) -> Result<super::Model> {
    let member = tx.find::<member::Entity>("input.memberId", &input.member_id).await?;
    allowed(tx, &member, "input.memberId").await?;
    let admin = super::add(tx, member.id).await?;
    tx.about::<member::Entity>(&member);
    Ok(admin)
}

/// `adminRemove`.
///
/// # Errors
/// `NOT_FOUND`, `NOT_ONESELF`, `MEMBER_LEFT`, `NOT_ADMINISTRATOR`, `LAST_ADMINISTRATOR` at `id`; `STALE_VERSION`.
pub(super) async fn remove(tx: &Tx, id: &str, input: &AdminRemoveInput) -> Result<Member> {
    let member = tx.find_current::<member::Entity>(id, input.expected_version).await?;
    allowed(tx, &member, "id").await?;
    let role = super::of_member(tx, member.id).await?;
    super::take_away(tx, role.ok_or_else(|| Problem::at("id", Code::NotAdministrator))?).await?;
    tx.about::<member::Entity>(&member);
    Ok(member)
}

/// For so long after somebody was an administrator only the owner gives him another e-mail address: an administrator who
/// could take the role and move the mailbox would have his equal's account, and could give him the role back.
const STEPPED_DOWN_FOR: Duration = Duration::days(7);

/// `memberUpdate`.
///
/// # Errors
/// `NOT_FOUND`, `NOT_ONESELF`, `MEMBER_LEFT`, `ABOVE_OWN_RANK` at `id`; `STALE_VERSION`; what is wrong with the values;
/// `ABOVE_OWN_RANK` at `input.email` of who was an administrator within the last seven days.
pub(super) async fn update(tx: &Tx, id: &str, input: &MemberUpdateInput) -> Result<Member> {
    let member = tx.find_current::<member::Entity>(id, input.expected_version).await?;
    let actor = allowed(tx, &member, "id").await?;
    let name = input.name.as_deref().map(str::trim);
    let email = input.email.as_deref().map(str::trim);
    let mut problems: Vec<_> = name
        .and_then(|name| check_name("input.name", name))
        .into_iter()
        .collect();
    if let Some(email) = email.filter(|email| *email != member.email) {
        problems.extend(find_email_problem(tx, &member, email).await?);
        if actor.rank < Rank::Owner && has_stepped_down(tx, &member).await? {
            problems.push(Problem::at("input.email", Code::AboveOwnRank));
        }
    }
    Error::unless_none(problems)?;
    let moves = email.is_some_and(|email| !member.has_mailbox(email));
    let updated = tx
        .update::<member::Entity>(member, |row| {
            if let Some(name) = name {
                row.name = name.to_owned();
                row.name_key = name.to_lowercase();
            }
            if let Some(email) = email {
                row.set_email(email);
            }
        })
        .await?;
    tx.about::<member::Entity>(&updated);
    if moves {
        // A link that lies in the old mailbox must not set the password of whoever has left that mailbox.
        password_reset::close_all_of(tx, updated.id).await?;
        notice::tell(tx, updated.id, Event::EmailChanged).await?;
    }
    Ok(updated)
}

/// Whether somebody took the administrator's role from this member lately.
async fn has_stepped_down(tx: &Tx, member: &Member) -> Result<bool> {
    let since = Timestamp(tx.now().0 - STEPPED_DOWN_FOR);
    let taken = tx
        .select::<permission::Entity>()
        .filter(permission::Column::TargetId.eq(member.id.to_string()))
        .filter(permission::Column::OccurredAt.gte(since))
        .filter(permission::Column::Kind.eq(permission::Kind::OrgAdminRemoved));
    Ok(taken.one().await?.is_some())
}

/// `memberRemove`.
///
/// # Errors
/// `NOT_FOUND`, `NOT_ONESELF`, `MEMBER_LEFT`, `OWNER_STAYS`, `ABOVE_OWN_RANK`, `LAST_ADMINISTRATOR` at `id`;
/// `STALE_VERSION`.
pub(super) async fn expel(tx: &Tx, id: &str, input: &MemberRemoveInput) -> Result<Member> {
    let member = tx.find_current::<member::Entity>(id, input.expected_version).await?;
    allowed(tx, &member, "id").await?;
    end_membership(tx, member).await
}

/// `memberLeave`.
///
/// # Errors
/// `OWNER_STAYS`, `LAST_ADMINISTRATOR`; `STALE_VERSION`.
pub(super) async fn leave(tx: &Tx, input: &MemberLeaveInput) -> Result<Member> {
    let actor = Standing::of_actor(tx, Rank::Member).await?;
    let member = tx
        .find_current::<member::Entity>(&actor.member.to_string(), input.expected_version)
        .await?;
    if actor.rank == Rank::Owner {
        return Err(Problem::of(Code::OwnerStays).into());
    }
    end_membership(tx, member).await
}

/// `ownershipTransfer`. The old owner steps down first: at no time are there two.
///
/// # Errors
/// `NOT_FOUND`, `NOT_ONESELF`, `MEMBER_LEFT` at `id`; `STALE_VERSION`; `LIMIT_REACHED`.
pub(super) async fn transfer(tx: &Tx, id: &str, input: &OwnershipTransferInput) -> Result<Member> {
    let heir = tx.find_current::<member::Entity>(id, input.expected_version).await?;
    let actor = allowed(tx, &heir, "id").await?;
    let owner = tx.find::<member::Entity>("id", &actor.member.to_string()).await?;
    tx.update::<member::Entity>(owner, |row| row.is_owner = false).await?;
    if let Some(role) = super::of_member(tx, heir.id).await? {
        tx.delete::<super::Entity>(role).await?;
    }
    super::add(tx, actor.member).await?;
    let heir = tx.update::<member::Entity>(heir, |row| row.is_owner = true).await?;
    tx.about::<member::Entity>(&heir);
    for member in [actor.member, heir.id] {
        notice::tell(tx, member, Event::OwnershipTransferred).await?;
    }
    Ok(heir)
}

/// The actor's standing, if it lets him do this to a member.
async fn allowed(tx: &Tx, member: &Member, path: &str) -> Result<Standing> {
    let least = if tx.action() == Action::OwnershipTransfer {
        Rank::Owner
    } else {
        Rank::Administrator
    };
    let actor = Standing::of_actor(tx, least).await?;
    let target = Standing::read(tx, member).await?;
    match obstacle(tx.action(), &actor, &target) {
        Some(code) => Err(Problem::at(path, code).into()),
        None => Ok(actor),
    }
}

/// Ends a membership with all that hangs on it: each area takes away its own, then the member is gone. His name stays
/// in the histories of what he did, and so do the invitations that he sent: they are the organization's, and whoever
/// got one may still accept it.
async fn end_membership(tx: &Tx, member: Member) -> Result<Member> {
    for depart in tx.app().departures {
        depart(tx, member.id).await?;
    }
    let now = tx.now();
    let left = tx
        .update::<member::Entity>(member, |row| {
            row.status = Status::Left;
            row.left_at = Some(now);
        })
        .await?;
    tx.about::<member::Entity>(&left);
    Ok(left)
}

async fn find_email_problem(tx: &Tx, member: &Member, email: &str) -> Result<Option<Problem>> {
    let problem = check_email("input.email", email);
    if problem.is_some() {
        return Ok(problem);
    }
    let other = find_by_email(tx, email).await?.filter(|other| other.id != member.id);
    let is_taken = other.is_some() || !member.has_mailbox(email) && is_invited(tx, email).await?;
    Ok(is_taken.then(|| Problem::at("input.email", Code::Taken)))
}
