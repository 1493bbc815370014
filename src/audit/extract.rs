//! The audit log and the permission-change log as files.

use futures_util::future::FutureExt as _;
use sea_orm::QueryFilter;

use super::{
    graphql::{AuditEntryFilter, narrowed as entries_of},
    permission::{PermissionChangeFilter, alternatives, any, check, narrowed},
};
use crate::{
    kernel::{
        Action, Result,
        audit::{self, Column as Entry},
        extract::{self, Asking, Cell, Checked, Column as Of, LOG_DAYS, Part, Source, SourceName},
        page::{Direction, Part as Place},
        permission::{Column as Change, Entity as Changes, Model as PermissionChange},
        reader::Scoped,
    },
    service::graphql::DateTimeRange,
};

/// The audit log as a file.
pub const ENTRIES: Source = Source {
    name: SourceName::AuditEntries,
    action: Action::AuditRead,
    check: |asking| {
        async move {
            Ok(Checked {
                heads: extract::heads(ENTRY, asking.caller.language()),
                service: None,
                count: Some(entries(asking)?.count().await?),
            })
        }
        .boxed()
    },
    part: |asking, chosen, after| {
        async move {
            let columns = [Entry::OccurredAt, Entry::Id];
            let place = |row: &audit::Model| [Place::Instant(row.occurred_at), Place::Id(row.id.0)];
            let rows = extract::next(entries(asking)?, columns, Direction::Desc, after, place).await?;
            let (rows, next) = rows;
            let rows = extract::cells(ENTRY, chosen, asking.caller.language(), &rows);
            Ok(Part { rows, next })
        }
        .boxed()
    },
};

/// The permission-change log as a file.
pub const PERMISSION_CHANGES: Source = Source {
    name: SourceName::PermissionChanges,
    action: Action::AuditRead,
    check: |asking| {
        async move {
            let count = match changes(asking)? {
                Some(select) => select.count().await?,
                None => 0,
            };
            Ok(Checked {
                heads: extract::heads(CHANGE, asking.caller.language()),
                service: None,
                count: Some(count),
            })
        }
        .boxed()
    },
    part: |asking, chosen, after| {
        async move {
            let columns = [Change::OccurredAt, Change::Id];
            let place = |row: &PermissionChange| [Place::Instant(row.occurred_at), Place::Id(row.id.0)];
            let (rows, next) = match changes(asking)? {
                Some(select) => extract::next(select, columns, Direction::Desc, after, place).await?,
                None => (Vec::new(), None),
            };
            let rows = extract::cells(CHANGE, chosen, asking.caller.language(), &rows);
            Ok(Part { rows, next })
        }
        .boxed()
    },
};

/// The entries that are asked for.
fn entries<'v>(asking: &Asking<'v>) -> Result<Scoped<'v, audit::Entity>> {
    let mut filter: AuditEntryFilter = asking.input()?;
    let range = filter.occurred_at.as_ref();
    let range = range.map_or((None, None), |range| (range.from, range.to));
    const AT: &str = "input.list.auditEntries.occurredAt";
    let (from, to) = extract::span(range, asking.at, LOG_DAYS, AT)?;
    filter.occurred_at = Some(DateTimeRange {
        from: Some(from),
        to: Some(to),
    });
    entries_of(asking.view.select::<audit::Entity>(), &filter)
}

/// The changes of rights that are asked for; `None` where there are none.
fn changes<'v>(asking: &Asking<'v>) -> Result<Option<Scoped<'v, Changes>>> {
    let filter: PermissionChangeFilter = asking.input()?;
    check(&filter)?;
    let range = filter.occurred_at.as_ref();
    let range = range.map_or((None, None), |range| (range.from, range.to));
    const AT: &str = "input.list.permissionChanges.occurredAt";
    let (from, to) = extract::span(range, asking.at, LOG_DAYS, AT)?;
    let ways = alternatives(&filter);
    if ways.is_empty() {
        return Ok(None);
    }
    let select = narrowed(asking.view.select::<Changes>(), &filter, (from, Some(to)));
    Ok(Some(select.filter(any(ways))))
}

/// A list of words as one cell.
fn words(json: &str) -> Cell {
    let words: Vec<String> = serde_json::from_str(json).unwrap_or_default();
    Cell::Text(words.join(", "))
}

const ENTRY: &[Of<audit::Model>] = &[
    Of {
        code: "occurredAt",
        title: ("일시", "Occurred at"),
        cell: |row, _| Cell::Instant(row.occurred_at),
    },
    Of {
        code: "log",
        title: ("로그", "Log"),
        cell: |row, _| Cell::word(row.log),
    },
    Of {
        code: "sequence",
        title: ("번호", "Place"),
        cell: |row, _| Cell::Number(row.sequence),
    },
    Of {
        code: "action",
        title: ("작업", "Action"),
        cell: |row, _| Cell::Text(row.action.clone()),
    },
    Of {
        code: "outcome",
        title: ("결과", "Outcome"),
        cell: |row, _| Cell::word(row.outcome),
    },
    Of {
        code: "reasonCode",
        title: ("사유", "Why not"),
        cell: |row, _| Cell::text(row.reason.clone()),
    },
    Of {
        code: "actorKind",
        title: ("조작자 구분", "Kind of actor"),
        cell: |row, _| Cell::word(row.actor_kind),
    },
    Of {
        code: "actor",
        title: ("조작자", "Actor"),
        cell: |row, _| Cell::Text(row.actor_name.clone()),
    },
    Of {
        code: "address",
        title: ("IP", "IP"),
        cell: |row, _| Cell::Text(row.address.clone()),
    },
    Of {
        code: "target",
        title: ("대상", "Target"),
        cell: |row, _| Cell::text(row.target_label.clone()),
    },
    Of {
        code: "targetReference",
        title: ("대상 ID", "Target's ID"),
        cell: |row, _| Cell::text(row.target_id.clone()),
    },
    Of {
        code: "subjects",
        title: ("정보주체", "Data subjects"),
        cell: |row, _| words(&row.subjects),
    },
    Of {
        code: "changes",
        title: ("변경 내용", "Changes"),
        cell: |row, _| Cell::Text(row.changes.clone()),
    },
    Of {
        code: "request",
        title: ("요청 ID", "Request"),
        cell: |row, _| Cell::Text(row.request_id.clone()),
    },
];

const CHANGE: &[Of<PermissionChange>] = &[
    Of {
        code: "occurredAt",
        title: ("조작일시", "Occurred at"),
        cell: |row, _| Cell::Instant(row.occurred_at),
    },
    Of {
        code: "kind",
        title: ("조작내용", "Kind"),
        cell: |row, _| Cell::word(row.kind),
    },
    Of {
        code: "action",
        title: ("작업", "Action"),
        cell: |row, _| Cell::Text(row.action.clone()),
    },
    Of {
        code: "actorName",
        title: ("조작자", "Actor"),
        cell: |row, _| Cell::Text(row.actor_name.clone()),
    },
    Of {
        code: "actorLogin",
        title: ("조작자 ID", "Actor's login ID"),
        cell: |row, _| Cell::text(row.actor_login.clone()),
    },
    Of {
        code: "address",
        title: ("IP", "IP"),
        cell: |row, _| Cell::Text(row.address.clone()),
    },
    Of {
        code: "targetName",
        title: ("대상자", "Target"),
        cell: |row, _| Cell::Text(row.target_name.clone()),
    },
    Of {
        code: "targetLogin",
        title: ("대상 ID", "Target's login ID"),
        cell: |row, _| Cell::text(row.target_login.clone()),
    },
    Of {
        code: "service",
        title: ("서비스", "Service"),
        cell: |row, _| Cell::text(row.service_name.clone()),
    },
    Of {
        code: "before",
        title: ("변경 전 권한", "Rights before"),
        cell: |row, _| words(&row.rights_before),
    },
    Of {
        code: "after",
        title: ("변경 후 권한", "Rights after"),
        cell: |row, _| words(&row.rights_after),
    },
];
