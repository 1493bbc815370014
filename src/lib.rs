//! Orgdesk: the organization-wide administration of a contact-center SaaS, as one GraphQL service.
//!
//! # The areas
//!
//! A folder is a part of the menu: its tables, its rules, its GraphQL. They stand in an order, and rules use areas to
//! their left only; the types of the API (`graphql.rs`) refer to each other both ways.
//!
//! `picture` → `organization` → `member` → `admin` → `service` → `contract` → `billing` → `company` → `agent` → `field` →
//! `cti` → `pii` → `ticket` → `import` → `extraction` → `audit` → `partner`
//!
//! Below them lies [`kernel`], which knows no area. Above them: [`api`] (HTTP, the schema as a whole), [`worker`]
//! (jobs), [`serve`] and [`setup`] (start and end), [`operate`] and [`command`] (what operators do).
//!
//! In an area, `entity.rs` is the table, which is also its type in the API and its picture in the log; `rules.rs` the
//! inputs and verbs; `graphql.rs` queries, mutations and computed fields.
//!
//! # The two doors
//!
//! A request or job is a [`kernel::Caller`]. It lends no connection; it has two doors:
//!
//! - `view(action)` to look: one read transaction of one organization, whose rows are narrowed to it before anyone can
//!   add a condition.
//! - `act(action, ask, deed)` to change: permission, then one write transaction (the organization's turn among all
//!   servers), then the deed, then its entry in the audit log and its jobs, then the commit. `idempotencyKey` and
//!   `dryRun` are here, once for all mutations. Whatever the deed writes, it writes through [`kernel::Tx`], which keeps
//!   what changed and tells it to the log.
//!
//! Tables that are logs themselves, such as the CTI log, have a third door, `note`, which can do no more than add rows to
//! them: each row says who and when, so that no entry has to say it again ([`kernel::Journal`]).
//!
//! Behind the types stand PostgreSQL's row-level security with a role that is under it, foreign keys that carry the
//! organization, and triggers that keep logs and ledgers append-only.
//!
//! # Letters
//!
//! An area writes what it has to say (`member/letter` has the templates, in both languages); a job that commits with the
//! deed hands it to [`kernel::Mailer`]. What a mail server refuses for good is seen in `orgdesk job list`; the demo has a
//! mailbox instead of a server (`api/mailbox`).
//!
//! # Lists that leave as files
//!
//! A list says once which columns it has and how its rows are read ([`kernel::extract::Source`]); `setup` has all of them,
//! and [`extraction`] does the rest: rights, files, links, the log.
//!
//! # A mutation, through the files
//!
//! `contractUpdate`: `api/graphql_http.rs` checks method, media, size, document and cost; `api/session.rs` makes a
//! caller of the token; `contract/graphql.rs` calls `act`; `billing/quote.rs` checks the quote and `contract/rules.rs`
//! the contract; `kernel/tx.rs` writes what differs; `kernel/caller.rs` logs and commits; what a person can mend comes
//! back as `userErrors`, and `api/errors.rs` gives everything else its code.
//!
//! # A new verb
//!
//! 1. A line in `kernel/action.rs`: it is at once the permission, the log's word and the mutation's name.
//! 2. The verb and its input in the `rules.rs` of the rightmost area that it needs.
//! 3. A mutation in the area's `graphql.rs`, and `orgdesk schema > schema.graphql`.
//! 4. Its tests in `tests/it`, named after the row of the feature that they prove; `doors.rs` covers it already.
//!
//! A new table is a change in `migration/`, a name in `migration::TENANT`, and `record!` or `part!` under its struct;
//! where its rows give somebody a right, `grants:` in it says which, and the permission-change log has every change.

pub mod admin;
pub mod agent;
pub mod api;
pub mod audit;
pub mod billing;
pub mod command;
pub mod company;
pub mod contract;
pub mod cti;
pub mod extraction;
pub mod field;
pub mod hostile;
pub mod import;
pub mod kernel;
pub mod member;
pub mod operate;
pub mod organization;
pub mod partner;
pub mod picture;
pub mod pii;
pub mod serve;
pub mod service;
pub mod setup;
pub mod ticket;
pub mod worker;
