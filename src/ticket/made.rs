//! Rows of other systems on their way to be tickets: what can be done with them before it is the organization's turn. They
//! are held against the service's fields, and their values are sealed; only whether that still holds is asked in the turn.

use sea_orm::prelude::Uuid;

use super::{
    content::{Plain, SealedValues},
    entity::{Channel, Model, Priority, Status},
    filled::{self, Filled, Pen},
    migrate::{Fault, Migrated, Place},
    rules::{LONGEST, is_external, is_odd},
    term,
};
use crate::{
    field::{
        self, Field, FieldType,
        value::{self, Given, Wrong},
    },
    kernel::{App, OrganizationId, Result, ServiceId, TicketId, Timestamp, Tx, seal::FieldKeys},
};

/// What rows are made tickets with: the fields of a service, and the keys for their values.
#[derive(Debug)]
pub struct Means {
    organization: OrganizationId,
    service: ServiceId,
    fields: Vec<Field>,
    keys: FieldKeys,
}

impl Means {
    /// As they are now.
    ///
    /// # Errors
    /// If the database fails, or there is no key to be had.
    pub async fn of(tx: &Tx, service: ServiceId) -> Result<Self> {
        Ok(Self {
            organization: tx.organization_id(),
            service,
            fields: field::of_service(tx, service).await?,
            keys: FieldKeys::for_writing(tx).await?,
        })
    }

    /// Of which service.
    pub(super) fn service(&self) -> ServiceId {
        self.service
    }

    /// Whether these make the same of a row as others.
    pub(super) fn make_like(&self, others: &Self) -> bool {
        self.service == others.service && self.fields == others.fields && self.keys.seal_like(&others.keys)
    }
}

/// A row with the ticket that it makes, but for its number and when it is added; or with all that is wrong with it.
pub struct Made {
    pub(super) row: Migrated,
    pub(super) ticket: Result<Ticket, Vec<Fault>>,
}

/// A ticket with the rows that it is found by.
pub(super) type Ticket = (Box<Model>, Vec<term::Model>);

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Made")
            .field("row", &self.row.row)
            .finish_non_exhaustive()
    }
}

/// Makes a ticket of a row of an import.
///
/// # Errors
/// If a value can't be sealed.
pub fn make(app: &App, means: &Means, import: Uuid, row: Migrated) -> Result<Made> {
    let now = app.clock.now();
    let (filled, faults) = held(&means.fields, means.service, &row, now);
    if !faults.is_empty() {
        return Ok(Made {
            row,
            ticket: Err(faults),
        });
    }
    let mut ticket = blank(means, import, &row, (app.fresh_id(), now));
    let pen = Pen {
        app,
        keys: &means.keys,
        ticket: ticket.id,
        received_at: row.received_at,
    };
    let terms = pen.write(&filled, &mut ticket.plain, &mut ticket.sealed)?;
    drop(filled);
    Ok(Made {
        row,
        ticket: Ok((Box::new(ticket), terms)),
    })
}

/// The values of a row, checked, and all that is wrong with it by itself, beside the fields that are there, in their order.
fn held<'f>(fields: &'f [Field], service: ServiceId, row: &Migrated, now: Timestamp) -> (Filled<'f>, Vec<Fault>) {
    let (mut filled, mut faults) = (Filled::new(), beside_fields(row, now));
    let mut tell = |at: Place, wrong: Wrong| faults.push(Fault { at, wrong });
    for code in row.values.keys() {
        if !fields.iter().any(|field| field.code == *code) {
            tell(Place::Field(code.clone()), Wrong::Invalid);
        }
    }
    for field in fields.iter().filter(|field| field.kind != FieldType::File) {
        let given = row.values.get(&field.code);
        let is_mask = field.is_encrypted
            && matches!(given, Some(Given::Text(text)) if filled::kind(field).is_masked(text.trim()));
        match value::check(field, given) {
            Err(wrong) => tell(Place::Field(field.code.clone()), wrong),
            Ok(_) if is_mask => tell(Place::Field(field.code.clone()), Wrong::Invalid),
            Ok(checked @ Some(_)) => {
                let value = filled::personal_or_plain(field, service, checked);
                filled.insert(field.code.clone(), (field, value));
            }
            Ok(None) => {}
        }
    }
    (filled, faults)
}

fn beside_fields(row: &Migrated, now: Timestamp) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut tell = |at: Place, wrong: Wrong| faults.push(Fault { at, wrong });
    if row.received_at > now {
        tell(Place::ReceivedAt, Wrong::Invalid);
    }
    if row.processed_at.is_some_and(|at| at > now || at < row.received_at) {
        tell(Place::ProcessedAt, Wrong::Invalid);
    }
    if row.status == Some(Status::New) && row.assignee.is_some() {
        tell(Place::Status, Wrong::Invalid);
    }
    if let Some(said) = &row.processing {
        if said.chars().count() > LONGEST {
            tell(Place::Processing, Wrong::Length);
        } else if is_odd(said) {
            tell(Place::Processing, Wrong::Invalid);
        }
    }
    if row.external_reference.as_deref().is_some_and(|name| !is_external(name)) {
        tell(Place::External, Wrong::Invalid);
    }
    faults
}

fn blank(means: &Means, import: Uuid, row: &Migrated, (id, now): (TicketId, Timestamp)) -> Model {
    let usual = match row.assignee {
        Some(_) => Status::Open,
        None => Status::New,
    };
    let processing = row.processing.as_deref().map(str::trim);
    Model {
        id,
        organization_id: means.organization,
        service_id: means.service,
        number: 0,
        channel: row.channel.unwrap_or(Channel::Manual),
        status: row.status.unwrap_or(usual),
        priority: row.priority.unwrap_or(Priority::Normal),
        assignee_id: row.assignee,
        received_at: row.received_at,
        processed_at: row.processed_at,
        processing: processing.filter(|said| !said.is_empty()).map(str::to_owned),
        external_id: row.external_reference.clone(),
        is_migrated: true,
        import_id: Some(import),
        import_row: Some(row.row),
        call_reference: None,
        plain: Plain::default(),
        sealed: SealedValues::default(),
        created_at: now,
        version: 1,
    }
}
