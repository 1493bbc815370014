//! The token of a link that a letter brings: 256 random bits, behind what the link is for and the organization that it is
//! looked for in. Nothing that it says is believed: it is good where its hash is found.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::kernel::{App, OrganizationId, id::TypedId};

/// The longest text that is looked at.
const LONGEST: usize = 200;

/// A new token for links of a kind: `inv_<organization>_<secret>`.
pub(super) fn mint(app: &App, kind: &str, organization: OrganizationId) -> String {
    let organization = organization.to_string();
    let of = organization.split_once('_').map_or(organization.as_str(), |(_, of)| of);
    format!("{kind}_{of}_{}", URL_SAFE_NO_PAD.encode(app.random.bytes::<32>()))
}

/// The organization that a token of this kind says it is of.
pub(super) fn organization_of(kind: &str, token: &str) -> Option<OrganizationId> {
    let token = Some(token).filter(|token| token.len() <= LONGEST)?;
    let (organization, _) = token.strip_prefix(kind)?.strip_prefix('_')?.split_once('_')?;
    format!("{}_{organization}", OrganizationId::PREFIX).parse().ok()
}
