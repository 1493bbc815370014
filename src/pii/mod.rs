//! 개인정보 취급 권한: who may see personal data in clear, from where, of which services, for what and until when. Everybody
//! else sees them masked. Each grant, each change of one and its end stand in a log of their own; the decision itself is
//! the kernel's.

mod access;
mod change;
mod extract;
mod grant;
pub mod graphql;
mod input;
mod network;
mod rules;

use futures_util::future::{BoxFuture, FutureExt as _};

use crate::kernel::{MemberId, Reader, Result, Tx};

pub use access::{Access, access};
pub use change::{Entity as ChangeEntity, Model as PiiGrantChange, PURGED_AT_ONCE, has_changes_before, purge_changes};
pub use extract::SOURCE;
pub use grant::{Column, Entity, Model, Model as PiiGrant, Status, active};
pub use input::{PiiGrantCreateInput, PiiGrantRevokeInput};
pub use rules::{LAPSE, create, lapse, remove_agent, revoke};

/// Takes the grant of a member who leaves.
pub fn depart(tx: &Tx, member: MemberId) -> BoxFuture<'_, Result<()>> {
    rules::take(tx, member).boxed()
}

/// Whether a member holds a grant that was neither taken back nor has ended: of such members an organization can demand a
/// second factor.
pub fn holds(reader: &Reader, member: MemberId) -> BoxFuture<'_, Result<bool>> {
    async move { Ok(grant::active(reader, member).await?.is_some()) }.boxed()
}
