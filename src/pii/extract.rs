//! The log of grants as a file.

use futures_util::future::FutureExt as _;
use sea_orm::QueryFilter;

use super::{
    change::{Column, Entity, Model, Said},
    graphql::{PiiGrantChangeFilter, alternatives, any, changes_of, check},
};
use crate::kernel::{
    Action, Result,
    extract::{self, Asking, Cell, Checked, Column as Of, LOG_DAYS, Part, Source, SourceName},
    page::{Direction, Part as Place},
    reader::Scoped,
};

/// The log of grants as a file.
pub const SOURCE: Source = Source {
    name: SourceName::PiiGrantChanges,
    action: Action::AuditRead,
    check: |asking| {
        async move {
            let count = match select(asking)? {
                Some(select) => select.count().await?,
                None => 0,
            };
            Ok(Checked {
                heads: extract::heads(COLUMNS, asking.caller.language()),
                service: None,
                count: Some(count),
            })
        }
        .boxed()
    },
    part: |asking, chosen, after| {
        async move {
            let columns = [Column::OccurredAt, Column::Id];
            let place = |row: &Model| [Place::Instant(row.occurred_at), Place::Id(row.id.0)];
            let (rows, next) = match select(asking)? {
                Some(select) => extract::next(select, columns, Direction::Desc, after, place).await?,
                None => (Vec::new(), None),
            };
            let rows = extract::cells(COLUMNS, chosen, asking.caller.language(), &rows);
            Ok(Part { rows, next })
        }
        .boxed()
    },
};

/// The rows that are asked for; `None` where there are none.
fn select<'v>(asking: &Asking<'v>) -> Result<Option<Scoped<'v, Entity>>> {
    let filter: PiiGrantChangeFilter = asking.input()?;
    check(&filter)?;
    let range = filter.occurred_at.as_ref();
    let range = range.map_or((None, None), |range| (range.from, range.to));
    const AT: &str = "input.list.piiGrantChanges.occurredAt";
    let (from, to) = extract::span(range, asking.at, LOG_DAYS, AT)?;
    let view = asking.view;
    let ways = alternatives(view, &filter);
    if ways.is_empty() {
        return Ok(None);
    }
    let select = changes_of(view.select::<Entity>(), &filter, (from, Some(to)));
    Ok(Some(select.filter(any(ways))))
}

/// The networks that a grant held from, in one cell.
fn networks(said: Option<&Said>) -> Cell {
    Cell::text(said.map(|said| said.networks.join(", ")))
}

const COLUMNS: &[Of<Model>] = &[
    Of {
        code: "occurredAt",
        title: ("일시", "Occurred at"),
        cell: |row, _| Cell::Instant(row.occurred_at),
    },
    Of {
        code: "kind",
        title: ("구분", "Kind"),
        cell: |row, _| Cell::word(row.kind),
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
        code: "holderName",
        title: ("대상자", "Holder"),
        cell: |row, _| Cell::Text(row.target_name.clone()),
    },
    Of {
        code: "holderLogin",
        title: ("대상 계정", "Holder's login ID"),
        cell: |row, _| Cell::Text(row.target_login.clone()),
    },
    Of {
        code: "email",
        title: ("대상 이메일", "Holder's e-mail address"),
        cell: |row, _| {
            Cell::text(
                row.after
                    .as_ref()
                    .or(row.before.as_ref())
                    .map(|said| said.email.clone()),
            )
        },
    },
    Of {
        code: "networksBefore",
        title: ("변경 전 IP", "Networks before"),
        cell: |row, _| networks(row.before.as_ref()),
    },
    Of {
        code: "networksAfter",
        title: ("변경 후 IP", "Networks after"),
        cell: |row, _| networks(row.after.as_ref()),
    },
    Of {
        code: "validUntil",
        title: ("유효기간", "Valid until"),
        cell: |row, _| Cell::instant(row.after.as_ref().or(row.before.as_ref()).map(|said| said.valid_until)),
    },
    Of {
        code: "reason",
        title: ("사유", "Reason"),
        cell: |row, _| Cell::text(row.reason.clone()),
    },
];
