//! 로그 관리: the audit log and the permission-change log, to read, to verify, to review and to end. The kernel writes it.

pub mod anchor;
mod extract;
pub mod graphql;
pub mod permission;
mod purge;
pub mod review;
mod verify;

pub use extract::{ENTRIES, PERMISSION_CHANGES};
pub use purge::purge;
pub use verify::{Report, verify, verify_log};
