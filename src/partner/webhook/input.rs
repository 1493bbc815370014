//! What the verbs of webhooks are asked with.

use async_graphql::InputObject;
use serde::Serialize;

use crate::kernel::{Action, payload::asks};

/// A new webhook.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct WebhookCreateInput {
    /// Makes a retry safe; the repeated answer has no `secret`. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// What it is called, 1 to 100 characters.
    pub name: String,
    /// Where messages are sent, by POST: `https`, without user and fragment, at most 500 bytes. Not an address of this machine or of a private network, unless the operator allows it.
    pub url: String,
    /// The kinds of events that it is told of, 1 to 50.
    pub events: Vec<Action>,
}

/// Changes to a webhook. Absent fields stay as they are.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct WebhookUpdateInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
    /// What it is called, 1 to 100 characters.
    pub name: Option<String>,
    /// Where messages are sent, as for `webhookCreate`. Another one has to answer a test first, which is sent at once.
    pub url: Option<String>,
    /// The kinds of events that it is told of, 1 to 50.
    pub events: Option<Vec<Action>>,
    /// Whether it is told of events.
    pub is_active: Option<bool>,
}

/// How to replace a webhook's secret.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct WebhookRotateInput {
    /// Makes a retry safe; the repeated answer has no `secret`. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
    /// For how many hours messages are signed with the old secret too, 0 to 24.
    pub overlap_hours: i32,
}

/// How to remove a webhook.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct WebhookRemoveInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
    /// The `version` last read.
    pub expected_version: i32,
}

/// How to send a test.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct WebhookTestInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
}

/// How to send a message again.
#[derive(Debug, Clone, Serialize, InputObject)]
pub struct WebhookReplayInput {
    /// Makes a retry safe. 1 to 64 visible ASCII characters.
    pub idempotency_key: Option<String>,
    /// Answers as if it had been done, and changes nothing.
    pub dry_run: Option<bool>,
}

asks!(
    WebhookCreateInput,
    WebhookUpdateInput,
    WebhookRotateInput,
    WebhookRemoveInput,
    WebhookTestInput,
    WebhookReplayInput
);
