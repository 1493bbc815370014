//! Who stands above whom in an organization, and what that lets one member do to another. The same answers are the
//! rules of the verbs and the reasons that the API gives beforehand.

use super::of_member;
use crate::{
    kernel::{Action, Code, Error, MemberId, Result, Tx},
    member::{self, Member},
};

/// What a member is in the organization as a whole. Places in services do not count here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Rank {
    /// Neither owner nor administrator.
    Member,
    /// 조직관리자.
    Administrator,
    /// 소유자.
    Owner,
}

/// Where a member stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Who.
    pub member: MemberId,
    /// How high.
    pub rank: Rank,
    /// Whether he belongs to the organization at all.
    pub is_active: bool,
}

impl Standing {
    /// The standing of a member of whom it is known whether he is an administrator.
    pub fn of(member: &Member, is_administrator: bool) -> Self {
        let rank = match (member.is_owner, is_administrator) {
            (true, _) => Rank::Owner,
            (false, true) => Rank::Administrator,
            (false, false) => Rank::Member,
        };
        Self {
            member: member.id,
            rank,
            is_active: member.status == member::Status::Active,
        }
    }

    /// The standing of a member.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn read(tx: &Tx, member: &Member) -> Result<Self> {
        Ok(Self::of(member, of_member(tx, member.id).await?.is_some()))
    }

    /// The standing of whoever acts, as it is in this transaction: since his session was checked another deed may have
    /// taken his role away, and two who remove each other must not both have their way.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` if he is no member any more, `FORBIDDEN` if he does not stand as high as `least`.
    pub async fn of_actor(tx: &Tx, least: Rank) -> Result<Self> {
        let signed_in = tx.actor().member().ok_or(Error::Unauthenticated)?;
        let member = tx.seek::<member::Entity>(&signed_in.member_id.to_string()).await?;
        let standing = Self::read(tx, &member.ok_or(Error::Unauthenticated)?).await?;
        if !standing.is_active {
            return Err(Error::Unauthenticated);
        }
        if standing.rank < least {
            return Err(Error::Forbidden(tx.action()));
        }
        Ok(standing)
    }
}

/// Why `actor`, who holds the permission, can't do this to `target`; `None` where he can. Nobody reaches whoever stands
/// as high as he or higher: an administrator who could give another one a new e-mail address could take his account
/// over by resetting the password. Only the role itself, and a lost
/// second factor, can be taken from an equal.
pub fn obstacle(action: Action, actor: &Standing, target: &Standing) -> Option<Code> {
    if actor.member == target.member {
        return Some(Code::NotOneself);
    }
    if !target.is_active {
        return Some(Code::MemberLeft);
    }
    let above = (target.rank >= actor.rank).then_some(Code::AboveOwnRank);
    match action {
        Action::AdminAdd => (target.rank >= Rank::Administrator).then_some(Code::AlreadyAdministrator),
        Action::AdminRemove => (target.rank != Rank::Administrator).then_some(Code::NotAdministrator),
        // It takes one of two protections from a member, and none that the other does not hold up.
        Action::SecondFactorReset => (target.rank > actor.rank).then_some(Code::AboveOwnRank),
        Action::MemberRemove if target.rank == Rank::Owner => Some(Code::OwnerStays),
        Action::OwnershipTransfer => (actor.rank != Rank::Owner).then_some(Code::OwnerRequired),
        _ => above,
    }
}
