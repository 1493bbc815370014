//! What the caller can do with a member, and why not where not.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_graphql::{Context, dataloader::Loader};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    admin::{
        self,
        rank::{Rank, Standing, obstacle},
    },
    kernel::{Action, Batch, Caller, Code, Error, MemberId, Result, SignedIn, View},
    member::{Member, second_factor},
    service::graphql::PossibleAction,
};

/// The verbs of members.
const VERBS: [Action; 6] = [
    Action::AdminAdd,
    Action::AdminRemove,
    Action::MemberUpdate,
    Action::SecondFactorReset,
    Action::MemberRemove,
    Action::OwnershipTransfer,
];

/// What the caller can do with a member, and why not. The reasons are those that the rules give.
pub(crate) async fn actions(context: &Context<'_>, member: &Member) -> Result<Vec<PossibleAction>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::ViewerRead).await?;
    let actor = caller.actor().member().ok_or(Error::Unauthenticated)?;
    let actor = standing(actor);
    let target = Standing::of(member, admin::is_administrator(&view, member.id).await?);
    let has_factor = view
        .loader
        .load_one(HasFactor(member.id))
        .await
        .map_err(Error::internal)?;
    let absent = (has_factor != Some(true)).then_some(Code::SecondFactorAbsent);
    let reason = |verb: Action| match obstacle(verb, &actor, &target) {
        _ if !caller.may(verb) => Some("FORBIDDEN"),
        None if verb == Action::SecondFactorReset => absent.map(Code::name),
        found => found.map(Code::name),
    };
    let one = |name: Action| {
        let reason_code = reason(name).map(str::to_owned);
        PossibleAction {
            name,
            is_allowed: reason_code.is_none(),
            reason_code,
            available_at: None,
        }
    };
    Ok(VERBS.into_iter().map(one).collect())
}

/// The caller's standing, as it was when the request began.
fn standing(actor: &SignedIn) -> Standing {
    let rank = match (actor.is_owner, actor.is_administrator) {
        (true, _) => Rank::Owner,
        (false, true) => Rank::Administrator,
        (false, false) => Rank::Member,
    };
    Standing {
        member: actor.member_id,
        rank,
        is_active: true,
    }
}

/// Asks for the members of a page at once, so that none of them asks alone.
pub(super) async fn prefetch(view: &View, members: impl Iterator<Item = MemberId>) -> Result<()> {
    let known = view.loader.load_many(members.map(HasFactor));
    known.await.map_err(Error::internal)?;
    Ok(())
}

/// The question whether a member has a second factor in use.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct HasFactor(pub MemberId);

impl Loader<HasFactor> for Batch {
    type Value = bool;
    type Error = String;

    async fn load(&self, keys: &[HasFactor]) -> std::result::Result<HashMap<HasFactor, bool>, String> {
        let ids = keys.iter().map(|key| key.0);
        let factors = self
            .select::<second_factor::Entity>()
            .among(second_factor::Column::MemberId, ids)
            .filter(second_factor::Column::ActivatedAt.is_not_null());
        let rows = factors.all().await.map_err(|error| format!("{error:?}"))?;
        let found: HashSet<_> = rows.into_iter().map(|row| row.member_id).collect();
        Ok(keys.iter().map(|key| (*key, found.contains(&key.0))).collect())
    }
}
