//! 로그 관리: the audit log, to read and to verify. The kernel writes it.

pub mod graphql;
mod verify;

pub use verify::{Report, verify};
