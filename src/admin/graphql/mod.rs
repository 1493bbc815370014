//! What the API says of organization administrators, and what owner and administrators do with members.

mod actions;
mod known;
mod list;

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Object};

use super::{
    entity::Model,
    input::{
        AdminAddInput, AdminRemoveInput, MemberLeaveInput, MemberRemoveInput, MemberUpdateInput, OwnershipTransferInput,
    },
    rules,
};
use crate::{
    kernel::{
        Action, Caller, On, PageRequest, Result,
        payload::{payload, settle, user_errors},
    },
    member::{
        self, Member,
        graphql::MemberConnection,
        search::{ById, MemberSearch},
    },
};

pub(crate) use actions::actions;
pub(crate) use known::fetch;
pub(crate) use list::{admins, prefetch_asked};

user_errors! { AdminUserError, AdminErrorCode, "a member or an organization administrator", {
    /// A value is needed.
    Blank,
    /// A value is too long.
    TooLong,
    /// A value does not have the form that it must have.
    Invalid,
    /// Another member has this e-mail address.
    Taken,
    /// There are as many organization administrators as there can be.
    LimitReached,
    /// Nobody does this to himself.
    NotOneself,
    /// The member stands as high as the caller, or higher.
    AboveOwnRank,
    /// Only the owner may do this.
    OwnerRequired,
    /// The member has this role already, or more: the owner needs none.
    AlreadyAdministrator,
    /// The member does not have this role.
    NotAdministrator,
    /// Nobody would be left to look after the organization.
    LastAdministrator,
    /// The owner has to transfer the ownership first.
    OwnerStays,
    /// The member has left the organization.
    MemberLeft,
} }

payload! { AdminAddPayload, "adminAdd", AdminUserError, {
    /// The new organization administrator; null where there are user errors.
    admin: Model,
} }
payload! { AdminRemovePayload, "adminRemove", AdminUserError, {
    /// The member as he is now, also where nothing was changed; null where there is none.
    member: Member,
} }
payload! { MemberUpdatePayload, "memberUpdate", AdminUserError, {
    /// The member as he is now, also where he was not changed; null where there is none.
    member: Member,
} }
payload! { MemberRemovePayload, "memberRemove", AdminUserError, {
    /// The member as he is now, also where he was not removed; null where there is none.
    member: Member,
} }
payload! { MemberLeavePayload, "memberLeave", AdminUserError, {
    /// The member who has left; null where there are user errors.
    member: Member,
} }
payload! { OwnershipTransferPayload, "ownershipTransfer", AdminUserError, {
    /// The member who is the owner now, also where nothing was changed; null where there are user errors.
    member: Member,
} }

#[ComplexObject]
impl Model {
    /// Who it is. Needs `ORGANIZATION_READ`.
    async fn member(&self, context: &Context<'_>) -> Result<Option<Member>> {
        list::member(context, ById(self.member_id)).await
    }

    /// Who made him one; null where the operator did. Needs `ORGANIZATION_READ`.
    #[graphql(name = "addedBy")]
    async fn added_by_member(&self, context: &Context<'_>) -> Result<Option<Member>> {
        match self.added_by {
            Some(member) => list::member(context, ById(member)).await,
            None => Ok(None),
        }
    }
}

/// Members, to search.
#[derive(Debug, Default)]
pub struct AdminQuery;

#[Object]
impl AdminQuery {
    /// 회원 검색: members by parts of name, login ID or e-mail address, by name. Managers find members who have not left. Needs `MEMBER_READ`.
    async fn members(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 20 where neither `first` nor `last` is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which members.")] search: MemberSearch,
    ) -> Result<Option<MemberConnection>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        Box::pin(list::found(context, request, &search)).await.map(Some)
    }
}

/// Members and organization administrators, to change.
#[derive(Debug, Default)]
pub struct AdminMutation;

#[Object]
impl AdminMutation {
    /// 조직관리자 추가: makes a member an organization administrator. Needs `ADMIN_ADD` and a recent `sessionConfirm`.
    async fn admin_add(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who.")] input: AdminAddInput,
    ) -> Result<AdminAddPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::add(tx, &input).await;
        let (admin, problems) = settle(caller.act(Action::AdminAdd, &input, deed).await)?;
        Ok(AdminAddPayload {
            admin,
            user_errors: AdminUserError::all(problems)?,
        })
    }

    /// 조직관리자 삭제: takes the organization administrator's role from a member, who stays a member. Needs `ADMIN_REMOVE` and a recent `sessionConfirm`.
    async fn admin_remove(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The member's ID.")] id: ID,
        #[graphql(desc = "How.")] input: AdminRemoveInput,
    ) -> Result<AdminRemovePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::remove(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::AdminRemove, &On(&id, &input), deed).await)?;
        let member = as_it_is(caller, done, &id).await?;
        Ok(AdminRemovePayload {
            member,
            user_errors: AdminUserError::all(problems)?,
        })
    }

    /// Corrects the name or e-mail address of a member who stands below the caller; nobody corrects himself here. Whoever decides where a member's letters go could take his account over by resetting the password, so an administrator corrects neither the owner nor another administrator, the old address is told of a new one, and links that were sent to it are dead. Needs `MEMBER_UPDATE` and a recent `sessionConfirm`.
    async fn member_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The member's ID.")] id: ID,
        #[graphql(desc = "The corrections.")] input: MemberUpdateInput,
    ) -> Result<MemberUpdatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::update(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::MemberUpdate, &On(&id, &input), deed).await)?;
        let member = as_it_is(caller, done, &id).await?;
        Ok(MemberUpdatePayload {
            member,
            user_errors: AdminUserError::all(problems)?,
        })
    }

    /// Ends the membership of a member who stands below the caller, with all his roles, rights, credentials and sessions, at once. His login ID and e-mail address are free again; if he returns, he is a new member. The invitations that he sent stay open: revoke those that are not wanted. Needs `MEMBER_REMOVE` and a recent `sessionConfirm`.
    async fn member_remove(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The member's ID.")] id: ID,
        #[graphql(desc = "How.")] input: MemberRemoveInput,
    ) -> Result<MemberRemovePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::expel(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::MemberRemove, &On(&id, &input), deed).await)?;
        let member = as_it_is(caller, done, &id).await?;
        Ok(MemberRemovePayload {
            member,
            user_errors: AdminUserError::all(problems)?,
        })
    }

    /// Ends one's own membership, with all roles, rights, credentials and sessions, at once. The owner has to transfer the ownership first. Needs `MEMBER_LEAVE` and a recent `sessionConfirm`.
    async fn member_leave(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How.")] input: MemberLeaveInput,
    ) -> Result<MemberLeavePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::leave(tx, &input).await;
        let (member, problems) = settle(caller.act(Action::MemberLeave, &input, deed).await)?;
        Ok(MemberLeavePayload {
            member,
            user_errors: AdminUserError::all(problems)?,
        })
    }

    /// Makes another member the owner in one's own place; the old owner becomes an organization administrator, and both are told by letter. Needs `OWNERSHIP_TRANSFER` and a recent `sessionConfirm`.
    async fn ownership_transfer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The ID of the member who is to become the owner.")] id: ID,
        #[graphql(desc = "How.")] input: OwnershipTransferInput,
    ) -> Result<OwnershipTransferPayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| rules::transfer(tx, &id, &input).await;
        let (member, problems) = settle(caller.act(Action::OwnershipTransfer, &On(&id, &input), deed).await)?;
        Ok(OwnershipTransferPayload {
            member,
            user_errors: AdminUserError::all(problems)?,
        })
    }
}

/// What was done, or where nothing was, the member as he is.
async fn as_it_is(caller: &Caller, done: Option<Member>, id: &str) -> Result<Option<Member>> {
    match done {
        Some(member) => Ok(Some(member)),
        None => {
            let view = caller.view(Action::OrganizationRead).await?;
            view.seek::<member::Entity>(id).await
        }
    }
}
