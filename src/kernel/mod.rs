//! What every area leans on; it knows no area's code. Read `caller.rs` first: its two doors are the only way to a
//! row, with a third in `journal.rs` for tables that are logs themselves. Then `reader.rs` (how rows are read), `tx.rs`
//! (how they are written), `action.rs` (who may).
//!
//! # What does not compile
//! Each of these stands beside its twin that does.
//!
//! Rows are read through a view, which shows one organization's; the view is no connection.
//! ```
//! # use orgdesk::kernel::{Record, Result, View};
//! async fn rows<E: Record>(view: &View) -> Result<Vec<E::Model>> {
//!     view.select::<E>().all().await
//! }
//! ```
//! ```compile_fail
//! # use orgdesk::kernel::{Record, Result, View};
//! async fn rows<E: Record>(view: &View) -> Result<Vec<E::Model>> {
//!     Ok(E::find().all(view).await?)
//! }
//! ```
//!
//! Rows are written with a `Tx`, which tells the log; a view can't write, and the database lends its connection to
//! nobody.
//! ```
//! # use orgdesk::kernel::{Record, Result, Tx};
//! async fn add<E: Record>(tx: &Tx, row: E::Model) -> Result<E::Model> {
//!     tx.create::<E>(row).await
//! }
//! ```
//! ```compile_fail
//! # use orgdesk::kernel::{Record, Result, View};
//! async fn add<E: Record>(view: &View, row: E::Model) -> Result<E::Model> {
//!     view.create::<E>(row).await
//! }
//! ```
//! ```compile_fail
//! # use orgdesk::kernel::{Record, Result, Tx};
//! # use sea_orm::{EntityTrait, IntoActiveModel};
//! async fn add<E: Record>(tx: &Tx, row: E::Model) -> Result<()> {
//!     E::insert(row.into_active_model()).exec_without_returning(tx).await?;
//!     Ok(())
//! }
//! ```
//! ```compile_fail
//! # use orgdesk::kernel::App;
//! async fn connection(app: &App) {
//!     app.database.raw();
//! }
//! ```
//!
//! A standby that views may come from is seen by the kernel alone, and gives it views and nothing else.
//! ```
//! # use orgdesk::kernel::App;
//! fn counts(app: &App) -> bool {
//!     app.database.replica_told().is_some()
//! }
//! ```
//! ```compile_fail
//! # use orgdesk::kernel::App;
//! fn standby(app: &App) -> bool {
//!     app.database.replica().is_some()
//! }
//! ```
//!
//! A `Tx` is made by `act` alone, which asks for the permission first, and does not outlive the deed.
//! ```
//! # use orgdesk::kernel::{Action, Caller, Outcome, Plain, Result, Tx};
//! async fn done<T: Outcome + Send>(caller: &Caller, outcome: T) -> Result<T> {
//!     caller.act(Action::ServiceUpdate, &Plain, async |tx: &Tx| { tx.now(); Ok(outcome) }).await
//! }
//! ```
//! ```compile_fail
//! # use orgdesk::kernel::{Action, Caller, Outcome, Plain, Result, Tx};
//! async fn done<T: Outcome + Send>(caller: &Caller, outcome: T) -> Result<T> {
//!     let mut kept: Option<&Tx> = None;
//!     caller.act(Action::ServiceUpdate, &Plain, async |tx: &Tx| { kept = Some(tx); Ok(outcome) }).await
//! }
//! ```
//! ```compile_fail
//! # use orgdesk::kernel::{Action, Caller, Result, Tx};
//! async fn begun(caller: &Caller) -> Result<Tx> {
//!     let of = caller.organization_id().unwrap();
//!     Tx::begin(caller.app().clone(), caller.actor().clone(), caller.origin().clone(), Action::ServiceUpdate.into(), of).await
//! }
//! ```
//!
//! Without an entry in the log, rows are only added, and only to tables that are logs themselves.
//! ```
//! # use orgdesk::kernel::{Journal, JournalPen, Result};
//! async fn add<E: Journal>(pen: &JournalPen, rows: Vec<E::Model>) -> Result<u64> {
//!     pen.add::<E>(rows).await
//! }
//! ```
//! ```compile_fail
//! # use orgdesk::kernel::{JournalPen, Record, Result};
//! async fn add<E: Record>(pen: &JournalPen, rows: Vec<E::Model>) -> Result<u64> {
//!     pen.add::<E>(rows).await
//! }
//! ```
//!
//! A credential is no field of an answer.
//! ```
//! #[derive(async_graphql::SimpleObject)]
//! struct Key { /** What people see. */ hint: String }
//! ```
//! ```compile_fail
//! # use orgdesk::kernel::secret::SecretText;
//! #[derive(async_graphql::SimpleObject)]
//! struct Key { /** What people see. */ hint: SecretText }
//! ```
//!
//! Personal data leave masked; in clear only with the token of the decision that somebody may see them, which nobody else
//! makes.
//! ```
//! # use orgdesk::kernel::{Personal, Unmasking};
//! fn shown(value: &Personal, token: Option<&Unmasking>) -> String {
//!     token.and_then(|token| value.reveal(token)).map_or_else(|| value.masked(), str::to_owned)
//! }
//! ```
//! ```compile_fail
//! # use orgdesk::kernel::Personal;
//! fn shown(value: &Personal) -> String {
//!     value.clear().to_owned()
//! }
//! ```
//! ```compile_fail
//! # use orgdesk::kernel::Personal;
//! fn shown(value: &Personal) -> String {
//!     serde_json::to_string(value).unwrap_or_default()
//! }
//! ```
//! ```compile_fail
//! # use orgdesk::kernel::{MemberId, ServiceId, Unmasking};
//! fn token(service: ServiceId, by: MemberId) -> Unmasking {
//!     Unmasking { service, by }
//! }
//! ```
//! ```compile_fail
//! # use orgdesk::kernel::seal::Sealed;
//! #[derive(async_graphql::SimpleObject)]
//! struct Value { /** What people see. */ phone: Sealed }
//! ```
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the kernel is the gateway that these methods are kept for"
)]

pub mod action;
pub mod actor;
pub(crate) mod address;
mod anew;
pub(crate) mod announce;
pub mod app;
mod aside;
pub(crate) mod at_hand;
pub(crate) mod audit;
mod bulk;
pub(crate) mod caller;
mod checkpoint;
pub mod clock;
pub mod config;
pub(crate) mod constant;
pub(crate) mod db;
pub(crate) mod departure;
mod difference;
pub mod download;
mod entry;
pub mod error;
pub mod extract;
mod fetches;
mod flush;
mod handling;
mod heard;
pub(crate) mod id;
pub(crate) mod idempotency;
pub(crate) mod journal;
pub mod json;
pub(crate) mod jwt;
mod looks;
pub mod mail;
mod many;
pub mod mask;
pub(crate) mod message;
pub mod money;
pub(crate) mod outbox;
pub(crate) mod page;
pub(crate) mod payload;
pub(crate) mod permission;
pub mod personal;
mod pools;
pub mod random;
pub(crate) mod reader;
pub(crate) mod record;
pub(crate) mod replay;
mod replica;
pub(crate) mod routing;
pub mod scalar;
pub mod seal;
pub(crate) mod secret;
pub(crate) mod security;
pub(crate) mod shelf;
pub mod snapshot;
pub(crate) mod standing;
pub mod store;
pub mod trace;
mod transaction;
mod turn;
pub(crate) mod tx;
pub mod upload;
pub(crate) mod view;
pub(crate) mod watch;
pub mod zone;

pub use action::{Action, AuditLog, Role};
pub use actor::{Actor, Origin, Partner, SignedIn};
pub use anew::Toll;
pub use announce::{Announce, Announced};
pub use app::App;
pub use audit::Heads;
pub use bulk::Unique;
pub use caller::Caller;
pub use clock::{Clock, StoppedClock, SystemClock};
pub use config::Settings;
pub use db::Database;
pub use departure::{Demand, Departure};
pub use download::{DownloadLink, File};
pub use error::{Code, Error, Problem, Result};
pub use id::{
    AgentId, AuditEntryId, AuditReviewId, CompanyId, ContractId, CtiHoldingId, ExtractionId, ExtractionStepId, FieldId,
    IdentityProviderId, ImportId, InvitationId, JobId, KeyId, MemberId, OrganizationId, PasswordResetId,
    PermissionChangeId, PictureId, PiiChangeId, PiiGrantId, PriceListId, RefreshTokenId, ServiceId, SessionId,
    TicketId, WebhookDeliveryId, WebhookId,
};
pub use idempotency::{Ask, On, Outcome, Plain};
pub use journal::{Journal, JournalPen};
pub use mail::{Letter, Mailer, Recipient, Undelivered};
pub use mask::Kind as PersonalKind;
pub use message::Language;
pub use money::Money;
pub use outbox::Job;
pub use page::{Page, PageRequest};
pub use personal::{Personal, Unmasking};
pub use random::Random;
pub use reader::Reader;
pub use record::Record;
pub use scalar::{Day, Timestamp};
pub use secret::Keys;
pub use standing::Standing;
pub use trace::Traces;
pub use tx::Tx;
pub use upload::Upload;
pub use view::{Batch, View};
pub use watch::Watches;
pub use zone::Month;
