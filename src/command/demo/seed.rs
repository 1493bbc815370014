//! Two years of a contact center, made by the verbs that people use, under a clock that runs from 24 months ago to
//! now and with the same randomness each time.

use std::sync::Arc;

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use chrono_tz::{Asia::Seoul, Tz};

use super::{
    cti, extractions, fields, grants, imports,
    invitations::invite,
    keys, logo,
    people::{employ, people},
    reviews,
    telephone::telephone,
    tickets,
};
use crate::{
    billing,
    billing::{UsageEntryInput, UsageRecordInput},
    contract::{
        self, Contract, ContractItemInput, ContractSignInput, ContractUpdateInput,
        item::{ItemCode, Meter},
    },
    field,
    kernel::{
        Action, App, Caller, Clock, Month, Random, Result, ServiceId, Settings, StoppedClock, SystemClock, Timestamp,
        zone,
    },
    operate::told,
    service::{Service, ServiceCreateInput, ServiceKind},
    setup, worker,
};

pub(super) const ZONE: Tz = Seoul;
const MONTHS: i32 = 24;

/// A service of the demo: its code, name, kind, contract, and what it uses in a month.
struct Plan {
    code: &'static str,
    name: &'static str,
    kind: ServiceKind,
    items: &'static [(ItemCode, Option<i32>, Option<i32>)],
    usage: &'static [(Meter, u64, u64)],
}

const PLANS: [Plan; 3] = [
    Plan {
        code: "support",
        name: "고객상담센터",
        kind: ServiceKind::Consultation,
        items: &[
            (ItemCode::Ticket, Some(4), Some(3_400)),
            (ItemCode::Telticket, Some(6), Some(48_000)),
            (ItemCode::Helpdoc, None, None),
            (ItemCode::Callback, None, None),
        ],
        usage: &[(Meter::Tickets, 2_600, 1_600), (Meter::CallSeconds, 30_000, 25_000)],
    },
    Plan {
        code: "shop",
        name: "온라인몰상담",
        kind: ServiceKind::Consultation,
        items: &[
            (ItemCode::Ticket, Some(3), Some(2_500)),
            (ItemCode::Chat, Some(2), Some(3_000)),
        ],
        usage: &[(Meter::Tickets, 2_000, 1_500), (Meter::Chats, 2_400, 1_400)],
    },
    Plan {
        code: "issues",
        name: "이슈처리센터",
        kind: ServiceKind::Issue,
        items: &[
            (ItemCode::Ticket, Some(2), Some(800)),
            (ItemCode::Knowledge, None, None),
        ],
        usage: &[(Meter::Tickets, 500, 600)],
    },
];

/// Makes the demo's database.
///
/// # Errors
/// If the database fails.
pub(super) async fn make(settings: Settings) -> anyhow::Result<App> {
    let now = SystemClock.now();
    let today = zone::date_at(now.0, ZONE);
    let last = Month::of(today).unwrap_or(Month::FIRST);
    let first = Month::from_index(last.index() - MONTHS).unwrap_or(Month::FIRST);
    let clock = StoppedClock::at(at(first.first_day(), 9));
    let app = setup::open(settings, Arc::new(clock.clone()), Random::seeded(20_180_823)).await?;
    let owner = people(&app).await.map_err(told)?;
    logo::show(&owner).await.map_err(told)?;
    let mut services = Vec::new();
    for plan in &PLANS {
        services.push(open_service(&owner, plan).await.map_err(told)?);
    }
    fields::furnish(&owner, &services).await.map_err(told)?;
    employ(&owner, &services).await.map_err(told)?;
    cti::set_up(&owner).await.map_err(told)?;
    for month in first.through(last) {
        if month < last {
            clock.set(at(month.first_day(), 9));
            invite(&owner, last.index() - month.index()).await.map_err(told)?;
            cti::live(&owner, last.index() - month.index()).await.map_err(told)?;
        }
        live(&app, &clock, &owner, &services, month, today)
            .await
            .map_err(told)?;
        if let Some(next) = month.next().filter(|next| *next <= last) {
            clock.set(at(next.first_day(), 1));
            worker::run_due(&app).await.map_err(told)?;
        }
    }
    clock.set(now.0);
    invite(&owner, 0).await.map_err(told)?;
    if let Some(organization) = owner.organization_id() {
        grants::give(&app, organization, &services).await.map_err(told)?;
        tickets::ask(&app, organization, &services).await.map_err(told)?;
        keys::make(&app, organization).await.map_err(told)?;
        reviews::sign(&app, organization, last).await.map_err(told)?;
    }
    telephone(&owner).await.map_err(told)?;
    imports::send(&owner, &services).await.map_err(told)?;
    extractions::ask(&owner, last).await.map_err(told)?;
    Ok(app)
}

/// One month: usage once a week, and an edit now and then.
async fn live(
    app: &App,
    clock: &StoppedClock,
    owner: &Caller,
    services: &[Service],
    month: Month,
    today: NaiveDate,
) -> Result<()> {
    for week in 0..4 {
        let day = month.first_day() + Duration::days(6 + 7 * week);
        if day >= today {
            return Ok(());
        }
        clock.set(at(day, 18));
        for (plan, service) in PLANS.iter().zip(services) {
            record(app, owner, plan, service.id, clock.now(), month, week).await?;
        }
        if week == 1 && month.index() % 5 == 0 {
            let place = usize::try_from(month.index() / 5).unwrap_or(0) % services.len();
            edit(app, owner, &services[place]).await?;
        }
    }
    Ok(())
}

async fn record(
    app: &App,
    owner: &Caller,
    plan: &Plan,
    service: ServiceId,
    now: Timestamp,
    month: Month,
    week: i64,
) -> Result<()> {
    let entries = plan.usage.iter().map(|(meter, base, spread)| UsageEntryInput {
        service: service.to_string().into(),
        meter: *meter,
        external: format!("{month}-w{week}"),
        quantity: i32::try_from((base + app.random.below(*spread)) / 4).unwrap_or(1),
        occurred_at: Timestamp(now.0 - Duration::minutes(5)),
    });
    let input = UsageRecordInput {
        idempotency_key: None,
        dry_run: None,
        entries: entries.collect(),
    };
    owner
        .act(Action::UsageRecord, &input, async |tx| {
            billing::record(tx, &input).await
        })
        .await?;
    Ok(())
}

/// One user more, or one fewer.
async fn edit(app: &App, owner: &Caller, service: &Service) -> Result<()> {
    let view = owner.view(Action::ContractRead).await?;
    let contract = contract::of_service(&view, service).await?;
    drop(view);
    owner.release().await;
    let users = contract
        .items
        .0
        .iter()
        .find(|item| item.code == ItemCode::Ticket)
        .and_then(|item| item.user_count)
        .unwrap_or(2);
    let users = if app.random.below(3) == 0 {
        (users - 1).max(1)
    } else {
        users + 1
    };
    let input = ContractUpdateInput {
        idempotency_key: None,
        dry_run: None,
        expected_version: contract.version,
        items: vec![wish(ItemCode::Ticket, Some(users), None)],
        quote: None,
    };
    let id = contract.id.to_string();
    owner
        .act(Action::ContractUpdate, &input, async |tx| {
            billing::update(tx, &id, &input).await
        })
        .await?;
    Ok(())
}

async fn open_service(owner: &Caller, plan: &Plan) -> Result<Service> {
    let bars = u32::try_from(plan.items.len()).unwrap_or(1);
    let banner = logo::picture(owner, bars).await?;
    let input = ServiceCreateInput {
        idempotency_key: None,
        dry_run: None,
        kind: plan.kind,
        code: plan.code.to_owned(),
        name: plan.name.to_owned(),
        languages: (plan.kind == ServiceKind::Consultation).then(|| vec!["ko".to_owned(), "en".to_owned()]),
        main_language: None,
        time_zone: None,
        editor_type: None,
        banner_id: Some(banner.id.to_string().into()),
    };
    let service = owner
        .act(Action::ServiceCreate, &input, async |tx| {
            field::add_service(tx, &input).await
        })
        .await?;
    let view = owner.view(Action::ContractRead).await?;
    let draft: Contract = contract::of_service(&view, &service).await?;
    drop(view);
    let items = plan
        .items
        .iter()
        .map(|(code, users, volume)| wish(*code, *users, *volume))
        .collect();
    let input = ContractSignInput {
        idempotency_key: None,
        dry_run: None,
        expected_version: draft.version,
        items: Some(items),
        quote: None,
    };
    let id = draft.id.to_string();
    owner
        .act(Action::ContractSign, &input, async |tx| {
            billing::sign(tx, &id, &input).await
        })
        .await?;
    Ok(service)
}

fn wish(code: ItemCode, user_count: Option<i32>, expected_volume: Option<i32>) -> ContractItemInput {
    ContractItemInput {
        code,
        is_on: Some(true),
        user_count,
        expected_volume,
    }
}

pub(super) fn at(day: NaiveDate, hour: u32) -> DateTime<Utc> {
    let time = NaiveTime::from_hms_opt(hour, 30, 0).unwrap_or_default();
    zone::instant_of(day, time, ZONE).unwrap_or_default()
}
