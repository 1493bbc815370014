//! What the API says of organization keys.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Object};
use sea_orm::{
    ColumnTrait, Condition, QueryOrder,
    sea_query::{Expr, ExprTrait},
};

use super::OrganizationUserError;
use crate::{
    kernel::{
        Action, Caller, Code, Error, On, Result, Timestamp,
        payload::{payload, settle},
    },
    organization::{
        key::{self, Entity},
        key_rules,
        key_use::{self, Standing, UseOf},
    },
    service::graphql::PossibleAction,
};

payload! { OrganizationKeyCreatePayload, "organizationKeyCreate", OrganizationUserError, {
    /// The key; null where there are user errors.
    key: key::Model,
    /// The key itself, `oc_v1_…`: shown this once. Null where there are user errors and in the answer to a repeated request.
    secret: String,
    /// What requests can be signed with instead, `ocs_v1_…`: shown this once. Null where `secret` is.
    signing_secret: String,
} }

payload! { OrganizationKeyRotatePayload, "organizationKeyRotate", OrganizationUserError, {
    /// The new key; null where there are user errors.
    key: key::Model,
    /// The new key itself, `oc_v1_…`: shown this once. Null where there are user errors and in the answer to a repeated request.
    secret: String,
    /// What requests can be signed with instead, `ocs_v1_…`: shown this once. Null where `secret` is.
    signing_secret: String,
} }

payload! { OrganizationKeyRevokePayload, "organizationKeyRevoke", OrganizationUserError, {
    /// The key as it is now; null where there is none.
    key: key::Model,
} }

payload! { OrganizationKeyUpdatePayload, "organizationKeyUpdate", OrganizationUserError, {
    /// The key as it is now; null where there is none.
    key: key::Model,
} }

/// The organization's keys: first those that work until they are revoked or their time is over, of which there are few, so that
/// none of them is hidden behind what was; each of both newest first.
pub(super) async fn all(context: &Context<'_>) -> Result<Vec<key::Model>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let view = caller.view(Action::OrganizationRead).await?;
    let (revoked_at, expires_at) = (key::Column::RevokedAt, key::Column::ExpiresAt);
    let works_on = Condition::all()
        .add(revoked_at.is_null())
        .add(expires_at.is_null().or(expires_at.gt(caller.now())));
    let keys = view
        .select::<key::Entity>()
        .order_by_asc(Expr::Case(Box::new(Expr::case(works_on, 0).finally(1))))
        .order_by_desc(key::Column::CreatedAt)
        .order_by_desc(key::Column::Id);
    sea_orm::QuerySelect::limit(keys, Some(100)).all().await
}

#[ComplexObject]
impl key::Model {
    /// What it may be used for, at most 10.
    #[graphql(name = "scopes")]
    async fn scope_list(&self) -> &[key::Scope] {
        &self.scopes.0
    }

    /// From where it may be used: addresses and networks in CIDR notation, at most 50; empty is everywhere.
    #[graphql(name = "allowedAddresses")]
    async fn address_list(&self) -> &[String] {
        &self.allowed_addresses.0
    }

    /// Whether it works now.
    #[graphql(name = "isLive")]
    async fn works(&self, context: &Context<'_>) -> bool {
        self.is_live(context.data_unchecked::<Arc<Caller>>().now())
    }

    /// What can be done with it now, and why not where not; at most 10.
    async fn actions(&self, context: &Context<'_>) -> Result<Vec<PossibleAction>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::OrganizationRead).await?;
        let standing = view.loader.load_one(Standing).await.map_err(Error::internal)?;
        let others = standing.unwrap_or_default().into_iter().filter(|id| *id != self.id);
        let dead = (!self.is_live(caller.now())).then_some(Code::KeyNotLive);
        let last = (others.count() == 0).then_some(Code::LastKey);
        let one = |name, reason| PossibleAction::of(caller, name, reason);
        Ok(vec![
            one(Action::OrganizationKeyUpdate, dead),
            one(Action::OrganizationKeyRotate, dead),
            one(Action::OrganizationKeyRevoke, dead.or(last)),
        ])
    }

    /// When it was last used, to the minute; null before the first time.
    async fn last_used_at(&self, context: &Context<'_>) -> Result<Option<Timestamp>> {
        Ok(self.last_use(context).await?.map(|last| last.used_at))
    }

    /// From which address it was last used; null before the first time.
    async fn last_used_from(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(self.last_use(context).await?.map(|last| last.address))
    }
}

impl key::Model {
    async fn last_use(&self, context: &Context<'_>) -> Result<Option<key_use::Model>> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let view = caller.view(Action::OrganizationRead).await?;
        view.loader.load_one(UseOf(self.id)).await.map_err(Error::internal)
    }
}

/// Organization keys, to change.
#[derive(Debug, Default)]
pub struct OrganizationKeyMutation;

#[Object]
impl OrganizationKeyMutation {
    /// Makes an organization key and shows it, this once. Needs `ORGANIZATION_KEY_CREATE` and a recent `sessionConfirm`.
    async fn organization_key_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The new key.")] input: key_rules::OrganizationKeyCreateInput,
    ) -> Result<OrganizationKeyCreatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let done = caller
            .act(Action::OrganizationKeyCreate, &input, async |tx| {
                key_rules::create(tx, &input).await
            })
            .await;
        let (done, problems) = settle(done)?;
        let (key, secrets) = done.map_or((None, None), |issued| (Some(issued.key), issued.secrets));
        let (secret, signing_secret) = secrets.map(|shown| (shown.secret, shown.signing_secret)).unzip();
        Ok(OrganizationKeyCreatePayload {
            key,
            secret,
            signing_secret,
            user_errors: OrganizationUserError::all(problems)?,
        })
    }

    /// Replaces an organization key by a new one and shows that, this once. Needs `ORGANIZATION_KEY_ROTATE` and a recent `sessionConfirm`.
    async fn organization_key_rotate(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The key's ID.")] id: ID,
        #[graphql(desc = "How.")] input: key_rules::OrganizationKeyRotateInput,
    ) -> Result<OrganizationKeyRotatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| key_rules::rotate(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::OrganizationKeyRotate, &On(&id, &input), deed).await)?;
        let (key, secrets) = done.map_or((None, None), |issued| (Some(issued.key), issued.secrets));
        let (secret, signing_secret) = secrets.map(|shown| (shown.secret, shown.signing_secret)).unzip();
        Ok(OrganizationKeyRotatePayload {
            key,
            secret,
            signing_secret,
            user_errors: OrganizationUserError::all(problems)?,
        })
    }

    /// Changes an organization key: its name, what it may be used for, from where. Absent fields stay as they are. Needs `ORGANIZATION_KEY_UPDATE` and a recent `sessionConfirm`.
    async fn organization_key_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The key's ID.")] id: ID,
        #[graphql(desc = "The changes.")] input: key_rules::OrganizationKeyUpdateInput,
    ) -> Result<OrganizationKeyUpdatePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| key_rules::update(tx, &id, &input).await;
        let (done, problems) = settle(caller.act(Action::OrganizationKeyUpdate, &On(&id, &input), deed).await)?;
        let key = match done {
            Some(key) => Some(key),
            None => caller.view(Action::OrganizationRead).await?.seek::<Entity>(&id).await?,
        };
        Ok(OrganizationKeyUpdatePayload {
            key,
            user_errors: OrganizationUserError::all(problems)?,
        })
    }

    /// Revokes an organization key: it stops working at once. Needs `ORGANIZATION_KEY_REVOKE` and a recent `sessionConfirm`.
    async fn organization_key_revoke(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The key's ID.")] id: ID,
        #[graphql(desc = "How.")] input: key_rules::OrganizationKeyRevokeInput,
    ) -> Result<OrganizationKeyRevokePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let deed = async |tx: &_| key_rules::revoke(tx, &id, &input).await;
        let (key, problems) = settle(caller.act(Action::OrganizationKeyRevoke, &On(&id, &input), deed).await)?;
        Ok(OrganizationKeyRevokePayload {
            key,
            user_errors: OrganizationUserError::all(problems)?,
        })
    }
}
