//! Any object by its ID. The prefix of an ID names its type; an ID that is of no type, absent, or another
//! organization's is one and the same: null.

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object};

use crate::{
    billing::graphql::{Charge, of_charge_id, of_service},
    contract::{self, Contract},
    kernel::{Action, Caller, Error, Record, Result, audit, permission},
    member::{self, Member},
    organization::{self, Organization, key},
    service::{self, Service},
};

/// An object that can be read again by its ID.
#[derive(Debug, Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The globally unique ID: opaque, stable, such as `svc_01JD8Z…`."
))]
pub enum Node {
    /// An organization.
    Organization(Organization),
    /// An organization key.
    OrganizationKey(key::Model),
    /// A member.
    Member(Member),
    /// A service.
    Service(Service),
    /// A contract.
    Contract(Contract),
    /// A charge.
    Charge(Charge),
    /// An entry of the audit log.
    AuditEntry(audit::Model),
    /// A change of a right.
    PermissionChange(permission::Model),
}

/// Any object, to look at.
#[derive(Debug, Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Any object by its ID; null where there is none or the caller may not know of it.
    async fn node(&self, context: &Context<'_>, #[graphql(desc = "The object's ID.")] id: ID) -> Result<Option<Node>> {
        find(context, &id).await
    }

    /// Objects by their IDs, in that order, null where there is none or the caller may not know of it.
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The objects' IDs, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > 100 {
            return Err(Error::BadInput("`ids` are at most 100.".into()));
        }
        let mut nodes = Vec::with_capacity(ids.len());
        for id in ids {
            nodes.push(find(context, &id).await?);
        }
        Ok(nodes)
    }
}

async fn find(context: &Context<'_>, id: &str) -> Result<Option<Node>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    Ok(match id.split('_').next() {
        Some("org") => seek::<organization::Entity>(caller, Action::OrganizationRead, id)
            .await?
            .map(Node::Organization),
        Some("key") => seek::<key::Entity>(caller, Action::OrganizationRead, id)
            .await?
            .map(Node::OrganizationKey),
        Some("mbr") => seek::<member::Entity>(caller, Action::OrganizationRead, id)
            .await?
            .map(Node::Member),
        Some("svc") => seek::<service::Entity>(caller, Action::ServiceRead, id)
            .await?
            .map(Node::Service),
        Some("ctr") => seek::<contract::Entity>(caller, Action::ContractRead, id)
            .await?
            .map(Node::Contract),
        Some("aud") => seek::<audit::Entity>(caller, Action::AuditRead, id)
            .await?
            .map(Node::AuditEntry),
        Some("pch") => seek::<permission::Entity>(caller, Action::AuditRead, id)
            .await?
            .map(Node::PermissionChange),
        Some("chg") => match of_charge_id(id) {
            Some((service, month)) if caller.may(Action::ChargeRead) => of_service(context, service, (month, month))
                .await?
                .pop()
                .map(Node::Charge),
            _ => None,
        },
        _ => None,
    })
}

/// The object, if the caller may see such objects at all.
async fn seek<E: Record>(caller: &Caller, action: Action, id: &str) -> Result<Option<E::Model>> {
    if caller.may(action) {
        caller.view(action).await?.seek::<E>(id).await
    } else {
        Ok(None)
    }
}
