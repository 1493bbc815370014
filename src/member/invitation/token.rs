//! The token of a link: 256 random bits, behind the organization that it is looked for in. Nothing that it says is
//! believed: it is good where its hash is found.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::kernel::{App, OrganizationId, id::TypedId};

/// The longest text that is looked at.
const LONGEST: usize = 200;

/// A new token: `inv_<organization>_<secret>`.
pub(super) fn mint(app: &App, organization: OrganizationId) -> String {
    let organization = organization.to_string();
    let of = organization.split_once('_').map_or(organization.as_str(), |(_, of)| of);
    format!("inv_{of}_{}", URL_SAFE_NO_PAD.encode(app.random.bytes::<32>()))
}

/// The organization that a token says it is of.
pub(super) fn organization_of(token: &str) -> Option<OrganizationId> {
    let token = Some(token).filter(|token| token.len() <= LONGEST)?;
    let (organization, _) = token.strip_prefix("inv_")?.split_once('_')?;
    format!("{}_{organization}", OrganizationId::PREFIX).parse().ok()
}
