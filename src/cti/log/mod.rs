//! CTI Log: what the telephone of each agent did, day by day, as his phone widget reports it. It is kept while CTI Log
//! 모니터링 is on, for as many days as the installation keeps it, and leaves as a file: the agent's own day for himself,
//! anybody's for owner and administrators. It is a log of telephones, not of customers: of a customer's number it keeps
//! what [`crate::kernel::mask`] leaves of it.

mod call;
mod day;
mod event;
mod extract;
mod file;
pub mod graphql;
mod input;
mod purge;
mod record;
mod sheet;

pub use call::{Model as Call, OUTBOUND, dialed};
pub use event::{Kind, State};
pub use extract::{CtiEventExtraction, SOURCE};
pub use file::{KIND as FILE, make as file};
pub use input::{CtiEventInput, CtiEventsRecordInput};
pub use purge::{KIND as PURGE, run as purge};
pub use record::{Kept, Recorded, record};
