//! Who somebody is at the moment of his deed, as far as the kernel knows: asked inside the write transaction, after the
//! organization's turn has come, so that a right that was taken while he waited is gone.

use futures_util::future::BoxFuture;

use super::{Actor, App, Reader, Result};

/// A member by one of his sessions, or a partner by its key, as he is now; `None` where either is no more.
pub type Standing = for<'r> fn(&'r App, &'r Reader, &'r Actor) -> BoxFuture<'r, Result<Option<Actor>>>;
