//! A webhook: where to, for which events, and what its messages are signed with.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

use async_graphql::SimpleObject;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::kernel::{
    OrganizationId, Result, Timestamp, Tx, WebhookId,
    record::record,
    seal::{Broken, Cell, Keychain, Purpose, Sealed},
};

/// The names of kinds of events, as they are kept in one column.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Kinds(pub Vec<String>);

/// A webhook: a system of the organization's that is told of events.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, SimpleObject)]
#[sea_orm(table_name = "webhook")]
#[graphql(name = "Webhook", complex)]
pub struct Model {
    /// The globally unique ID.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookId,
    #[sea_orm(primary_key, auto_increment = false)]
    #[graphql(skip)]
    pub organization_id: OrganizationId,
    /// What it is called, 1 to 100 characters.
    pub name: String,
    /// Where messages are sent, by POST.
    pub url: String,
    #[graphql(skip)]
    pub kinds: Kinds,
    /// Whether it is told of events; while not, they are passed over.
    pub is_active: bool,
    #[graphql(skip)]
    pub challenge: String,
    /// When the system behind the URL first showed that it wants the messages, by answering a test; null before. Without that it is told of no event.
    pub verified_at: Option<Timestamp>,
    #[graphql(skip)]
    pub secret: Sealed,
    #[graphql(skip)]
    pub previous_secret: Option<Sealed>,
    /// Until when messages are signed with the previous secret too; null where there is none.
    pub previous_secret_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was removed; null while it was not.
    pub removed_at: Option<Timestamp>,
    /// Counts the changes: give it back as `expectedVersion`.
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "webhook", WebhookId, label: name, version: Version }

/// A fresh secret, as it is shown once: `whsec_` and 32 bytes in base 64.
pub(super) fn fresh_secret(tx: &Tx) -> String {
    format!("{PREFIX}{}", STANDARD.encode(tx.app().random.bytes::<32>()))
}

const PREFIX: &str = "whsec_";

/// The bytes of a secret, which messages are signed with.
pub(super) fn bytes_of(secret: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = secret.strip_prefix(PREFIX.as_bytes())?;
    STANDARD.decode(text).ok().map(Zeroizing::new)
}

/// Seals a secret for the row of this webhook.
///
/// # Errors
/// If the database fails, or the ring can't wrap.
pub(super) async fn seal(tx: &Tx, id: &WebhookId, secret: &str) -> Result<Sealed> {
    let chain = Keychain::for_sealing(tx, Purpose::WebhookSecret).await?;
    chain.seal(&tx.app().random, &cell(id), secret.as_bytes())
}

/// Opens a secret that was sealed for this row.
///
/// # Errors
/// Why it does not open.
pub(super) fn open(chain: &Keychain, id: &WebhookId, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Broken> {
    chain.open(&cell(id), sealed)
}

/// Both secrets of a webhook stand here: the present one becomes the previous one as it is.
pub(super) fn cell(id: &WebhookId) -> Cell<'_> {
    Cell {
        table: "webhook",
        column: "secret",
        row: id.0.as_bytes(),
    }
}
