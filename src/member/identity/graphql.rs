//! `sessionExchange`, as the API has it.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object};

use crate::{
    kernel::{Caller, Result, payload::payload},
    member::{
        graphql::{SessionUserError, answer},
        identity,
        session::Tokens,
    },
};

payload! { SessionExchangePayload, "sessionExchange", SessionUserError, {
    /// The tokens; null where there are user errors.
    tokens: Tokens,
} }

/// What to sign in with, where an identity provider knows the member.
#[derive(Debug, InputObject)]
pub struct SessionExchangeInput {
    /// The organization's domain, such as `demo`.
    pub organization: String,
    /// An ID token of one of the organization's identity providers, at most 16,384 bytes. It is good once. Compare its `nonce` before you send it.
    #[graphql(secret)]
    pub token: String,
}

/// Signing in by an identity provider.
#[derive(Debug, Default)]
pub struct IdentityMutation;

#[Object]
impl IdentityMutation {
    /// Signs in with an ID token of an identity provider of the organization. No code of a second factor is asked for, also of a member who uses one and where the organization demands one: the provider vouches for the person. Needs nobody: `SESSION_EXCHANGE`.
    async fn session_exchange(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What to sign in with.")] input: SessionExchangeInput,
    ) -> Result<SessionExchangePayload> {
        let caller = context.data_unchecked::<Arc<Caller>>();
        let exchanged = identity::exchange(caller, &input.organization, &input.token).await;
        let (tokens, user_errors) = answer(exchanged)?;
        Ok(SessionExchangePayload { tokens, user_errors })
    }
}
