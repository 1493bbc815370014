//! How a member leaves, as far as the kernel knows: each area that hangs something on members says how that goes, and
//! whoever has him leave calls them all in one transaction.

use futures_util::future::BoxFuture;

use super::{MemberId, Reader, Result, Tx};

/// Takes from a member what an area has given him: row by row with the pen, so that each stands in the log.
pub type Departure = for<'t> fn(&'t Tx, MemberId) -> BoxFuture<'t, Result<()>>;

/// Whether an area's own things are so that a member who has them has to use a second factor, where his organization
/// demands it of such members.
pub type Demand = for<'r> fn(&'r Reader, MemberId) -> BoxFuture<'r, Result<bool>>;
