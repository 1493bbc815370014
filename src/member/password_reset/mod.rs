//! A new password that somebody asked for by mail. A letter carries a link that is good once and for half an hour; of its
//! token only the hash is kept, and only the newest letter's is good.
#![expect(
    missing_docs,
    reason = "columns that the API does not show say by their names what they are"
)]

pub(super) mod redeem;
pub(super) mod request;
mod send;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Duration;
use sea_orm::{QueryFilter, entity::prelude::*};
use serde::Serialize;

use crate::kernel::{
    App, MemberId, OrganizationId, PasswordResetId, Result, Timestamp, Tx, id::TypedId, record::record,
    secret::SecretBytes,
};

pub use send::{KIND, send};

/// For so long a link is good, from its sending.
const GOOD_FOR: Duration = Duration::minutes(30);

/// The longest text that is looked at as a token.
const LONGEST: usize = 200;

/// One reset; of its link only the hash is kept.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
#[sea_orm(table_name = "password_reset")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PasswordResetId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    pub member_id: MemberId,
    pub requested_at: Timestamp,
    pub expires_at: Timestamp,
    pub token_hash: Option<SecretBytes>,
    /// When it was used, or something made it worthless.
    pub used_at: Option<Timestamp>,
    /// The address of the network that it was used from; empty where it was not.
    pub used_from: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

record! { "password reset", PasswordResetId, label: id }

/// Makes every open link of a member worthless, and every letter that has not gone yet needless.
///
/// # Errors
/// Only if the database fails.
pub async fn close_all_of(tx: &Tx, member: MemberId) -> Result<()> {
    close_all_but(tx, member, None).await
}

async fn close_all_but(tx: &Tx, member: MemberId, except: Option<PasswordResetId>) -> Result<()> {
    let now = tx.now();
    let open = tx
        .select::<Entity>()
        .filter(Column::MemberId.eq(member))
        .filter(Column::UsedAt.is_null());
    for reset in open.all().await? {
        if Some(reset.id) != except {
            tx.update::<Entity>(reset, |row| row.used_at = Some(now)).await?;
        }
    }
    Ok(())
}

/// Whether a member has set a new password from this address by a link.
///
/// # Errors
/// Only if the database fails.
pub(super) async fn knows_address(reader: &crate::kernel::Reader, member: MemberId, address: &str) -> Result<bool> {
    let own = reader.select::<Entity>().filter(Column::MemberId.eq(member));
    Ok(!address.is_empty() && own.filter(Column::UsedFrom.eq(address)).one().await?.is_some())
}

/// A new token, which carries the organization that it is looked for in: `pwr_<organization>_<secret>`.
fn mint(app: &App, organization: OrganizationId) -> String {
    let organization = organization.to_string();
    let of = organization.split_once('_').map_or(organization.as_str(), |(_, of)| of);
    format!("pwr_{of}_{}", URL_SAFE_NO_PAD.encode(app.random.bytes::<32>()))
}

/// The organization that a token says it is of. Nothing is believed yet: the token is looked for there.
fn organization_of(token: &str) -> Option<OrganizationId> {
    let token = Some(token).filter(|token| token.len() <= LONGEST)?;
    let (organization, _) = token.strip_prefix("pwr_")?.split_once('_')?;
    format!("{}_{organization}", OrganizationId::PREFIX).parse().ok()
}
