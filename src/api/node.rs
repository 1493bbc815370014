//! Any object by its ID. The prefix of an ID names its type; an ID that is of no type, absent, or another
//! organization's is one and the same: null.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use async_graphql::{Context, ID, Interface, Object};
use futures_util::future::try_join_all;

use crate::{
    agent::{self, Model as Agent},
    audit::review,
    billing::graphql::{Charge, charge_id, charges_of, of_charge_id},
    company::{self, Company},
    contract::{self, Contract},
    cti::line::history::{self as holding, Model as CtiHolding},
    extraction::{self, Extraction, ExtractionStep},
    field::{self, Field},
    import::{self, Import},
    kernel::{Action, Caller, Error, Record, Result, audit, permission},
    member::{
        self, Member,
        invitation::{self, Invitation},
    },
    organization::{self, Organization, key},
    partner::webhook::{self, Webhook, WebhookDelivery},
    picture::{self, Picture},
    pii::{self, PiiGrant, PiiGrantChange},
    service::{self, Service},
    ticket::{self, Ticket},
};

/// An object that can be read again by its ID.
#[derive(Debug, Clone, Interface)]
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
    /// A webhook.
    Webhook(Webhook),
    /// A message to a webhook.
    WebhookDelivery(WebhookDelivery),
    /// A member.
    Member(Member),
    /// An invitation.
    Invitation(Invitation),
    /// A service.
    Service(Service),
    /// A picture.
    Picture(Picture),
    /// A contract.
    Contract(Contract),
    /// A charge.
    Charge(Charge),
    /// An entry of company information.
    Company(Company),
    /// An agent.
    Agent(Agent),
    /// A time in which somebody held a CTI ID and number.
    CtiHolding(CtiHolding),
    /// A field of a service.
    Field(Field),
    /// An import.
    Import(Import),
    /// An extraction.
    Extraction(Extraction),
    /// A row of the log of extractions.
    ExtractionStep(ExtractionStep),
    /// A grant to see personal data.
    PiiGrant(PiiGrant),
    /// A row of the log of such grants.
    PiiGrantChange(PiiGrantChange),
    /// A ticket.
    Ticket(Ticket),
    /// An entry of the audit log.
    AuditEntry(audit::Model),
    /// A change of a right.
    PermissionChange(permission::Model),
    /// A signed review of the logs.
    AuditReview(review::Model),
}

/// Any object, to look at.
#[derive(Debug, Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Any object by its ID; null where there is none or the caller may not know of it.
    async fn node(&self, context: &Context<'_>, #[graphql(desc = "The object's ID.")] id: ID) -> Result<Option<Node>> {
        let mut found = find(context, &[&id]).await?;
        Ok(found.remove(id.as_str()))
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
        let texts: Vec<_> = ids.iter().map(|id| id.as_str()).collect();
        let found = find(context, &texts).await?;
        Ok(texts.iter().map(|id| found.get(*id).cloned()).collect())
    }
}

/// The objects of these IDs, each kind in one statement.
async fn find(context: &Context<'_>, ids: &[&str]) -> Result<HashMap<String, Node>> {
    let caller = context.data_unchecked::<Arc<Caller>>();
    let mut kinds = BTreeMap::<_, Vec<_>>::new();
    for id in ids {
        kinds.entry(id.split('_').next()).or_default().push(*id);
    }
    let mut found = HashMap::new();
    for (kind, ids) in kinds {
        found.extend(match kind {
            Some("org") => {
                seek::<organization::Entity>(caller, Action::OrganizationRead, &ids, Node::Organization).await?
            }
            Some("key") => seek::<key::Entity>(caller, Action::OrganizationRead, &ids, Node::OrganizationKey).await?,
            Some("whk") => seek::<webhook::Entity>(caller, Action::WebhookRead, &ids, Node::Webhook).await?,
            Some("whd") => {
                seek::<webhook::DeliveryEntity>(caller, Action::WebhookRead, &ids, Node::WebhookDelivery).await?
            }
            Some("mbr") => seek::<member::Entity>(caller, Action::OrganizationRead, &ids, Node::Member).await?,
            Some("inv") => seek::<invitation::Entity>(caller, Action::MemberRead, &ids, Node::Invitation).await?,
            Some("svc") => seek::<service::Entity>(caller, Action::ServiceRead, &ids, Node::Service).await?,
            Some("pic") => seek::<picture::Entity>(caller, Action::OrganizationRead, &ids, Node::Picture).await?,
            Some("ctr") => seek::<contract::Entity>(caller, Action::ContractRead, &ids, Node::Contract).await?,
            Some("agt") => agent::graphql::find(caller, &ids)
                .await?
                .into_iter()
                .map(|agent| (agent.id.to_string(), Node::Agent(agent)))
                .collect(),
            Some("fld") => field::graphql::find(context, &ids)
                .await?
                .into_iter()
                .map(|field| (field.id.to_string(), Node::Field(field)))
                .collect(),
            Some("com") => seek::<company::Entity>(caller, Action::CompanyRead, &ids, Node::Company).await?,
            Some("cth") => seek::<holding::Entity>(caller, Action::CtiRead, &ids, Node::CtiHolding).await?,
            Some("imp") => seek::<import::Entity>(caller, Action::ImportRead, &ids, Node::Import).await?,
            Some("pii") => seek::<pii::Entity>(caller, Action::PiiGrantRead, &ids, Node::PiiGrant).await?,
            Some("arv") => seek::<review::Entity>(caller, Action::AuditRead, &ids, Node::AuditReview).await?,
            Some("pgc") => seek::<pii::ChangeEntity>(caller, Action::AuditRead, &ids, Node::PiiGrantChange).await?,
            Some("tkt") => ticket::graphql::find(context, &ids)
                .await?
                .into_iter()
                .map(|ticket| (ticket.id.to_string(), Node::Ticket(ticket)))
                .collect(),
            Some("ext") => extraction::graphql::find(caller, &ids)
                .await?
                .into_iter()
                .map(|extraction| (extraction.id.to_string(), Node::Extraction(extraction)))
                .collect(),
            Some("exs") => {
                seek::<extraction::StepEntity>(caller, Action::AuditRead, &ids, Node::ExtractionStep).await?
            }
            Some("aud") => seek::<audit::Entity>(caller, Action::AuditRead, &ids, Node::AuditEntry).await?,
            Some("pch") => seek::<permission::Entity>(caller, Action::AuditRead, &ids, Node::PermissionChange).await?,
            Some("chg") => charges(caller, &ids).await?,
            _ => HashMap::new(),
        });
    }
    Ok(found)
}

/// The objects of one kind by their IDs, if the caller may see such objects at all.
async fn seek<E: Record>(
    caller: &Caller,
    action: Action,
    ids: &[&str],
    node: fn(E::Model) -> Node,
) -> Result<HashMap<String, Node>> {
    let Some(view) = caller.view_if_allowed(action).await? else {
        return Ok(HashMap::new());
    };
    let rows = view.seek_many::<E>(ids).await?;
    if let (Some(log), false) = (E::LOG, rows.is_empty()) {
        caller.has_read(action, log, &serde_json::to_string(ids)?, rows.len());
    }
    Ok(rows.into_iter().map(|row| (E::key(&row), node(row))).collect())
}

async fn charges(caller: &Caller, ids: &[&str]) -> Result<HashMap<String, Node>> {
    if caller.view_if_allowed(Action::ChargeRead).await?.is_none() {
        return Ok(HashMap::new());
    }
    let asked = ids.iter().filter_map(|id| of_charge_id(id));
    let read = asked.map(|(service, month)| charges_of(caller, service, (month, month)));
    let read = try_join_all(read).await?;
    Ok(read
        .into_iter()
        .flatten()
        .map(Arc::unwrap_or_clone)
        .map(|charge| (charge_id(charge.service_id, charge.month), Node::Charge(charge)))
        .collect())
}
