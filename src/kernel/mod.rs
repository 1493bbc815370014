//! What every area leans on; it knows no area's code. Read `caller.rs` first: its two doors are the only way to a
//! row. Then `reader.rs` (how rows are read), `tx.rs` (how they are written), `action.rs` (who may).
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the kernel is the gateway that these methods are kept for"
)]

pub mod action;
pub mod actor;
pub(crate) mod address;
pub mod app;
pub(crate) mod audit;
pub(crate) mod caller;
pub mod clock;
pub mod config;
pub(crate) mod db;
pub mod error;
pub(crate) mod id;
pub(crate) mod idempotency;
pub(crate) mod message;
pub(crate) mod outbox;
pub(crate) mod page;
pub(crate) mod payload;
pub mod random;
pub(crate) mod reader;
pub(crate) mod record;
pub(crate) mod routing;
pub mod scalar;
pub(crate) mod secret;
pub(crate) mod security;
pub(crate) mod shelf;
pub(crate) mod tx;
pub(crate) mod view;
pub mod zone;

pub use action::{Action, AuditLog, Role};
pub use actor::{Actor, Origin, SignedIn};
pub use app::App;
pub use caller::Caller;
pub use clock::{Clock, StoppedClock, SystemClock};
pub use config::Settings;
pub use db::Database;
pub use error::{Code, Error, Problem, Result};
pub use id::{
    AuditEntryId, ContractId, JobId, KeyId, MemberId, OrganizationId, PriceListId, RefreshTokenId, ServiceId, SessionId,
};
pub use idempotency::{Ask, On, Outcome, Plain};
pub use message::Language;
pub use outbox::Job;
pub use page::{Page, PageRequest};
pub use random::Random;
pub use reader::Reader;
pub use record::Record;
pub use scalar::{Day, Money, Timestamp};
pub use secret::Keys;
pub use tx::Tx;
pub use view::{Batch, View};
pub use zone::Month;
