//! What the API says of partner systems.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};

use super::issue::{self, Issued};
use crate::{
    kernel::{
        Caller, Problem, Result, Timestamp,
        payload::{payload, settle, user_errors},
    },
    organization::key::Scope,
};

user_errors! { PartnerUserError, PartnerErrorCode, "a partner system's token", {
    /// The organization or the key is not right, or the key is dead; it is not said which.
    CredentialsRefused,
    /// The key is right, but may not be used from this address.
    AddressNotAllowed,
    /// There were too many attempts; `availableAt` says when the next one is taken.
    SignInBlocked,
} }

/// What a partner system sends with its requests.
#[derive(Debug, SimpleObject)]
pub struct PartnerToken {
    /// The token to send as `Authorization: Bearer …`. A JWT.
    access_token: String,
    /// Until when it is good: ten minutes, and never longer than its key.
    expires_at: Timestamp,
    /// What its key may be used for, at most 10.
    scopes: Vec<Scope>,
}

payload! { PartnerTokenIssuePayload, "partnerTokenIssue", PartnerUserError, {
    /// The token; null where there are user errors.
    token: PartnerToken,
} }

/// What a partner system shows.
#[derive(Debug, InputObject)]
pub struct PartnerTokenIssueInput {
    /// 조직 ID: the organization's `code`, or its domain.
    pub organization: String,
    /// The organization key, `oc_v1_…`.
    #[graphql(secret)]
    pub key: String,
}

/// What partner systems do before they are known.
#[derive(Debug, Default)]
pub struct PartnerMutation;

#[Object]
impl PartnerMutation {
    /// Gets a token for an organization key, for a partner system. What ends the key ends its tokens with the next request. Needs nobody: `PARTNER_TOKEN_ISSUE`.
    async fn partner_token_issue(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it shows.")] input: PartnerTokenIssueInput,
    ) -> Result<PartnerTokenIssuePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let (issued, mut problems) = settle(issue::issue(caller, &input.organization, &input.key).await)?;
        let token = match issued {
            Some(Issued::Token {
                text,
                expires_at,
                scopes,
            }) => Some(PartnerToken {
                access_token: text,
                expires_at,
                scopes,
            }),
            Some(Issued::Refused(code)) => {
                problems.push(Problem::at("input.key", code));
                None
            }
            None => None,
        };
        Ok(PartnerTokenIssuePayload {
            token,
            user_errors: PartnerUserError::all(problems)?,
        })
    }
}
