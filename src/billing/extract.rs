//! 요금 현황 as a file: the lines of charges, a month after the other, the newest first. What stands in it sums to what the
//! list shows.

use std::collections::HashMap;

use futures_util::future::FutureExt as _;
use sea_orm::{ColumnTrait, Condition, QueryFilter};

use super::{
    charge, closed,
    fetch::{check_span, open_in},
    graphql::{Charge, ChargeFilter, ChargeLine, ChargeStatus},
    page::{estimates, services},
};
use crate::{
    contract::graphql::label,
    kernel::{
        Action, Code, Month, Problem, Result, ServiceId,
        extract::{self, Asking, Cell, Checked, Column as Of, Part, Source, SourceName, own},
        page::{Part as Place, Place as Behind},
    },
    service::{self, Service},
};

/// The most months of a file.
const MOST_MONTHS: i32 = 24;

/// A row of the file.
struct Row {
    month: Month,
    status: ChargeStatus,
    service: Option<Service>,
    line: ChargeLine,
}

/// The lines of charges as a file.
pub const SOURCE: Source = Source {
    name: SourceName::Charges,
    action: Action::ChargeRead,
    check: |asking| {
        async move {
            wanted(asking)?;
            Ok(Checked {
                heads: extract::heads(COLUMNS, asking.caller.language()),
                service: None,
                count: None,
            })
        }
        .boxed()
    },
    part: |asking, chosen, after| {
        async move {
            let filter = wanted(asking)?;
            let month = match after.as_ref() {
                Some([Place::Number(month), _]) => i32::try_from(*month).ok().and_then(Month::from_index),
                _ => Some(filter.to),
            };
            let Some(month) = month.filter(|month| *month >= filter.from) else {
                return Ok(Part {
                    rows: Vec::new(),
                    next: None,
                });
            };
            let rows = of_month(asking, &filter, month).await?;
            Ok(Part {
                rows: extract::cells(COLUMNS, chosen, asking.caller.language(), &rows),
                next: behind(month).filter(|_| month > filter.from),
            })
        }
        .boxed()
    },
};

/// The place of the month before.
fn behind(month: Month) -> Option<Behind> {
    let index = i64::from(month.index()) - 1;
    Some([Place::Number(index), Place::Id(uuid::Uuid::nil())])
}

fn wanted(asking: &Asking<'_>) -> Result<ChargeFilter> {
    let filter: ChargeFilter = asking.input()?;
    check_span(filter.from, filter.to)?;
    if filter.to.index() - filter.from.index() >= MOST_MONTHS {
        let problem = Problem::at("input.list.charges.to", Code::ExtractionSpanTooWide);
        return Err(problem.with("max", MOST_MONTHS * 31).into());
    }
    Ok(filter)
}

/// The lines of a month, by service.
async fn of_month(asking: &Asking<'_>, filter: &ChargeFilter, month: Month) -> Result<Vec<Row>> {
    let view = asking.view;
    let wanted = services(view, filter).await?;
    let is_open = !open_in(asking.caller, view, month, month).await?.is_empty();
    let mut charges = match is_open {
        true => estimates(view, &wanted, &[month]).await?,
        false => closed::read(view, in_month(&wanted, month)).await?,
    };
    let services = view.select::<service::Entity>();
    let services = services.filter(service::Column::Id.is_in(charges.iter().map(|charge| charge.service_id)));
    let services: HashMap<ServiceId, Service> = services.all().await?.into_iter().map(|row| (row.id, row)).collect();
    let code = |charge: &Charge| services.get(&charge.service_id).map(|service| service.code.clone());
    charges.sort_by_key(code);
    let lines = |charge: Charge| {
        let service = services.get(&charge.service_id).cloned();
        let row = move |line| Row {
            month,
            status: charge.status,
            service: service.clone(),
            line,
        };
        charge.sums.lines.into_iter().map(row)
    };
    Ok(charges.into_iter().flat_map(lines).collect())
}

/// The charges of these services in a month.
fn in_month(services: &[ServiceId], month: Month) -> Condition {
    Condition::all()
        .add(charge::Column::Month.eq(month))
        .add(charge::Column::ServiceId.is_in(services.iter().copied()))
}

const COLUMNS: &[Of<Row>] = &[
    Of {
        code: "month",
        title: ("월", "Month"),
        cell: |row, _| Cell::Text(row.month.to_string()),
    },
    Of {
        code: "serviceCode",
        title: ("서비스 ID", "Service ID"),
        cell: |row, _| Cell::text(row.service.as_ref().map(|service| service.code.clone())),
    },
    Of {
        code: "serviceName",
        title: ("서비스명", "Service"),
        cell: |row, _| Cell::text(row.service.as_ref().map(|service| service.name.clone())),
    },
    Of {
        code: "status",
        title: ("상태", "Status"),
        cell: |row, language| {
            Cell::Text(
                match row.status {
                    ChargeStatus::Estimated => own(language, "예상", "Estimated"),
                    ChargeStatus::Closed => own(language, "마감", "Closed"),
                }
                .to_owned(),
            )
        },
    },
    Of {
        code: "item",
        title: ("항목", "Item"),
        cell: |row, language| Cell::text(row.line.item.map(|item| label(language, item))),
    },
    Of {
        code: "kind",
        title: ("구분", "Kind"),
        cell: |row, language| Cell::Text(row.line.kind.label(language).to_owned()),
    },
    Of {
        code: "seats",
        title: ("사용자 수", "Seats"),
        cell: |row, _| Cell::number(row.line.seats),
    },
    Of {
        code: "days",
        title: ("일수", "Days"),
        cell: |row, _| Cell::number(row.line.days),
    },
    Of {
        code: "used",
        title: ("사용량", "Used"),
        cell: |row, _| Cell::number(row.line.used),
    },
    Of {
        code: "free",
        title: ("무료", "Free"),
        cell: |row, _| Cell::number(row.line.free),
    },
    Of {
        code: "charged",
        title: ("과금", "Charged"),
        cell: |row, _| Cell::number(row.line.charged),
    },
    Of {
        code: "corrects",
        title: ("정산 월", "Corrects"),
        cell: |row, _| Cell::text(row.line.corrects.map(|month| month.to_string())),
    },
    Of {
        code: "amount",
        title: ("금액(원)", "Amount (won)"),
        cell: |row, _| Cell::Number(row.line.amount.whole_won()),
    },
];
