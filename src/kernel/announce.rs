//! Whoever wants to know of deeds: asked inside the deed's transaction, when its entry is written, so that what he keeps of
//! it commits with it or not at all. The kernel only asks; areas to the right say who it is.

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{AuditEntryId, Result, Tx};

/// A deed that was done, as its entry in the audit log tells it.
#[derive(Debug, Clone)]
pub struct Announced {
    /// The entry.
    pub entry: AuditEntryId,
    /// The ID of what it is about; `None` where it is about nothing that has one.
    pub target: Option<String>,
    /// The service that it is about, where it is about one.
    pub service: Option<Uuid>,
}

/// Takes note of a deed. What it writes stands in no log of its own.
pub type Announce = for<'t> fn(&'t Tx, &'t Announced) -> BoxFuture<'t, Result<()>>;
