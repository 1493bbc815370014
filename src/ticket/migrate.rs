//! The door of imports: many tickets of one service at once, in few statements, each once however often it comes. What is
//! wrong with a row keeps no other row from coming in. Nobody is told of migrated tickets, and they are not counted.

use std::collections::{BTreeMap, HashMap, HashSet};

use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, prelude::Uuid};

use super::{
    content::{Plain, SealedValues},
    entity::{Channel, Column, Entity, Model, Priority, Status},
    filled::{self, Filled, Pen},
    rules::{LONGEST, is_external, is_odd, next_number},
    term,
};
use crate::{
    agent,
    field::{
        Field, FieldType,
        value::{self, Given, Wrong},
    },
    kernel::{Error, MemberId, Result, ServiceId, TicketId, Timestamp, Tx, seal::FieldKeys},
    service::{self, Service},
};

/// The most rows at once.
pub const MOST_ROWS: usize = 500;

/// A ticket of another system, as a row of a file has it.
pub struct Migrated {
    /// The number of the row in the file: with the import's ID it is the row's name for good.
    pub row: i32,
    /// 접수일시.
    pub received_at: Timestamp,
    /// 처리일시.
    pub processed_at: Option<Timestamp>,
    /// 상태; `NEW`, or with an assignee `OPEN`, where the file says none.
    pub status: Option<Status>,
    /// 채널; `MANUAL` where the file says none.
    pub channel: Option<Channel>,
    /// 우선순위; `NORMAL` where the file says none.
    pub priority: Option<Priority>,
    /// 담당자: a member who works in the service.
    pub assignee: Option<MemberId>,
    /// 처리내용.
    pub processing: Option<String>,
    /// What the other system calls it; unique in the service.
    pub external_reference: Option<String>,
    /// The values of fields, by their codes.
    pub values: BTreeMap<String, Given>,
}

/// What came of a row.
#[derive(Debug)]
pub enum Fate {
    /// It is a ticket now.
    Written(TicketId),
    /// It was one already: this import brought it before.
    Known(TicketId),
    /// It can't be one: all that is wrong with it.
    Refused(Vec<Fault>),
}

/// One thing that is wrong with a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where.
    pub at: Place,
    /// What.
    pub wrong: Wrong,
}

/// A part of a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// 접수일시: it lies in the future.
    ReceivedAt,
    /// 처리일시: it lies in the future, or before 접수일시.
    ProcessedAt,
    /// 상태: `NEW` with an assignee.
    Status,
    /// 담당자: he does not work in the service.
    Assignee,
    /// 처리내용.
    Processing,
    /// The name in the other system: it has no such form, or a ticket of the service has it.
    External,
    /// A field, by its code; one that the service does not have is `Invalid`.
    Field(String),
}

/// What is wrong with a row by itself, beside the fields that are there, in their order. Whoever takes a file in asks this
/// first; [`migrate`] asks it again.
pub fn faults(fields: &[Field], row: &Migrated, now: Timestamp) -> Vec<Fault> {
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
            Ok(_) => {}
        }
    }
    faults
}

/// Writes the rows of a part of an import, at most 500, that are not there yet: with the fields of the service as they
/// are now, encrypted values sealed and found by, the times that they had, marked as migrated. The log of the deed holds
/// their number. Answers what came of each row, in their order; ten statements, however many rows there are.
///
/// # Errors
/// If the service is not in use, there are too many rows, or the database fails.
pub async fn migrate(tx: &Tx, import: Uuid, service: &Service, rows: &[Migrated]) -> Result<Vec<Fate>> {
    if rows.len() > MOST_ROWS {
        return Err(Error::internal("too many rows at once"));
    }
    service::find_usable(tx, "id", &service.id.to_string()).await?;
    let fields = crate::field::of_service(tx, service.id).await?;
    let seen = Seen::of(tx, import, service.id, rows).await?;
    let keys = FieldKeys::for_writing(tx).await?;
    let mut number = next_number(tx, service.id).await?;
    let (mut tickets, mut terms, mut fates) = (Vec::new(), Vec::new(), Vec::with_capacity(rows.len()));
    let mut named = seen.externals.clone();
    let mut numbers = seen.rows.clone();
    for row in rows {
        if let Some(ticket) = numbers.get(&row.row) {
            fates.push(Fate::Known(*ticket));
            continue;
        }
        let mut faults = faults(&fields, row, tx.now());
        if row.assignee.is_some_and(|member| !seen.members.contains(&member)) {
            faults.push(Fault {
                at: Place::Assignee,
                wrong: Wrong::Invalid,
            });
        }
        if row.external_reference.as_ref().is_some_and(|name| named.contains(name)) {
            faults.push(Fault {
                at: Place::External,
                wrong: Wrong::Invalid,
            });
        }
        if !faults.is_empty() {
            fates.push(Fate::Refused(faults));
            continue;
        }
        let id: TicketId = tx.fresh_id();
        let mut ticket = ticket(tx, import, service.id, row, (id, number));
        let pen = Pen {
            app: tx.app(),
            keys: &keys,
            ticket: id,
            received_at: row.received_at,
        };
        let filled = checked(&fields, service.id, row);
        terms.extend(pen.write(&filled, &mut ticket.plain, &mut ticket.sealed)?);
        tickets.push(ticket);
        named.extend(row.external_reference.clone());
        numbers.insert(row.row, id);
        number += 1;
        fates.push(Fate::Written(id));
    }
    tx.create_many::<Entity>(tickets).await?;
    tx.create_many::<term::Entity>(terms).await?;
    Ok(fates)
}

/// What is there already that rows speak of.
struct Seen {
    /// The tickets of rows of the import.
    rows: HashMap<i32, TicketId>,
    /// The names of tickets in other systems, as far as rows have them too.
    externals: HashSet<String>,
    /// The members who work in the service.
    members: HashSet<MemberId>,
}

impl Seen {
    async fn of(tx: &Tx, import: Uuid, service: ServiceId, rows: &[Migrated]) -> Result<Self> {
        #[derive(sea_orm::FromQueryResult)]
        struct Known {
            id: TicketId,
            import_row: i32,
        }
        #[derive(sea_orm::FromQueryResult)]
        struct Named {
            external_id: String,
        }
        let known = tx
            .select::<Entity>()
            .filter(Column::ImportId.eq(import))
            .filter(Column::ImportRow.is_in(rows.iter().map(|row| row.row)))
            .select_only()
            .columns([Column::Id, Column::ImportRow]);
        let known = known.rows::<Known>().await?;
        let names: Vec<_> = rows
            .iter()
            .filter_map(|row| row.external_reference.as_deref())
            .collect();
        let named = if names.is_empty() {
            Vec::new()
        } else {
            let same = tx
                .select::<Entity>()
                .filter(Column::ServiceId.eq(service))
                .filter(Column::ExternalId.is_in(names))
                .select_only()
                .column(Column::ExternalId);
            same.rows::<Named>().await?
        };
        let places = tx.select::<agent::Entity>();
        let places = places.filter(agent::Column::ServiceId.eq(service)).all().await?;
        Ok(Self {
            rows: known.into_iter().map(|row| (row.import_row, row.id)).collect(),
            externals: named.into_iter().map(|row| row.external_id).collect(),
            members: places.into_iter().map(|place| place.member_id).collect(),
        })
    }
}

/// The values of a row that has no faults.
fn checked<'f>(fields: &'f [Field], service: ServiceId, row: &Migrated) -> Filled<'f> {
    let mut filled = Filled::new();
    for field in fields {
        if let Ok(checked @ Some(_)) = value::check(field, row.values.get(&field.code)) {
            let value = filled::personal_or_plain(field, service, checked);
            filled.insert(field.code.clone(), (field, value));
        }
    }
    filled
}

fn ticket(tx: &Tx, import: Uuid, service: ServiceId, row: &Migrated, (id, number): (TicketId, i32)) -> Model {
    let usual = match row.assignee {
        Some(_) => Status::Open,
        None => Status::New,
    };
    let processing = row.processing.as_deref().map(str::trim);
    Model {
        id,
        organization_id: tx.organization_id(),
        service_id: service,
        number,
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
        created_at: tx.now(),
        version: 1,
    }
}

/// Takes away again what an import has brought and nobody has changed since, the first rows first. Answers how many went.
///
/// # Errors
/// If the database fails.
pub async fn take_back(tx: &Tx, import: Uuid, at_once: u64) -> Result<usize> {
    #[derive(sea_orm::FromQueryResult)]
    struct Unchanged {
        id: TicketId,
    }
    let unchanged = tx
        .select::<Entity>()
        .filter(Column::ImportId.eq(import))
        .filter(Column::Version.eq(1))
        .order_by_asc(Column::ImportRow);
    let unchanged = QuerySelect::limit(unchanged, Some(at_once))
        .select_only()
        .column(Column::Id);
    let ids: Vec<_> = unchanged
        .rows::<Unchanged>()
        .await?
        .into_iter()
        .map(|row| row.id)
        .collect();
    if ids.is_empty() {
        return Ok(0);
    }
    tx.delete_all::<term::Entity>(Condition::all().add(term::Column::TicketId.is_in(ids.clone())))
        .await?;
    tx.delete_all::<Entity>(Condition::all().add(Column::Id.is_in(ids.clone())))
        .await?;
    Ok(ids.len())
}
