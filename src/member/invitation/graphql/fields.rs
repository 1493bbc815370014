//! What an invitation says beyond its columns: its state by the clock, who invited, how its letters fare, and what can
//! be done with it.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, SimpleObject};

use crate::{
    kernel::{Action, Caller, Code, Error, MemberId, Result, Timestamp},
    member::{
        Member,
        invitation::{
            entity::{Model, State},
            limit::{Letters, TooSoon},
            mailing::{self, Delivery},
            rules::{is_openable, may_touch},
        },
        search::ById,
    },
    organization,
    service::graphql::PossibleAction,
};

/// One sending of an invitation's letter.
#[derive(Debug, SimpleObject)]
pub struct InvitationMailing {
    /// Which one of the invitation's, from 1; the link of the newest one is good.
    pub number: i32,
    /// The address that it goes to; null where the caller may not see it.
    pub email: Option<String>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// How far it is.
    pub delivery: Delivery,
    /// Why it failed: what the mail server answered (`SMTP 550 5.1.1`), `CONNECTION`, `TLS`, `TIMEOUT`, `UNSENDABLE`, `LOST`; or why it was not needed: `SUPERSEDED`, `REVOKED`, `EXPIRED`. One that is queued and has failed is tried again. Null where nothing has failed.
    pub failure: Option<String>,
    /// When it was sent; null where it was not.
    pub sent_at: Option<Timestamp>,
}

#[ComplexObject]
impl Model {
    /// What has become of it, as of now.
    #[graphql(name = "state")]
    async fn state_now(&self, context: &Context<'_>) -> State {
        self.state_at(context.data_unchecked::<Arc<Caller>>().now())
    }

    /// The e-mail address that the letter goes to, and that the member will have; null where the caller may not see it: he needs `ORGANIZATION_READ` for others' than those whom he has invited.
    #[graphql(name = "email")]
    async fn visible_email(&self, context: &Context<'_>) -> Option<&str> {
        let sees = self.is_address_seen(context.data_unchecked::<Arc<Caller>>());
        sees.then_some(self.email.as_str())
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
        let letters = newest(context, self).await?;
        Ok(letters.first().map_or(Delivery::Queued, |letter| letter.delivery))
    }

    /// Its letters, the newest first, at most 20.
    async fn mailings(&self, context: &Context<'_>) -> Result<Vec<InvitationMailing>> {
        let sees = self.is_address_seen(context.data_unchecked::<Arc<Caller>>());
        let letters = newest(context, self).await?.into_iter();
        Ok(letters.map(|letter| InvitationMailing::of(letter, sees)).collect())
    }

    /// What can be done with it now, and why not where not; at most 3.
    async fn actions(&self, context: &Context<'_>) -> Result<Vec<PossibleAction>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::MemberRead).await?;
        let zone = organization::graphql::zone(context).await?;
        let letters = Letters::seen(&view, caller.now(), zone).await?;
        let state = self.state_at(caller.now());
        let rank = (!may_touch(caller.actor(), self)).then_some(Code::AboveOwnRank);
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

impl Model {
    /// Whether a caller sees the address: as of members, or because he has typed it himself.
    fn is_address_seen(&self, caller: &Caller) -> bool {
        let own = caller.actor().member().map(|member| member.member_id);
        caller.may(Action::OrganizationRead) || (own.is_some() && self.invited_by == own)
    }
}

impl InvitationMailing {
    fn of(letter: mailing::Model, sees: bool) -> Self {
        Self {
            number: letter.number,
            email: sees.then_some(letter.email),
            requested_at: letter.requested_at,
            delivery: letter.delivery,
            failure: letter.delivery_failure,
            sent_at: letter.sent_at,
        }
    }
}

async fn newest(context: &Context<'_>, invitation: &Model) -> Result<Vec<mailing::Model>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    mailing::newest(&*caller.view(Action::MemberRead).await?, invitation).await
}

async fn member(context: &Context<'_>, id: Option<MemberId>) -> Result<Option<Member>> {
    let Some(id) = id else { return Ok(None) };
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::MemberRead).await?;
    view.loader.load_one(ById(id)).await.map_err(Error::internal)
}
