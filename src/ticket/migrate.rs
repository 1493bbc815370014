//! The door of imports: many tickets of one service at once, in few statements, each once however often it comes. What is
//! wrong with a row keeps no other row from coming in. Nobody is told of migrated tickets, and they are not counted.

use std::collections::{BTreeMap, HashMap, HashSet};

use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, prelude::Uuid};

use super::{
    entity::{Channel, Column, Entity, Model as Ticket, Priority, Status},
    made::{Made, Means, make},
    premises::Premises,
    term,
};
use crate::{
    field::value::{Given, Wrong},
    kernel::{App, Error, MemberId, Result, TicketId, Timestamp, Tx, Unique},
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

/// What came of the rows of a part, in their order, and what the next part may rely on once this one is committed.
pub struct Brought {
    /// What came of each row.
    pub fates: Vec<Fate>,
    /// How things are behind them.
    pub premises: Premises,
}

/// Writes the rows of a part of an import, at most 500, that are not there yet: with the fields of the service as they
/// are now, encrypted values sealed and found by, the times that they had, marked as migrated. Where the service or its keys
/// are others than the rows were made with, they are made anew. `kept` is what an earlier part of the same import, which
/// was committed, has answered. The log of the deed holds their number. At most nine statements on PostgreSQL, however many rows
/// there are, where no name is taken.
///
/// # Errors
/// If the service is not in use, there are too many rows, or the database fails.
pub async fn migrate(
    tx: &Tx,
    import: Uuid,
    (means, kept): (&Means, Option<&Premises>),
    made: Vec<Made>,
) -> Result<Brought> {
    if made.len() > MOST_ROWS {
        return Err(Error::internal("too many rows at once"));
    }
    let mut premises = Premises::now(tx, import, means.service(), kept).await?;
    let made = of_now(tx, import, (means, premises.means()), made)?;
    let mut seen = Seen {
        rows: premises.known(tx, &made).await?,
        externals: HashSet::new(),
    };
    let last_row = made.iter().map(|made| made.row.row).max();
    let (mut tickets, mut terms, mut fates) = (Vec::new(), Vec::new(), Vec::with_capacity(made.len()));
    for Made { row, ticket } in made {
        if let Some(ticket) = seen.rows.get(&row.row) {
            fates.push(Fate::Known(*ticket));
            continue;
        }
        let faults = seen.faults(&row, &premises);
        let (ticket, own) = match ticket {
            Ok(ticket) if faults.is_empty() => ticket,
            ticket => {
                let by_itself = ticket.err().unwrap_or_default();
                fates.push(Fate::Refused([by_itself, faults].concat()));
                continue;
            }
        };
        fates.push(Fate::Written(ticket.id));
        seen.externals.extend(row.external_reference);
        seen.rows.insert(row.row, ticket.id);
        terms.extend(own);
        tickets.push(*ticket);
    }
    let came = numbered(tx, &mut premises, tickets).await?;
    terms.retain(|term| came.contains(&term.ticket_id.0));
    for fate in &mut fates {
        if matches!(fate, Fate::Written(id) if !came.contains(&id.0)) {
            *fate = Fate::Refused(vec![Fault::of(Place::External)]);
        }
    }
    tx.create_many::<term::Entity>(terms).await?;
    premises.comes_behind(last_row);
    Ok(Brought { fates, premises })
}

/// Writes tickets with the numbers that come next, but for those whose name in the other system a ticket of the service has;
/// answers which came. The database is not asked for the names before: of a service to which many tickets come it does not
/// know how to find them.
async fn numbered(tx: &Tx, premises: &mut Premises, mut tickets: Vec<Ticket>) -> Result<HashSet<Uuid>> {
    const NAMES: Unique<Column> = Unique {
        index: "(organization_id, service_id, external_id) WHERE external_id IS NOT NULL",
        id: Column::Id,
    };
    loop {
        for (ticket, number) in tickets.iter_mut().zip(premises.next_number..) {
            ticket.number = number;
            ticket.created_at = tx.now();
        }
        let came = tx.create_new::<Entity>(&tickets, NAMES).await?;
        if came.len() == tickets.len() {
            premises.next_number += i32::try_from(came.len()).unwrap_or(i32::MAX);
            return Ok(came);
        }
        // The others come once more, since no number is left out.
        if !came.is_empty() {
            let own = Column::Id.is_in(came.iter().copied());
            tx.delete_all::<Entity>(Condition::all().add(own)).await?;
        }
        tickets.retain(|ticket| came.contains(&ticket.id.0));
    }
}

/// The rows as they are made now.
fn of_now(tx: &Tx, import: Uuid, (means, present): (&Means, &Means), made: Vec<Made>) -> Result<Vec<Made>> {
    if present.make_like(means) {
        return Ok(made);
    }
    let anew = |made: Made| make(tx.app(), present, import, made.row);
    made.into_iter().map(anew).collect()
}

/// What is there already, or comes with a row before.
struct Seen {
    /// The tickets of rows of the import.
    rows: HashMap<i32, TicketId>,
    /// The names in other systems that rows of the part have.
    externals: HashSet<String>,
}

impl Seen {
    /// What is wrong with a row beside what is there.
    fn faults(&self, row: &Migrated, premises: &Premises) -> Vec<Fault> {
        let is_elsewhere = row.assignee.is_some_and(|member| !premises.has(member));
        let name = row.external_reference.as_ref();
        let is_taken = name.is_some_and(|name| self.externals.contains(name));
        let faults = [(is_elsewhere, Place::Assignee), (is_taken, Place::External)];
        let faults = faults.into_iter().filter(|(is_there, _)| *is_there);
        faults.map(|(_, at)| Fault::of(at)).collect()
    }
}

impl Fault {
    /// What is there is not good.
    fn of(at: Place) -> Self {
        Self {
            at,
            wrong: Wrong::Invalid,
        }
    }
}

/// After many tickets came: see [`Database::count_anew`].
///
/// [`Database::count_anew`]: crate::kernel::Database::count_anew
pub async fn count_anew(app: &App) {
    app.database.count_anew::<Entity>().await;
    app.database.count_anew::<term::Entity>().await;
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
