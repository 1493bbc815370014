//! How a member leaves, as far as the kernel knows: each area that hangs something on members says how that goes, and
//! whoever has him leave calls them all in one transaction.

use futures_util::future::BoxFuture;

use super::{MemberId, Result, Tx};

/// Takes from a member what an area has given him: row by row with the pen, so that each stands in the log.
pub type Departure = for<'t> fn(&'t Tx, MemberId) -> BoxFuture<'t, Result<()>>;
