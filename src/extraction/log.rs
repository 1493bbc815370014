//! Which rows of the log of extractions are shown, and how the log itself leaves as a file. Each filter goes along an index in
//! the order of the list; where one holds of the actor or the requester, or of several kinds, each alternative goes along its
//! own.

use async_graphql::{ID, InputObject};
use chrono::{Duration, Months};
use futures_util::future::FutureExt as _;
use sea_orm::{ActiveEnum, ColumnTrait, Condition, QueryFilter};

use super::step::{Column, Entity, Kind, Model};
use crate::{
    kernel::{
        Action, Error, ExtractionId, Result, ServiceId, Timestamp, View,
        audit::clean,
        extract::{self, Asking, Cell, Checked, Column as Of, LOG_DAYS, Part, Source, SourceName},
        page::{Direction, Part as Place},
        reader::Scoped,
    },
    service::graphql::DateTimeRange,
};

/// The widest span: twelve months, whichever they are.
const WIDEST: Duration = Duration::days(366);

/// Which steps of extractions; conditions are joined by *and*.
#[derive(Debug, Default, InputObject)]
pub struct ExtractionStepFilter {
    /// 일시: in this span, at most 12 months (366 days) wide. Without an end it ends now; without a beginning it begins 12 months before its end.
    pub occurred_at: Option<DateTimeRange>,
    /// 구분: any of these kinds, at most 10.
    pub kind: Option<Vec<Kind>>,
    /// 추출 대상: of this list.
    pub source: Option<SourceName>,
    /// 이름: the actor or the requester had exactly this name then, 2 to 100 characters.
    pub name: Option<String>,
    /// 계정: the actor or the requester had this login ID, 2 to 40 characters.
    pub login: Option<String>,
    /// IP: from this address, at most 50 characters.
    pub address: Option<String>,
    /// 서비스: of a list of this service.
    pub service_id: Option<ID>,
    /// Of this extraction.
    pub extraction_id: Option<ID>,
    /// Whether personal data were in clear, or were to be.
    pub is_unmasked: Option<bool>,
}

/// From when to when; the end is open where nothing is said of it.
pub(super) type Span = (Timestamp, Option<Timestamp>);

/// Whether a filter's lists and texts are as long as they may be.
pub(super) fn check(filter: &ExtractionStepFilter) -> Result<()> {
    let fits = |text: &Option<String>, least, most| {
        let length = text.as_ref().map(|text| text.chars().count());
        length.is_none_or(|length| (least..=most).contains(&length))
    };
    let is_right = filter.kind.as_ref().is_none_or(|kinds| kinds.len() <= 10)
        && fits(&filter.name, 2, 100)
        && fits(&filter.login, 2, 40)
        && fits(&filter.address, 0, 50);
    if is_right {
        Ok(())
    } else {
        Err(Error::BadInput(
            "A filter's lists and texts are as long as their descriptions say.".into(),
        ))
    }
}

/// From when to when the log is read.
pub(super) fn span(range: Option<&DateTimeRange>, now: Timestamp) -> Result<Span> {
    let (from, to) = range.map_or((None, None), |range| (range.from, range.to));
    let end = to.unwrap_or(now).0;
    let from = match from {
        Some(from) => from.0,
        None => end.checked_sub_months(Months::new(12)).unwrap_or(end),
    };
    if end - from > WIDEST {
        return Err(Error::BadInput("`occurredAt` spans at most 12 months.".into()));
    }
    Ok((Timestamp(from), to))
}

/// The rows of the log, but for the ways to be of several things.
pub(super) fn narrowed<'v>(
    mut select: Scoped<'v, Entity>,
    filter: &ExtractionStepFilter,
    (from, to): Span,
) -> Scoped<'v, Entity> {
    select = select.filter(Column::OccurredAt.gte(from));
    if let Some(to) = to {
        select = select.filter(Column::OccurredAt.lt(to));
    }
    if let Some(source) = filter.source {
        select = select.filter(Column::Source.eq(source));
    }
    if let Some(is) = filter.is_unmasked {
        select = select.filter(Column::IsUnmasked.eq(is));
    }
    if let Some(address) = &filter.address {
        select = select.filter(Column::Address.eq(clean(address)));
    }
    if let Some(service) = &filter.service_id {
        let id = service.parse().unwrap_or(ServiceId(uuid::Uuid::nil()));
        select = select.filter(Column::ServiceId.eq(id));
    }
    if let Some(extraction) = &filter.extraction_id {
        let id = extraction.parse().unwrap_or(ExtractionId(uuid::Uuid::nil()));
        select = select.filter(Column::ExtractionId.eq(id));
    }
    select
}

/// The ways to be what the filter asks for, where there are several; each has an index. Nothing is of none of the kinds.
pub(super) fn alternatives(filter: &ExtractionStepFilter) -> Vec<Condition> {
    let is = |column: Column, text: &str| Condition::all().add(column.eq(text));
    let either = |columns: [Column; 2], text: &String| columns.map(|column| is(column, &clean(text))).to_vec();
    if filter.kind.as_ref().is_some_and(Vec::is_empty) {
        return Vec::new();
    }
    let of_kinds = |kinds: &Vec<Kind>| kinds.iter().map(|kind| is(Column::Kind, &kind.to_value())).collect();
    let (name, login) = (filter.name.as_ref(), filter.login.as_ref());
    let mut choices = [
        name.map(|name| either([Column::ActorName, Column::TargetName], name)),
        login.map(|login| either([Column::ActorLogin, Column::TargetLogin], login)),
        filter.kind.as_ref().map(of_kinds),
    ]
    .into_iter()
    .flatten();
    let Some(ways) = choices.next() else {
        return vec![Condition::all()];
    };
    let others = choices.fold(Condition::all(), |all, choice| all.add(any(choice)));
    ways.into_iter().map(|way| others.clone().add(way)).collect()
}

/// Any of these, of which there is one at least.
pub(super) fn any(of: impl IntoIterator<Item = Condition>) -> Condition {
    of.into_iter().fold(Condition::any(), Condition::add)
}

/// The log of extractions as a file.
pub const SOURCE: Source = Source {
    name: SourceName::ExtractionSteps,
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
    let filter: ExtractionStepFilter = asking.input()?;
    check(&filter)?;
    let range = filter.occurred_at.as_ref();
    let range = range.map_or((None, None), |range| (range.from, range.to));
    const AT: &str = "input.list.extractionSteps.occurredAt";
    let (from, to) = extract::span(range, asking.at, LOG_DAYS, AT)?;
    let ways = alternatives(&filter);
    if ways.is_empty() {
        return Ok(None);
    }
    let view: &'v View = asking.view;
    let select = narrowed(view.select::<Entity>(), &filter, (from, Some(to)));
    Ok(Some(select.filter(any(ways))))
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
        code: "source",
        title: ("추출 대상", "List"),
        cell: |row, language| Cell::Text(row.source.label(language).to_owned()),
    },
    Of {
        code: "extraction",
        title: ("추출 ID", "Extraction"),
        cell: |row, _| Cell::text(row.extraction_id.map(|id| id.to_string())),
    },
    Of {
        code: "service",
        title: ("서비스", "Service"),
        cell: |row, _| Cell::text(row.service_id.map(|id| id.to_string())),
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
        code: "requesterName",
        title: ("요청자", "Requester"),
        cell: |row, _| Cell::Text(row.target_name.clone()),
    },
    Of {
        code: "requesterLogin",
        title: ("요청자 ID", "Requester's login ID"),
        cell: |row, _| Cell::Text(row.target_login.clone()),
    },
    Of {
        code: "address",
        title: ("IP", "IP"),
        cell: |row, _| Cell::Text(row.address.clone()),
    },
    Of {
        code: "isUnmasked",
        title: ("마스킹 해제", "In clear"),
        cell: |row, _| Cell::truth(row.is_unmasked),
    },
    Of {
        code: "reason",
        title: ("사유", "Reason"),
        cell: |row, _| Cell::text(row.reason.clone()),
    },
    Of {
        code: "filter",
        title: ("조건", "Filter"),
        cell: |row, _| Cell::Text(row.snapshot.text()),
    },
    Of {
        code: "columns",
        title: ("열", "Columns"),
        cell: |row, _| Cell::Text(row.columns.0.join(", ")),
    },
    Of {
        code: "fileName",
        title: ("파일명", "File name"),
        cell: |row, _| Cell::Text(row.file_name.clone()),
    },
    Of {
        code: "rowCount",
        title: ("건수", "Rows"),
        cell: |row, _| Cell::number(row.row_count),
    },
    Of {
        code: "sha256",
        title: ("SHA-256", "SHA-256"),
        cell: |row, _| Cell::text(row.sha256.clone()),
    },
    Of {
        code: "downloadCount",
        title: ("다운로드 횟수", "Downloads"),
        cell: |row, _| Cell::Number(row.download_count.into()),
    },
    Of {
        code: "reasonCode",
        title: ("실패/거부 사유", "Why not"),
        cell: |row, _| Cell::text(row.failure.clone()),
    },
];
