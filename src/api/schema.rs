//! The API as a whole: the areas' parts merged, and what stands around every resolver.

use async_graphql::{Interface, MergedObject, MergedSubscription, SDLExportOptions, Schema};

use super::{
    guard::MAX_NESTING,
    menu::MenuQuery,
    node::{Node, NodeQuery},
    null_in_place::NullInPlace,
    progress::JobSubscription,
};
use crate::{
    admin::graphql::{AdminMutation, AdminQuery, AdminUserError},
    agent::graphql::{AgentMutation, AgentQuery, AgentUserError},
    audit::{
        graphql::AuditQuery,
        permission::PermissionQuery,
        review::graphql::{AuditReviewMutation, AuditReviewQuery, AuditReviewUserError},
    },
    billing::graphql::{BillingMutation, BillingQuery, UsageUserError},
    company::graphql::{CompanyMutation, CompanyQuery, CompanyUserError, PublicQuery},
    contract::graphql::{ContractMutation, ContractQuery, ContractUserError},
    cti::{
        graphql::{CtiMutation, CtiQuery, CtiUserError},
        log::graphql::{CtiLogMutation, CtiLogQuery, CtiLogUserError},
    },
    extraction::graphql::{ExtractionLogQuery, ExtractionMutation, ExtractionQuery, ExtractionUserError},
    field::graphql::{FieldMutation, FieldQuery, FieldUserError},
    import::graphql::{ImportMutation, ImportQuery, ImportUserError},
    member::{
        account::{AccountUserError, OwnMutation, PasswordMutation, PasswordQuery, SecondFactorMutation},
        graphql::{MemberMutation, MemberQuery, SessionUserError},
        identity::graphql::IdentityMutation,
        invitation::graphql::{InvitationMutation, InvitationQuery, InvitationUserError},
    },
    organization::{OrganizationKeyMutation, OrganizationMutation, OrganizationQuery, graphql::OrganizationUserError},
    partner::{
        graphql::{PartnerMutation, PartnerUserError},
        webhook::graphql::{WebhookMutation, WebhookQuery, WebhookUserError},
    },
    picture::graphql::{PictureMutation, PictureUserError},
    pii::graphql::{PiiGrantUserError, PiiLogQuery, PiiMutation, PiiQuery},
    service::graphql::{ServiceMutation, ServiceQuery, ServiceUserError},
    ticket::graphql::{TicketMutation, TicketQuery, TicketUserError},
};

/// The reads.
#[derive(MergedObject, Default)]
pub struct Query(PeopleQuery, DeskQuery, AboutQuery);

/// The reads of people: who they are, how they come, what they may.
#[derive(MergedObject, Default)]
pub struct PeopleQuery(
    MemberQuery,
    PasswordQuery,
    InvitationQuery,
    AdminQuery,
    AgentQuery,
    CtiQuery,
    PiiQuery,
    CtiLogQuery,
);

/// The reads of an organization and its services.
#[derive(MergedObject, Default)]
pub struct DeskQuery(
    OrganizationQuery,
    ServiceQuery,
    ContractQuery,
    BillingQuery,
    CompanyQuery,
    PublicQuery,
    FieldQuery,
    TicketQuery,
    WebhookQuery,
    ImportQuery,
    ExtractionQuery,
);

/// The reads about all of it: logs, the menu, anything by its ID.
#[derive(MergedObject, Default)]
pub struct AboutQuery(
    AuditQuery,
    AuditReviewQuery,
    PermissionQuery,
    PiiLogQuery,
    ExtractionLogQuery,
    MenuQuery,
    NodeQuery,
);

/// The writes. Each is one transaction: all of it happens, or nothing.
#[derive(MergedObject, Default)]
pub struct Mutation(AccountMutation, PeopleMutation, DeskMutation);

/// The writes of whoever signs in: sessions and credentials.
#[derive(MergedObject, Default)]
pub struct AccountMutation(
    MemberMutation,
    OwnMutation,
    PasswordMutation,
    SecondFactorMutation,
    IdentityMutation,
    PartnerMutation,
    AuditReviewMutation,
);

/// The writes of people: how they come and go, and what they may.
#[derive(MergedObject, Default)]
pub struct PeopleMutation(
    InvitationMutation,
    AdminMutation,
    AgentMutation,
    CtiMutation,
    PiiMutation,
    CtiLogMutation,
);

/// The writes of an organization and its services.
#[derive(MergedObject, Default)]
pub struct DeskMutation(
    OrganizationMutation,
    OrganizationKeyMutation,
    PictureMutation,
    ServiceMutation,
    ContractMutation,
    BillingMutation,
    CompanyMutation,
    FieldMutation,
    TicketMutation,
    WebhookMutation,
    ImportMutation,
    ExtractionMutation,
);

/// What is told live, over WebSocket by the protocol graphql-transport-ws: one root field per operation.
#[derive(MergedSubscription, Default)]
pub struct Subscription(JobSubscription);

/// Why a mutation did not do what was asked.
#[derive(Debug, Interface)]
#[graphql(
    field(
        name = "field",
        ty = "&Option<Vec<String>>",
        desc = "The path of the argument at fault, such as `[\"input\", \"name\"]`, list places as numbers; null where it is no one argument's."
    ),
    field(
        name = "message",
        ty = "String",
        desc = "What to tell the user, in the language of `Accept-Language`."
    )
)]
pub enum UserError {
    /// Of signing in and out.
    Session(SessionUserError),
    /// Of one's own account, its password and its second factor.
    Account(AccountUserError),
    /// Of invitations.
    Invitation(InvitationUserError),
    /// Of members and organization administrators.
    Admin(AdminUserError),
    /// Of pictures.
    Picture(PictureUserError),
    /// Of organizations and keys.
    Organization(OrganizationUserError),
    /// Of partner systems' tokens.
    Partner(PartnerUserError),
    /// Of webhooks.
    Webhook(WebhookUserError),
    /// Of services.
    Service(ServiceUserError),
    /// Of contracts.
    Contract(ContractUserError),
    /// Of usage.
    Usage(UsageUserError),
    /// Of company information.
    Company(CompanyUserError),
    /// Of agents.
    Agent(AgentUserError),
    /// Of CTI.
    Cti(CtiUserError),
    /// Of fields.
    Field(FieldUserError),
    /// Of grants to see personal data.
    PiiGrant(PiiGrantUserError),
    /// Of the CTI log.
    CtiLog(CtiLogUserError),
    /// Of tickets.
    Ticket(TicketUserError),
    /// Of imports.
    Import(ImportUserError),
    /// Of reviews of the logs.
    AuditReview(AuditReviewUserError),
    /// Of extractions.
    Extraction(ExtractionUserError),
}

/// The schema of the API.
pub type ApiSchema = Schema<Query, Mutation, Subscription>;

/// Builds the schema. It holds no data: each request brings its caller.
pub fn build() -> ApiSchema {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .register_output_type::<Node>()
        .register_output_type::<UserError>()
        .disable_suggestions()
        .limit_recursive_depth(MAX_NESTING as usize)
        .extension(NullInPlace)
        .finish()
}

/// The schema as text, as `schema.graphql` keeps it.
pub fn sdl(schema: &ApiSchema) -> String {
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .include_specified_by();
    schema.sdl_with_options(options)
}
