//! What an invitation says beyond its columns: its state by the clock, who invited, how its letters fare, and what can
//! be done with it.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context};

use crate::{
    kernel::{Action, Caller, Code, MemberId, Result},
    member::{
        Member, fetch,
        invitation::{
            entity::{Model, State},
            limit::{Letters, TooSoon},
            mailing::{self, Delivery},
            rules::{is_openable, may_touch},
        },
    },
    organization,
    service::graphql::PossibleAction,
};

#[ComplexObject]
impl Model {
    /// What has become of it, as of now.
    #[graphql(name = "state")]
    async fn state_now(&self, context: &Context<'_>) -> State {
        self.state_at(context.data_unchecked::<Arc<Caller>>().now())
    }

    /// The member who invited; null where an operator did.
    #[graphql(name = "invitedBy")]
    async fn inviter(&self, context: &Context<'_>) -> Result<Option<Member>> {
        member(context, self.invited_by).await
    }

    /// The member that the invited person has become; null where nobody has accepted it.
    async fn member(&self, context: &Context<'_>) -> Result<Option<Member>> {
        member(context, self.member_id).await
    }

    /// How its newest letter fares.
    async fn delivery(&self, context: &Context<'_>) -> Result<Delivery> {
        let letters = self.mailings(context).await?;
        Ok(letters.first().map_or(Delivery::Queued, |letter| letter.delivery))
    }

    /// Its letters, the newest first, at most 20.
    async fn mailings(&self, context: &Context<'_>) -> Result<Vec<mailing::Model>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        mailing::newest(&*caller.view(Action::MemberRead).await?, self).await
    }

    /// What can be done with it now, and why not where not; at most 3.
    async fn actions(&self, context: &Context<'_>) -> Result<Vec<PossibleAction>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::MemberRead).await?;
        let zone = organization::graphql::zone(context).await?;
        let letters = Letters::seen(&view, caller.now(), zone).await?;
        let state = self.state_at(caller.now());
        let rank = (!may_touch(&caller.actor().roles(), self)).then_some(Code::AboveOwnRank);
        let unless = |fits: bool| (!fits).then_some(Code::InvitationNotPending).or(rank);
        let one = |name: Action, reason: Option<Code>, wait: Option<TooSoon>| {
            let wait = wait.filter(|_| reason.is_none() && caller.may(name));
            let is_forbidden = !caller.may(name);
            let reason_code = reason
                .or(wait.map(|(code, _)| code))
                .map(Code::name)
                .or(is_forbidden.then_some("FORBIDDEN"))
                .map(str::to_owned);
            PossibleAction {
                name,
                is_allowed: reason_code.is_none(),
                reason_code,
                available_at: wait.map(|(_, at)| at),
            }
        };
        Ok(vec![
            one(
                Action::InvitationResend,
                unless(is_openable(state)),
                letters.too_soon(self, &self.email),
            ),
            one(Action::InvitationUpdate, unless(is_openable(state)), letters.of_day()),
            one(Action::InvitationRevoke, unless(state == State::Pending), None),
        ])
    }
}

async fn member(context: &Context<'_>, id: Option<MemberId>) -> Result<Option<Member>> {
    let Some(id) = id else { return Ok(None) };
    let caller = context.data_unchecked::<Arc<Caller>>();
    fetch::by_id(&*caller.view(Action::MemberRead).await?, id).await
}
