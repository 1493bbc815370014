//! The changes of the database, in order. Each file is one change, written as SQL for both databases at once;
//! `dialect.rs` fills in what differs. A change is never edited once released: add another.

mod dialect;
mod m20261122_000001_organization;
mod m20261122_000002_member;
mod m20261122_000003_service;
mod m20261122_000004_billing;
mod m20261122_000005_audit;
mod m20261122_000006_jobs;
mod m20261125_000007_people;
mod m20261125_000008_permission_change;
mod m20261125_000009_identity;
mod m20261125_000010_administrators;
mod m20261125_000020_company;
mod m20261128_000021_proved_addresses;
mod m20261128_000030_pictures;
mod m20261128_000040_cti;
mod m20261128_000041_cti_log;
mod m20261128_000049_keys;
mod m20261128_000050_fields;
mod m20261128_000051_pii;
mod m20261128_000052_pii_change_service;
mod m20261128_000060_tickets;
mod m20261128_000061_calls;
mod m20261128_000064_imports;
mod m20261128_000065_import_outcomes;
mod m20261128_000070_partners;
mod m20261128_000071_webhooks;
mod m20261128_000072_extractions;
mod m20261128_000075_audit_segments;
mod m20261128_000076_audit_reviews;
mod m20261128_000077_audit_anchors;
mod m20261128_000078_ticket_terms;
mod m20261128_000086_purged_logs;
mod m20261128_000090_job_generations;
mod m20261128_000091_marks_in_time;
mod m20261129_000092_ticket_of_terms;
mod m20261129_000093_counting;
mod m20261130_000094_rights_mark;

pub use dialect::{APPEND_ONLY, PURGED, RIGHTS, ROUTING, TENANT};
pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

/// Runs the changes that a database does not have yet.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_organization::Migration),
            Box::new(m20261122_000002_member::Migration),
            Box::new(m20261122_000003_service::Migration),
            Box::new(m20261122_000004_billing::Migration),
            Box::new(m20261122_000005_audit::Migration),
            Box::new(m20261122_000006_jobs::Migration),
            Box::new(m20261125_000007_people::Migration),
            Box::new(m20261125_000008_permission_change::Migration),
            Box::new(m20261125_000009_identity::Migration),
            Box::new(m20261125_000010_administrators::Migration),
            Box::new(m20261125_000020_company::Migration),
            Box::new(m20261128_000021_proved_addresses::Migration),
            Box::new(m20261128_000030_pictures::Migration),
            Box::new(m20261128_000040_cti::Migration),
            Box::new(m20261128_000041_cti_log::Migration),
            Box::new(m20261128_000049_keys::Migration),
            Box::new(m20261128_000050_fields::Migration),
            Box::new(m20261128_000051_pii::Migration),
            Box::new(m20261128_000052_pii_change_service::Migration),
            Box::new(m20261128_000060_tickets::Migration),
            Box::new(m20261128_000061_calls::Migration),
            Box::new(m20261128_000064_imports::Migration),
            Box::new(m20261128_000065_import_outcomes::Migration),
            Box::new(m20261128_000070_partners::Migration),
            Box::new(m20261128_000071_webhooks::Migration),
            Box::new(m20261128_000072_extractions::Migration),
            Box::new(m20261128_000075_audit_segments::Migration),
            Box::new(m20261128_000076_audit_reviews::Migration),
            Box::new(m20261128_000077_audit_anchors::Migration),
            Box::new(m20261128_000078_ticket_terms::Migration),
            Box::new(m20261128_000086_purged_logs::Migration),
            Box::new(m20261128_000090_job_generations::Migration),
            Box::new(m20261128_000091_marks_in_time::Migration),
            Box::new(m20261129_000092_ticket_of_terms::Migration),
            Box::new(m20261129_000093_counting::Migration),
            Box::new(m20261130_000094_rights_mark::Migration),
        ]
    }
}
