//! 로그 관리: the audit log and the permission-change log, to read and to verify. The kernel writes it.

mod extract;
pub mod graphql;
pub mod permission;
mod verify;

pub use extract::{ENTRIES, PERMISSION_CHANGES};
pub use verify::{Report, verify};
