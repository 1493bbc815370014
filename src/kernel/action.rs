//! The one dictionary of what can be seen and done: each line is at once a permission, a kind of log entry and, for
//! verbs, a mutation. Who may is said here and nowhere else.

use async_graphql::Enum;

/// As whom somebody acts. Roles add up: an owner who is also an administrator has both.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// 소유자: the owner. Everything in the organization.
    Owner,
    /// 조직관리자: an organization administrator. Everything of this menu that is not the owner's alone.
    Administrator,
    /// 관리자: manages at least one service. Sees and employs the agents of his own services.
    Manager,
    /// 구성원: a member, with or without roles in services. Sees himself.
    Member,
    /// A partner system with an organization key, whatever the key's scopes.
    Key,
    /// A key that may see services and contracts.
    ReadingKey,
    /// A key that may add, contract, suspend and terminate services.
    ManagingKey,
    /// A key that may record metered usage.
    RecordingKey,
    /// A member who has to enroll a second factor first, as his organization demands, and can do nothing else.
    Enrolling,
    /// Nobody is signed in.
    Nobody,
    /// The service itself, at work on a job.
    System,
    /// Whoever runs the service, at its command line.
    Operator,
}

/// In which log an action stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Enum, sea_orm::EnumIter, sea_orm::DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AuditLog {
    /// 접속: sign-ins and sign-outs.
    Access,
    /// 관리: organization, services, contracts and charges.
    Management,
    /// 권한 변경: who may do what, organization keys included.
    Permission,
    /// 데이터 추출: files that left.
    Extraction,
    /// 개인정보 취급 권한: grants to see personal data, and their use.
    PiiGrant,
}

impl serde::Serialize for AuditLog {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&sea_orm::ActiveEnum::to_value(self))
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $log:expr, [$($role:ident),*] $(, $fresh:ident)?;)*) => {
        /// Something that can be seen or done. More may be added.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Enum)]
        #[graphql(name = "Permission")]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl serde::Serialize for Action {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl Action {
            /// Every action, in the order of the areas.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name as clients and logs see it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The log in which doing it stands; `None` where it only looks, or adds to a log of its own.
            pub fn log(self) -> Option<AuditLog> {
                match self { $(Self::$name => $log,)* }
            }

            /// Who may.
            pub fn roles(self) -> &'static [Role] {
                match self { $(Self::$name => &[$(Role::$role),*],)* }
            }

            /// Whether the password must have been given within the last five minutes.
            pub fn needs_confirmation(self) -> bool {
                match self { $(Self::$name => actions!(@fresh $($fresh)?),)* }
            }
        }
    };
    (@fresh) => { false };
    (@fresh confirmed) => { true };
}

const LOOK: Option<AuditLog> = None;
/// What adds to a table that is a log itself: each row says who and when.
const JOURNAL: Option<AuditLog> = None;
/// What is a part of something that stands in the log as a whole.
const STEP: Option<AuditLog> = None;
const ACCESS: Option<AuditLog> = Some(AuditLog::Access);
const MANAGEMENT: Option<AuditLog> = Some(AuditLog::Management);
const EXTRACTION: Option<AuditLog> = Some(AuditLog::Extraction);
const PERMISSION: Option<AuditLog> = Some(AuditLog::Permission);
const PII_GRANT: Option<AuditLog> = Some(AuditLog::PiiGrant);

actions! {
    /// See oneself.
    ViewerRead = "VIEWER_READ", LOOK, [Owner, Administrator, Member, Enrolling];
    /// See the organization, its members and its keys.
    OrganizationRead = "ORGANIZATION_READ", LOOK, [Owner, Administrator];
    /// Search members, and see invitations.
    MemberRead = "MEMBER_READ", LOOK, [Owner, Administrator, Manager];
    /// See services and the menu.
    ServiceRead = "SERVICE_READ", LOOK, [Owner, Administrator, ReadingKey];
    /// See contracts, the catalogue of items, and quotes.
    ContractRead = "CONTRACT_READ", LOOK, [Owner, Administrator, ReadingKey];
    /// See charges.
    ChargeRead = "CHARGE_READ", LOOK, [Owner, Administrator];
    /// See the agents of services; a manager, those of his own.
    AgentRead = "AGENT_READ", LOOK, [Owner, Administrator, Manager];
    /// See company information; a manager, to choose from it.
    CompanyRead = "COMPANY_READ", LOOK, [Owner, Administrator, Manager];
    /// See the CTI setting, and the CTI numbers of agents.
    CtiRead = "CTI_READ", LOOK, [Owner, Administrator];
    /// See the fields of services; without a rank, of those that one works in.
    FieldRead = "FIELD_READ", LOOK, [Owner, Administrator, Manager, Member];
    /// See the tickets of services that one works in, their personal data masked.
    TicketRead = "TICKET_READ", LOOK, [Owner, Administrator, Manager, Member];
    /// See who may see personal data in clear.
    PiiGrantRead = "PII_GRANT_READ", LOOK, [Owner, Administrator];
    /// See on which days the telephones of others left a CTI log.
    CtiLogRead = "CTI_LOG_READ", LOOK, [Owner, Administrator];
    /// See imports, and the templates that they are made of.
    ImportRead = "IMPORT_READ", LOOK, [Owner, Administrator, Operator];
    /// See one's own extractions.
    ExtractionRead = "EXTRACTION_READ", LOOK, [Owner, Administrator, Manager, Member];
    /// Read the audit log.
    AuditRead = "AUDIT_READ", LOOK, [Owner, Administrator];

    /// Sign in.
    SessionStart = "SESSION_START", ACCESS, [Nobody, Owner, Administrator, Member, Enrolling, Operator, Key];
    /// Sign in with an identity provider's token.
    SessionExchange = "SESSION_EXCHANGE", ACCESS, [Nobody, Owner, Administrator, Member, Enrolling, Operator, Key];
    /// Get a new access token.
    SessionRefresh = "SESSION_REFRESH", ACCESS, [Nobody, Owner, Administrator, Member, Enrolling, Key];
    /// Get a token for an organization key.
    PartnerTokenIssue = "PARTNER_TOKEN_ISSUE", ACCESS, [Nobody, Owner, Administrator, Member, Enrolling, Key];
    /// Have noted that an organization key was used, and from where.
    KeyUseNote = "KEY_USE_NOTE", LOOK, [Key];
    /// Confirm who one is, for what needs that.
    SessionConfirm = "SESSION_CONFIRM", ACCESS, [Owner, Administrator, Member, Enrolling];
    /// Sign out.
    SessionEnd = "SESSION_END", ACCESS, [Owner, Administrator, Member, Enrolling];
    /// Sign out everywhere.
    SessionEndAll = "SESSION_END_ALL", ACCESS, [Owner, Administrator, Member, Enrolling];
    /// End another of one's sessions.
    SessionRevoke = "SESSION_REVOKE", ACCESS, [Owner, Administrator, Member, Enrolling];
    /// Change one's password.
    PasswordChange = "PASSWORD_CHANGE", ACCESS, [Owner, Administrator, Member, Enrolling];
    /// Ask for a letter with a link that sets a new password.
    PasswordResetRequest = "PASSWORD_RESET_REQUEST", ACCESS, [Nobody, Owner, Administrator, Member, Enrolling, Key];
    /// Set a new password by such a link.
    PasswordReset = "PASSWORD_RESET", ACCESS, [Nobody, Owner, Administrator, Member, Enrolling, Key];
    /// Begin to use a second factor.
    SecondFactorEnroll = "SECOND_FACTOR_ENROLL", ACCESS, [Owner, Administrator, Member, Enrolling], confirmed;
    /// Prove the second factor for the first time.
    SecondFactorActivate = "SECOND_FACTOR_ACTIVATE", ACCESS, [Owner, Administrator, Member, Enrolling], confirmed;
    /// Give up one's second factor.
    SecondFactorRemove = "SECOND_FACTOR_REMOVE", ACCESS, [Owner, Administrator, Member], confirmed;
    /// Get new recovery codes.
    RecoveryCodesRenew = "RECOVERY_CODES_RENEW", ACCESS, [Owner, Administrator, Member], confirmed;
    /// Change one's own name, e-mail address or language.
    ViewerUpdate = "VIEWER_UPDATE", ACCESS, [Owner, Administrator, Member];

    /// Create an organization with its owner.
    OrganizationCreate = "ORGANIZATION_CREATE", PERMISSION, [Operator];
    /// Allow an organization what has to be agreed on first.
    OrganizationApprove = "ORGANIZATION_APPROVE", PERMISSION, [Operator];
    /// Change the organization's name or time zone; its domain, for the owner.
    OrganizationUpdate = "ORGANIZATION_UPDATE", MANAGEMENT, [Owner, Administrator];
    /// Keep a picture, to be shown as logo or banner.
    PictureUpload = "PICTURE_UPLOAD", MANAGEMENT, [Owner, Administrator];
    /// Take away pictures that nobody shows.
    PictureSweep = "PICTURE_SWEEP", MANAGEMENT, [System];
    /// Make an organization key.
    OrganizationKeyCreate = "ORGANIZATION_KEY_CREATE", PERMISSION, [Owner, Administrator], confirmed;
    /// Change an organization key: its name, its scopes, its addresses.
    OrganizationKeyUpdate = "ORGANIZATION_KEY_UPDATE", PERMISSION, [Owner, Administrator], confirmed;
    /// Replace an organization key.
    OrganizationKeyRotate = "ORGANIZATION_KEY_ROTATE", PERMISSION, [Owner, Administrator], confirmed;
    /// Revoke an organization key.
    OrganizationKeyRevoke = "ORGANIZATION_KEY_REVOKE", PERMISSION, [Owner, Administrator], confirmed;

    /// See webhooks and their messages.
    WebhookRead = "WEBHOOK_READ", LOOK, [Owner, Administrator];
    /// Make a webhook.
    WebhookCreate = "WEBHOOK_CREATE", MANAGEMENT, [Owner, Administrator], confirmed;
    /// Change a webhook.
    WebhookUpdate = "WEBHOOK_UPDATE", MANAGEMENT, [Owner, Administrator], confirmed;
    /// Replace a webhook's secret.
    WebhookRotate = "WEBHOOK_ROTATE", MANAGEMENT, [Owner, Administrator], confirmed;
    /// Remove a webhook.
    WebhookRemove = "WEBHOOK_REMOVE", MANAGEMENT, [Owner, Administrator];
    /// Send a test to a webhook.
    WebhookTest = "WEBHOOK_TEST", MANAGEMENT, [Owner, Administrator];
    /// Send a message to a webhook again.
    WebhookReplay = "WEBHOOK_REPLAY", MANAGEMENT, [Owner, Administrator];
    /// Note how a message to a webhook fared.
    WebhookDeliver = "WEBHOOK_DELIVER", LOOK, [System];
    /// End the messages to webhooks that are long over.
    WebhookPurge = "WEBHOOK_PURGE", MANAGEMENT, [System];

    /// Wrap an organization's data keys anew, under the first key of the ring.
    DataKeyRewrap = "DATA_KEY_REWRAP", MANAGEMENT, [Operator];
    /// Replace the data keys.
    DataKeyRotate = "DATA_KEY_ROTATE", MANAGEMENT, [Operator];

    /// See the identity providers that sign people in.
    IdentityProviderRead = "IDENTITY_PROVIDER_READ", LOOK, [Operator];
    /// Let an identity provider sign people in, or change how.
    IdentityProviderSet = "IDENTITY_PROVIDER_SET", PERMISSION, [Operator];
    /// Let an identity provider sign nobody in any more.
    IdentityProviderRemove = "IDENTITY_PROVIDER_REMOVE", PERMISSION, [Operator];
    /// Say who a member is at an identity provider.
    IdentityLink = "IDENTITY_LINK", PERMISSION, [Operator];
    /// Forget who a member is at an identity provider.
    IdentityUnlink = "IDENTITY_UNLINK", PERMISSION, [Operator];

    /// Add a member without an invitation.
    MemberCreate = "MEMBER_CREATE", PERMISSION, [Operator];
    /// Invite somebody to become a member.
    MemberInvite = "MEMBER_INVITE", PERMISSION, [Owner, Administrator, Manager];
    /// Invite many at once.
    MemberInviteMany = "MEMBER_INVITE_MANY", PERMISSION, [Owner, Administrator, Manager];
    /// Send an invitation again.
    InvitationResend = "INVITATION_RESEND", PERMISSION, [Owner, Administrator, Manager, Operator];
    /// Correct an invitation's address, and send it again.
    InvitationUpdate = "INVITATION_UPDATE", PERMISSION, [Owner, Administrator, Manager, Operator];
    /// Take an invitation back.
    InvitationRevoke = "INVITATION_REVOKE", PERMISSION, [Owner, Administrator, Manager];
    /// Accept an invitation, and become a member.
    InvitationAccept = "INVITATION_ACCEPT", PERMISSION, [Nobody, Owner, Administrator, Member, Enrolling, Key];
    /// Send the letters of invitations and resets.
    LetterSend = "LETTER_SEND", ACCESS, [System];
    /// Correct a member's name or e-mail address.
    MemberUpdate = "MEMBER_UPDATE", PERMISSION, [Owner, Administrator], confirmed;
    /// Take a member out of the organization, with all his rights.
    MemberRemove = "MEMBER_REMOVE", PERMISSION, [Owner, Administrator], confirmed;
    /// Leave the organization oneself.
    MemberLeave = "MEMBER_LEAVE", PERMISSION, [Owner, Administrator, Member], confirmed;
    /// Take away the second factor of a member who has lost it.
    SecondFactorReset = "SECOND_FACTOR_RESET", PERMISSION, [Owner, Administrator], confirmed;
    /// Make another member the owner in one's own place.
    OwnershipTransfer = "OWNERSHIP_TRANSFER", PERMISSION, [Owner], confirmed;
    /// Make a member an organization administrator.
    AdminAdd = "ADMIN_ADD", PERMISSION, [Owner, Administrator], confirmed;
    /// Take an organization administrator's role away.
    AdminRemove = "ADMIN_REMOVE", PERMISSION, [Owner, Administrator], confirmed;

    /// Add a service, with a draft of its contract.
    ServiceCreate = "SERVICE_CREATE", MANAGEMENT, [Owner, Administrator, ManagingKey];
    /// Change a service's basic information.
    ServiceUpdate = "SERVICE_UPDATE", MANAGEMENT, [Owner, Administrator, ManagingKey];
    /// Suspend a service.
    ServiceSuspend = "SERVICE_SUSPEND", MANAGEMENT, [Owner, Administrator, ManagingKey];
    /// Put a suspended service to use again.
    ServiceResume = "SERVICE_RESUME", MANAGEMENT, [Owner, Administrator, ManagingKey];
    /// Terminate a suspended service.
    ServiceTerminate = "SERVICE_TERMINATE", MANAGEMENT, [Owner, Administrator, ManagingKey];

    /// Save the draft of a contract.
    ContractDraft = "CONTRACT_DRAFT", MANAGEMENT, [Owner, Administrator, ManagingKey];
    /// Complete a contract.
    ContractSign = "CONTRACT_SIGN", MANAGEMENT, [Owner, Administrator, ManagingKey];
    /// Edit a contract in force.
    ContractUpdate = "CONTRACT_UPDATE", MANAGEMENT, [Owner, Administrator, ManagingKey];
    /// Set a discount or free-trial days of a contract.
    ContractDiscount = "CONTRACT_DISCOUNT", MANAGEMENT, [Operator];

    /// Record metered usage.
    UsageRecord = "USAGE_RECORD", MANAGEMENT, [Owner, System, RecordingKey];
    /// Close a month's charges.
    MonthClose = "MONTH_CLOSE", MANAGEMENT, [System];

    /// Add an entry of company information.
    CompanyCreate = "COMPANY_CREATE", MANAGEMENT, [Owner, Administrator];
    /// Change an entry of company information.
    CompanyUpdate = "COMPANY_UPDATE", MANAGEMENT, [Owner, Administrator];
    /// Remove an entry of company information.
    CompanyRemove = "COMPANY_REMOVE", MANAGEMENT, [Owner, Administrator];
    /// Show company information at the foot of a help center, or no longer.
    CompanyPublish = "COMPANY_PUBLISH", MANAGEMENT, [Owner, Administrator];

    /// Put a member into a service, as its manager or as an agent.
    AgentAdd = "AGENT_ADD", PERMISSION, [Owner, Administrator, Manager, Operator], confirmed;
    /// Change an agent's role and rights.
    AgentUpdate = "AGENT_UPDATE", PERMISSION, [Owner, Administrator, Manager], confirmed;
    /// Change the roles and rights of many agents at once.
    AgentUpdateMany = "AGENT_UPDATE_MANY", PERMISSION, [Owner, Administrator, Manager], confirmed;
    /// Take a member out of a service.
    AgentRemove = "AGENT_REMOVE", PERMISSION, [Owner, Administrator, Manager], confirmed;

    /// Change the CTI setting.
    CtiSettingUpdate = "CTI_SETTING_UPDATE", MANAGEMENT, [Owner, Administrator];
    /// Fetch the workbook of CTI agents.
    CtiAgentDownload = "CTI_AGENT_DOWNLOAD", EXTRACTION, [Owner, Administrator];
    /// Give CTI IDs and numbers to agents by a workbook.
    CtiAgentImport = "CTI_AGENT_IMPORT", MANAGEMENT, [Owner, Administrator];
    /// Give CTI IDs and numbers to agents, and take them back.
    CtiAgentUpdateMany = "CTI_AGENT_UPDATE_MANY", MANAGEMENT, [Owner, Administrator];
    /// Add a field to a service.
    FieldAdd = "FIELD_ADD", MANAGEMENT, [Owner, Manager];
    /// Change a field.
    FieldUpdate = "FIELD_UPDATE", MANAGEMENT, [Owner, Manager];
    /// Put the fields of a service into another order.
    FieldReorder = "FIELD_REORDER", MANAGEMENT, [Owner, Manager];
    /// Remove a field from a service.
    FieldRemove = "FIELD_REMOVE", MANAGEMENT, [Owner, Manager];

    /// Let a member see personal data in clear.
    PiiGrantCreate = "PII_GRANT_CREATE", PII_GRANT, [Owner, Administrator], confirmed;
    /// Change such a grant.
    PiiGrantUpdate = "PII_GRANT_UPDATE", PII_GRANT, [Owner, Administrator], confirmed;
    /// Take such a grant back.
    PiiGrantRevoke = "PII_GRANT_REVOKE", PII_GRANT, [Owner, Administrator], confirmed;
    /// Note that the time of such a grant is over.
    PiiGrantLapse = "PII_GRANT_LAPSE", PII_GRANT, [System];
    /// Add a ticket to a service that one works in.
    TicketCreate = "TICKET_CREATE", MANAGEMENT, [Owner, Administrator, Manager, Member];
    /// Change a ticket of a service that one works in.
    TicketUpdate = "TICKET_UPDATE", MANAGEMENT, [Owner, Administrator, Manager, Member];
    /// See personal data of tickets in clear, with a grant.
    TicketReveal = "TICKET_REVEAL", PII_GRANT, [Owner, Administrator, Manager, Member];
    /// Add the tickets of telephone calls.
    TicketFromCall = "TICKET_FROM_CALL", MANAGEMENT, [System];
    /// Take a file of tickets in, to be looked at.
    ImportUpload = "IMPORT_UPLOAD", MANAGEMENT, [Owner, Administrator];
    /// Have a file of tickets imported in the coming night.
    ImportConfirm = "IMPORT_CONFIRM", MANAGEMENT, [Owner, Administrator];
    /// Give up an import that has not begun.
    ImportDelete = "IMPORT_DELETE", MANAGEMENT, [Owner, Administrator];
    /// Take away again what an import has brought.
    ImportUndo = "IMPORT_UNDO", MANAGEMENT, [Owner, Administrator], confirmed;
    /// Download one's file with what is wrong in it.
    ImportFileDownload = "IMPORT_FILE_DOWNLOAD", EXTRACTION, [Owner, Administrator];
    /// Look through a file of tickets.
    ImportCheck = "IMPORT_CHECK", MANAGEMENT, [System];
    /// End an import, whose rows became tickets in its night.
    ImportRun = "IMPORT_RUN", MANAGEMENT, [System];
    /// End the taking away of what an import has brought.
    ImportTakeBack = "IMPORT_TAKE_BACK", MANAGEMENT, [System];
    /// Tell how far an import is.
    ImportProgress = "IMPORT_PROGRESS", STEP, [System];
    /// Take away files of tickets that are not needed any more.
    ImportSweep = "IMPORT_SWEEP", MANAGEMENT, [System];
    /// Have a list leave as a file.
    ExtractionRequest = "EXTRACTION_REQUEST", EXTRACTION, [Owner, Administrator, Manager, Member];
    /// Download the file of one's own extraction.
    ExtractionDownload = "EXTRACTION_DOWNLOAD", EXTRACTION, [Owner, Administrator, Manager, Member];
    /// End the making of a file.
    ExtractionRun = "EXTRACTION_RUN", EXTRACTION, [System];
    /// Tell how far a file is.
    ExtractionProgress = "EXTRACTION_PROGRESS", STEP, [System];
    /// Destroy files that nobody needs or may have any more.
    ExtractionSweep = "EXTRACTION_SWEEP", EXTRACTION, [System];
    /// Add the events of one's telephone to the CTI log.
    CtiEventsRecord = "CTI_EVENTS_RECORD", JOURNAL, [Owner, Administrator, Member];
    /// Download a day of the CTI log: one's own, or as owner or administrator anybody's.
    CtiLogDownload = "CTI_LOG_DOWNLOAD", EXTRACTION, [Owner, Administrator, Member];
    /// Have entries of the logs go whose time is over.
    AuditPurge = "AUDIT_PURGE", MANAGEMENT, [System];
    /// Sign the review of the logs of a period.
    AuditReviewSign = "AUDIT_REVIEW_SIGN", MANAGEMENT, [Owner, Administrator], confirmed;
    /// Have days of the CTI log go whose time is over.
    CtiLogPurge = "CTI_LOG_PURGE", MANAGEMENT, [System];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_administrator_reaches_no_more_than_the_owner() {
        for action in Action::ALL {
            if action.roles().contains(&Role::Administrator) {
                assert!(action.roles().contains(&Role::Owner), "{}", action.name());
            }
        }
    }
}
