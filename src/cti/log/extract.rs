//! The CTI log of a member as a file, over as many days as an extraction may have. Numbers of customers are masked before they
//! are kept, so that nobody sees them in clear.

use async_graphql::{ID, InputObject};
use chrono::Days;
use futures_util::future::FutureExt as _;
use sea_orm::{ColumnTrait, QueryFilter};

use super::event::{Column, Entity, Model};
use crate::{
    kernel::{
        Action, Day, Error, MemberId, Result,
        extract::{self, Asking, Cell, Checked, Column as Of, Part, Source, SourceName},
        page::{Direction, Part as Place},
        reader::Scoped,
    },
    member,
    service::graphql::DateTimeRange,
};

/// Which events of telephones.
#[derive(Debug, InputObject)]
pub struct CtiEventExtraction {
    /// 상담원: the ID of a member; also of one who has left.
    pub member_id: ID,
    /// 발생 시각: in this span, at most 31 days wide, unless the installation has it otherwise. Without an end it ends now; without a beginning it is as wide as is possible.
    pub occurred_at: Option<DateTimeRange>,
}

/// The CTI log of a member as a file.
pub const SOURCE: Source = Source {
    name: SourceName::CtiEvents,
    action: Action::CtiLogRead,
    check: |asking| {
        async move {
            let wanted: CtiEventExtraction = asking.input()?;
            let known = asking.view.seek::<member::Entity>(&wanted.member_id).await?;
            if known.is_none() {
                return Err(Error::not_found("input.list.ctiEvents.memberId"));
            }
            Ok(Checked {
                heads: extract::heads(COLUMNS, asking.caller.language()),
                service: None,
                count: Some(select(asking)?.count().await?),
            })
        }
        .boxed()
    },
    part: |asking, chosen, after| {
        async move {
            let columns = [Column::OccurredAt, Column::ExternalId];
            let place = |row: &Model| [Place::Instant(row.occurred_at), Place::Text(row.external_id.clone())];
            let (rows, next) = extract::next(select(asking)?, columns, Direction::Asc, after, place).await?;
            let rows = extract::cells(COLUMNS, chosen, asking.caller.language(), &rows);
            Ok(Part { rows, next })
        }
        .boxed()
    },
};

fn select<'v>(asking: &Asking<'v>) -> Result<Scoped<'v, Entity>> {
    let wanted: CtiEventExtraction = asking.input()?;
    let range = wanted.occurred_at.as_ref();
    let range = range.map_or((None, None), |range| (range.from, range.to));
    let most = asking.caller.app().settings.extraction_days;
    const AT: &str = "input.list.ctiEvents.occurredAt";
    let (from, to) = extract::span(range, asking.at, most, AT)?;
    // The log is kept by days of the organization's calendar, which are never a day from those of UTC.
    let day = |at: chrono::DateTime<chrono::Utc>, is_end: bool| {
        let day = at.date_naive();
        let moved = if is_end {
            day.checked_add_days(Days::new(1))
        } else {
            day.checked_sub_days(Days::new(1))
        };
        Day(moved.unwrap_or(day))
    };
    let nobody = MemberId(uuid::Uuid::nil());
    Ok(asking
        .view
        .select::<Entity>()
        .filter(Column::MemberId.eq(wanted.member_id.parse().unwrap_or(nobody)))
        .filter(Column::Day.between(day(from.0, false), day(to.0, true)))
        .filter(Column::OccurredAt.gte(from))
        .filter(Column::OccurredAt.lt(to)))
}

const COLUMNS: &[Of<Model>] = &[
    Of {
        code: "occurredAt",
        title: ("발생 시각", "Occurred at"),
        cell: |row, _| Cell::Instant(row.occurred_at),
    },
    Of {
        code: "kind",
        title: ("이벤트", "Event"),
        cell: |row, language| Cell::Text(row.kind.label(language).to_owned()),
    },
    Of {
        code: "state",
        title: ("상태", "State"),
        cell: |row, language| Cell::text(row.state.map(|state| state.label(language))),
    },
    Of {
        code: "call",
        title: ("통화", "Call"),
        cell: |row, _| Cell::text(row.call_reference.clone()),
    },
    Of {
        code: "customerNumber",
        title: ("고객 번호", "Customer number"),
        cell: |row, _| Cell::text(row.customer_number.clone()),
    },
    Of {
        code: "resultCode",
        title: ("결과 코드", "Result code"),
        cell: |row, _| Cell::text(row.result_code.clone()),
    },
    Of {
        code: "event",
        title: ("이벤트 ID", "Event ID"),
        cell: |row, _| Cell::Text(row.external_id.clone()),
    },
    Of {
        code: "recordedAt",
        title: ("수신 시각", "Received at"),
        cell: |row, _| Cell::Instant(row.recorded_at),
    },
];
