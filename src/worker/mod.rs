//! Work that nobody waits for: the relay takes jobs that are due out of the outbox, apalis runs them, and each is done
//! through a caller's door like everything else.

mod keeper;
mod purge;
mod relay;
mod run;
#[cfg(test)]
mod tests;
mod ticker;

pub use purge::{Purged, purge_logs};
pub use relay::prepare;
pub use run::{run_due, work};
