//! Work that nobody waits for: the relay takes jobs that are due out of the outbox, apalis runs them, and each is done
//! through a caller's door like everything else.

mod keeper;
mod relay;
mod run;
#[cfg(test)]
mod tests;
mod ticker;

pub use relay::prepare;
pub use run::{run_due, work};
