//! The tickets of a service as a file, with the columns that its fields have for whoever asks. Personal data are masked, but
//! with the token of the decision that he may see them in clear, which is made anew for each part.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{ID, InputObject};
use futures_util::future::FutureExt as _;
use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    list::{TicketFilter, wanted},
    value,
};
use crate::{
    agent,
    field::Field,
    kernel::{
        Action, Error, Language, MemberId, Result, ServiceId,
        audit::UNREADABLE,
        extract::{self, Asking, Cell, Checked, Column as Of, Head, Part, ROWS, Source, SourceName, own},
        seal::FieldKeys,
    },
    member::{self, Member},
    service::graphql::DateTimeRange,
    ticket::{
        content::Kept,
        entity::{Channel, Model, Priority, Status},
        filled,
        ground::{self, Ground},
        search::{self, Wanted},
    },
};

/// Where a service is named that is not there for whoever asks.
const AT: &str = "input.list.tickets.serviceId";

/// Which tickets.
#[derive(Debug, InputObject)]
pub struct TicketExtraction {
    /// The ID of the service.
    pub service_id: ID,
    /// Which of its tickets; those of the last 31 days where absent.
    pub filter: Option<TicketFilter>,
}

/// The tickets of a service as a file.
pub const SOURCE: Source = Source {
    name: SourceName::Tickets,
    action: Action::TicketRead,
    check: |asking| {
        async move {
            let (service, ground) = ground(asking).await?;
            let wanted = asked(asking, service, &ground, true).await?;
            let count = search::count(asking.view, &wanted).await?;
            Ok(Checked {
                heads: heads(&ground, asking.caller.language()),
                service: Some(service),
                count: Some(count),
            })
        }
        .boxed()
    },
    part: |asking, chosen, after| {
        async move {
            let (service, ground) = ground(asking).await?;
            let wanted = asked(asking, service, &ground, false).await?;
            let tickets = search::behind(asking.view, &wanted, after, ROWS).await?;
            let next = tickets.last().filter(|_| tickets.len() == ROWS).map(search::place);
            let rows = rows(asking, &ground, chosen, tickets).await?;
            Ok(Part { rows, next })
        }
        .boxed()
    },
};

/// Where whoever asks works, as one who may have its tickets leave: its manager, an agent with the ticket right, or the
/// organization's owner or administrator.
async fn ground(asking: &Asking<'_>) -> Result<(ServiceId, Ground)> {
    let input: TicketExtraction = asking.input()?;
    let nothing = || Error::not_found(AT);
    let service: ServiceId = input.service_id.parse().map_err(|()| nothing())?;
    let member = asking.caller.actor().member().ok_or(Error::Unauthenticated)?.member_id;
    let found = ground::of(asking.view, &[service], &[member]).await?;
    let ground = found.into_values().next().ok_or_else(nothing)?;
    let places = asking.view.select::<agent::Entity>();
    let place = places
        .filter(agent::Column::ServiceId.eq(service))
        .filter(agent::Column::MemberId.eq(member));
    let has_right = place.one().await?.is_some_and(|place| place.handles_tickets);
    let is_over = asking.caller.may(Action::OrganizationRead) || ground.role == agent::Role::Manager;
    match is_over || has_right {
        true => Ok((service, ground)),
        false => Err(nothing()),
    }
}

/// The tickets that are asked for, within the days that an extraction may have.
async fn asked(asking: &Asking<'_>, service: ServiceId, ground: &Ground, is_first: bool) -> Result<Wanted> {
    let input: TicketExtraction = asking.input()?;
    let mut filter = input.filter.unwrap_or_default();
    let is_named = filter.number.is_some() || filter.external_reference.is_some();
    if !is_named || filter.received_at.is_some() {
        let range = filter.received_at.as_ref();
        let range = range.map_or((None, None), |range| (range.from, range.to));
        let most = asking.caller.app().settings.extraction_days;
        let (from, to) = extract::span(range, asking.at, most, "input.list.tickets.filter.receivedAt")?;
        filter.received_at = Some(DateTimeRange {
            from: Some(from),
            to: Some(to),
        });
    }
    // Whoever has a file made looks once, however many parts it has.
    let is_counted = is_first
        && asking
            .caller
            .actor()
            .member()
            .is_some_and(|member| !member.session_id.0.is_nil());
    wanted(asking.caller, asking.view, (service, ground), filter, is_counted).await
}

/// What a field is called in a language, or in the one that it is called in at all.
fn title(field: &Field, language: Language) -> String {
    let texts = &field.texts.0;
    let own = texts.iter().find(|text| text.language == language.tag());
    own.or(texts.first())
        .map_or_else(|| field.code.clone(), |text| text.title.clone())
}

fn heads(ground: &Ground, language: Language) -> Vec<Head> {
    let of_field = |field: &Field| Head {
        code: field.code.clone(),
        title: title(field, language),
        is_personal: field.is_encrypted,
    };
    let mut heads = extract::heads(COLUMNS, language);
    heads.extend(ground.fields.iter().map(of_field));
    heads
}

/// A ticket, and who looks after it.
struct Row {
    ticket: Model,
    assignee: Option<Member>,
}

async fn rows(asking: &Asking<'_>, ground: &Ground, chosen: &[String], tickets: Vec<Model>) -> Result<Vec<Vec<Cell>>> {
    let (view, language) = (asking.view, asking.caller.language());
    let assignees = tickets.iter().filter_map(|ticket| ticket.assignee_id);
    let assignees = view
        .select::<member::Entity>()
        .filter(member::Column::Id.is_in(assignees));
    let assignees: HashMap<MemberId, Member> = match chosen.iter().any(|code| code.starts_with("@assignee")) {
        true => assignees.all().await?.into_iter().map(|row| (row.id, row)).collect(),
        false => HashMap::new(),
    };
    let fields: Vec<Option<&Field>> = chosen.iter().map(|code| ground.field(code)).collect();
    let keys = match fields.iter().flatten().any(|field| field.is_encrypted) {
        true => Some(value::keys_of(view).await?),
        false => None,
    };
    let row = |ticket: Model| Row {
        assignee: ticket.assignee_id.and_then(|id| assignees.get(&id).cloned()),
        ticket,
    };
    let tickets: Vec<Row> = tickets.into_iter().map(row).collect();
    let mut rows = extract::cells(COLUMNS, chosen, language, &tickets);
    for (row, of) in rows.iter_mut().zip(&tickets) {
        for (cell, field) in row.iter_mut().zip(&fields) {
            if let Some(field) = field {
                *cell = shown(asking, keys.as_ref(), &of.ticket, field);
            }
        }
    }
    Ok(rows)
}

/// The value of a field in a cell.
fn shown(asking: &Asking<'_>, keys: Option<&Arc<FieldKeys>>, ticket: &Model, field: &Field) -> Cell {
    let Some(keys) = keys.filter(|_| field.is_encrypted) else {
        return match ticket.plain.0.get(&field.code) {
            None => Cell::Empty,
            Some(Kept::Text(text)) => Cell::Text(text.clone()),
            Some(Kept::Options(chosen)) => Cell::Text(chosen.join(", ")),
            Some(Kept::Agreed(is)) => Cell::truth(*is),
        };
    };
    match filled::open(&keys.values, ticket, field) {
        Ok(None) => Cell::Empty,
        Ok(Some(value)) => {
            let clear = asking.token.and_then(|token| value.reveal(token));
            Cell::Text(clear.map_or_else(|| value.masked(), str::to_owned))
        }
        Err(broken) => {
            tracing::error!(ticket = %ticket.id, field = %field.id, %broken, "a sealed value does not open");
            asking.caller.alarm(Action::TicketRead, UNREADABLE);
            Cell::Empty
        }
    }
}

fn channel(channel: Channel, language: Language) -> &'static str {
    match channel {
        Channel::Web => own(language, "헬프센터(PC)", "Help center (PC)"),
        Channel::MobileWeb => own(language, "헬프센터(Mobile)", "Help center (mobile)"),
        Channel::Email => own(language, "이메일", "E-mail"),
        Channel::Api => "API",
        Channel::Chat => own(language, "채팅", "Chat"),
        Channel::Twitter => own(language, "트위터", "Twitter"),
        Channel::Phone => own(language, "전화", "Phone"),
        Channel::Manual => own(language, "생성", "By hand"),
    }
}

fn status(status: Status, language: Language) -> &'static str {
    match status {
        Status::New => own(language, "미할당", "New"),
        Status::Open => own(language, "처리중", "Open"),
        Status::Reply => own(language, "보류", "Waiting"),
        Status::Solved => own(language, "해결", "Solved"),
        Status::Closed => own(language, "완료", "Closed"),
    }
}

fn priority(priority: Priority, language: Language) -> &'static str {
    match priority {
        Priority::Low => own(language, "낮음", "Low"),
        Priority::Normal => own(language, "일반", "Normal"),
        Priority::High => own(language, "높음", "High"),
        Priority::Urgent => own(language, "긴급", "Urgent"),
    }
}

/// The columns that every service's tickets have; their codes begin as no field's does.
const COLUMNS: &[Of<Row>] = &[
    Of {
        code: "@number",
        title: ("번호", "Number"),
        cell: |row, _| Cell::Number(row.ticket.number.into()),
    },
    Of {
        code: "@receivedAt",
        title: ("접수일시", "Received at"),
        cell: |row, _| Cell::Instant(row.ticket.received_at),
    },
    Of {
        code: "@channel",
        title: ("채널", "Channel"),
        cell: |row, language| Cell::Text(channel(row.ticket.channel, language).to_owned()),
    },
    Of {
        code: "@status",
        title: ("상태", "Status"),
        cell: |row, language| Cell::Text(status(row.ticket.status, language).to_owned()),
    },
    Of {
        code: "@priority",
        title: ("우선순위", "Priority"),
        cell: |row, language| Cell::Text(priority(row.ticket.priority, language).to_owned()),
    },
    Of {
        code: "@assignee",
        title: ("담당자", "Assignee"),
        cell: |row, _| Cell::text(row.assignee.as_ref().map(|member| member.name.clone())),
    },
    Of {
        code: "@assigneeLogin",
        title: ("담당자 ID", "Assignee's login ID"),
        cell: |row, _| Cell::text(row.assignee.as_ref().map(|member| member.login.clone())),
    },
    Of {
        code: "@processedAt",
        title: ("처리일시", "Processed at"),
        cell: |row, _| Cell::instant(row.ticket.processed_at),
    },
    Of {
        code: "@processing",
        title: ("처리내용", "Processing"),
        cell: |row, _| Cell::text(row.ticket.processing.clone()),
    },
    Of {
        code: "@externalReference",
        title: ("외부 ID", "External ID"),
        cell: |row, _| Cell::text(row.ticket.external_id.clone()),
    },
    Of {
        code: "@isMigrated",
        title: ("마이그레이션 여부", "Migrated"),
        cell: |row, _| Cell::truth(row.ticket.is_migrated),
    },
    Of {
        code: "@createdAt",
        title: ("등록일시", "Added at"),
        cell: |row, _| Cell::Instant(row.ticket.created_at),
    },
];
