//! What the API says of invitations.

mod fields;
mod list;

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    accept::{self, Accepting, InvitationAcceptInput, InvitationPreview},
    entity::{Entity, Model},
    many::{self, MemberInviteManyInput},
    rules,
};
use crate::kernel::{
    Action, Caller, On, PageRequest, Problem, Result,
    payload::{payload, settle, user_errors},
};

pub use list::{InvitationConnection, InvitationEdge, InvitationFilter, InvitationOrder, InvitationOrderField};

user_errors! { InvitationUserError, InvitationErrorCode, "an invitation", {
    /// A value is needed.
    Blank,
    /// A value is too short.
    TooShort,
    /// A value is too long.
    TooLong,
    /// A value does not have the form that it must have.
    Invalid,
    /// There are too many of them.
    TooMany,
    /// It is in the list twice.
    Duplicate,
    /// A member has this login ID or e-mail address.
    AlreadyMember,
    /// An open invitation has this login ID or e-mail address.
    AlreadyInvited,
    /// It was accepted or taken back; or it has expired, where it must be open.
    InvitationNotPending,
    /// It was sent less than ten minutes ago; `availableAt` says when it can be sent again.
    ResendTooSoon,
    /// Three letters went to the address within an hour, or a hundred from the organization today; `availableAt` says when the next one can go.
    MailLimitReached,
    /// The invitation is an owner's: only operators change it.
    AboveOwnRank,
    /// The link is not good: it has expired, was used, replaced or taken back, or never was one.
    LinkRefused,
    /// There were too many attempts; `availableAt` says when the next one is taken.
    SignInBlocked,
    /// The password is too easy to guess.
    PasswordTooCommon,
} }

payload! { MemberInvitePayload, "memberInvite", InvitationUserError, {
    /// The invitation; null where there are user errors.
    invitation: Model,
} }

payload! { MemberInviteManyPayload, "memberInviteMany", InvitationUserError, {}, {
    /// What came of each entry, in their order, at most 100; empty where there are user errors.
    results: MemberInviteResult,
} }

payload! { InvitationResendPayload, "invitationResend", InvitationUserError, {
    /// The invitation as it is now, also where it was not sent; null where there is none.
    invitation: Model,
} }

payload! { InvitationUpdatePayload, "invitationUpdate", InvitationUserError, {
    /// The invitation as it is now, also where it was not changed; null where there is none.
    invitation: Model,
} }

payload! { InvitationRevokePayload, "invitationRevoke", InvitationUserError, {
    /// The invitation as it is now, also where it was not taken back; null where there is none.
    invitation: Model,
} }

payload! { InvitationAcceptPayload, "invitationAccept", InvitationUserError, {
    /// The organization's domain, to sign in with; null where there are user errors.
    organization_domain: String,
    /// The login ID, to sign in with; null where there are user errors.
    login: String,
} }

/// What came of one entry.
#[derive(Debug, SimpleObject)]
pub struct MemberInviteResult {
    /// The entry's place in the list, from 0.
    pub index: i32,
    /// The invitation; null where there are user errors.
    pub invitation: Option<Model>,
    /// Why nobody was invited, at most 5; empty where somebody was.
    pub user_errors: Vec<InvitationUserError>,
}

impl MemberInviteResult {
    fn of(place: usize, entry: std::result::Result<Model, Vec<Problem>>) -> Result<Self> {
        let (invitation, problems) = match entry {
            Ok(invitation) => (Some(invitation), Vec::new()),
            Err(problems) => (None, problems),
        };
        Ok(Self {
            index: i32::try_from(place).unwrap_or(i32::MAX),
            invitation,
            user_errors: InvitationUserError::all(problems)?,
        })
    }
}

/// Invitations, to look at.
#[derive(Debug, Default)]
pub struct InvitationQuery;

#[Object]
impl InvitationQuery {
    /// 회원 초대: the organization's invitations, whatever has become of them. Needs `MEMBER_READ`.
    #[expect(clippy::too_many_arguments, reason = "a list's arguments, as the schema has them")]
    async fn invitations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which invitations; all where absent.")] filter: Option<InvitationFilter>,
        #[graphql(desc = "In what order; newest first where absent. Ties are broken by ID.")] order_by: Option<
            InvitationOrder,
        >,
    ) -> Result<Option<InvitationConnection>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        list::invitation_page(context, request, filter, order_by)
            .await
            .map(Some)
    }

    /// What an invitation's link opens, as often as it is asked for; null where the link is not good. Needs nobody: `INVITATION_ACCEPT`.
    async fn invitation_preview(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What stands behind the `#` of the link.", secret)] token: String,
    ) -> Result<Option<InvitationPreview>> {
        accept::preview(context.data_unchecked::<Arc<Caller>>(), &token).await
    }
}

/// Invitations, to send, change and accept.
#[derive(Debug, Default)]
pub struct InvitationMutation;

#[Object]
impl InvitationMutation {
    /// 회원 초대: invites somebody to become a member, by a letter with a link that is good for seven days. Needs `MEMBER_INVITE`.
    async fn member_invite(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who.")] input: rules::MemberInviteInput,
    ) -> Result<MemberInvitePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::invite(tx, &input).await;
        let (invitation, problems) = settle(caller.act(Action::MemberInvite, &input, deed).await)?;
        Ok(MemberInvitePayload {
            invitation,
            user_errors: InvitationUserError::all(problems)?,
        })
    }

    /// Invites many people at once. What is wrong with one entry keeps no other back. Needs `MEMBER_INVITE_MANY`.
    async fn member_invite_many(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who.")] input: MemberInviteManyInput,
    ) -> Result<MemberInviteManyPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| many::invite_many(tx, &input).await;
        let (invited, problems) = settle(caller.act(Action::MemberInviteMany, &input, deed).await)?;
        let entries = invited.map(|invited| invited.0.into_iter().enumerate());
        let results = entries.map(|entries| entries.map(|(place, entry)| MemberInviteResult::of(place, entry)));
        Ok(MemberInviteManyPayload {
            results: results
                .map(Iterator::collect::<Result<_>>)
                .transpose()?
                .unwrap_or_default(),
            user_errors: InvitationUserError::all(problems)?,
        })
    }

    /// Sends an invitation again, also one that has expired: with a new link, good for seven days. The old link is dead. Needs `INVITATION_RESEND`.
    async fn invitation_resend(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The invitation's ID.")] id: ID,
        #[graphql(desc = "How.")] input: rules::InvitationResendInput,
    ) -> Result<InvitationResendPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::resend(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::InvitationResend, &On(&id, &input), deed).await)?;
        Ok(InvitationResendPayload {
            invitation: as_it_is(caller, done, &id).await?,
            user_errors: InvitationUserError::all(problems)?,
        })
    }

    /// Corrects whom an invitation is for, and sends it with a new link. The old link is dead. Absent fields stay as they are; where nothing differs, nothing is sent. Needs `INVITATION_UPDATE`.
    async fn invitation_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The invitation's ID.")] id: ID,
        #[graphql(desc = "The corrections.")] input: rules::InvitationUpdateInput,
    ) -> Result<InvitationUpdatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::update(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::InvitationUpdate, &On(&id, &input), deed).await)?;
        Ok(InvitationUpdatePayload {
            invitation: as_it_is(caller, done, &id).await?,
            user_errors: InvitationUserError::all(problems)?,
        })
    }

    /// Takes an invitation back: its link is dead from now on. Needs `INVITATION_REVOKE`.
    async fn invitation_revoke(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The invitation's ID.")] id: ID,
        #[graphql(desc = "How.")] input: rules::InvitationRevokeInput,
    ) -> Result<InvitationRevokePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::revoke(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::InvitationRevoke, &On(&id, &input), deed).await)?;
        Ok(InvitationRevokePayload {
            invitation: as_it_is(caller, done, &id).await?,
            user_errors: InvitationUserError::all(problems)?,
        })
    }

    /// Accepts an invitation: whoever holds its link becomes a member with the password that he chooses. Needs nobody: `INVITATION_ACCEPT`.
    async fn invitation_accept(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The link and the password.")] input: InvitationAcceptInput,
    ) -> Result<InvitationAcceptPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let (accepting, mut problems) = settle(accept::accept(caller, &input).await)?;
        let (organization_domain, login) = match accepting {
            Some(Accepting::Member { domain, login }) => (Some(domain), Some(login)),
            Some(Accepting::Refused(code)) => {
                problems.push(Problem::at("input.token", code));
                (None, None)
            }
            None => (None, None),
        };
        Ok(InvitationAcceptPayload {
            organization_domain,
            login,
            user_errors: InvitationUserError::all(problems)?,
        })
    }
}

/// What was done, or where nothing was, the invitation as it is.
async fn as_it_is(caller: &Caller, done: Option<Model>, id: &str) -> Result<Option<Model>> {
    match done {
        Some(invitation) => Ok(Some(invitation)),
        None => caller.view(Action::MemberRead).await?.seek::<Entity>(id).await,
    }
}
