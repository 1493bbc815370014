//! 돈의 성질: whatever happens to contracts in three months, lines sum to charges, charges to the organization's total,
//! licences are what the days say, and a month that is closed stays as it is.

use chrono::{Duration, NaiveDate};
use orgdesk::{kernel::Day, operate};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};

use crate::support::{
    app::TestApp,
    ledger::{self, balanced, charges, sums, texts, total, won},
    make::{self, Made},
};

/// November, December and January.
const DAYS: usize = 92;

/// What can happen to one of three services.
#[derive(Debug, Clone)]
enum Deed {
    Sign { users: i32, knowledge: bool, quoted: bool },
    Edit { users: i32, knowledge: bool },
    Suspend,
    Resume,
    Terminate,
    Discount { percent: i32 },
    Trial { after: i64, days: i64 },
    Use { quantity: i64, days_ago: i64 },
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => (1..9, any::<bool>(), any::<bool>())
            .prop_map(|(users, knowledge, quoted)| Deed::Sign { users, knowledge, quoted }),
        4 => (1..9, any::<bool>()).prop_map(|(users, knowledge)| Deed::Edit { users, knowledge }),
        2 => Just(Deed::Suspend),
        1 => Just(Deed::Resume),
        1 => Just(Deed::Terminate),
        1 => (0..=100).prop_map(|percent| Deed::Discount { percent }),
        1 => (0..20_i64, 0..40_i64).prop_map(|(after, days)| Deed::Trial { after, days }),
        5 => (1..4_000_i64, 0..70_i64).prop_map(|(quantity, days_ago)| Deed::Use { quantity, days_ago }),
    ]
}

/// Days between deeds, the service, and what happens to it.
fn history() -> impl Strategy<Value = Vec<(i64, usize, Deed)>> {
    vec((0..7_i64, 0..3_usize, deed()), 8..28)
}

fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 1).unwrap()
}

/// Users and whether knowledge was on, day by day: what the charges are held against.
type Days = Vec<Option<(i32, bool)>>;

/// One service, as the API made it and as it should be charged.
struct Desk {
    code: String,
    made: Made,
    days: Days,
}

/// Does what it can of a deed on the day of this place; what the rules refuse is refused.
async fn perform(app: &TestApp, desk: &mut Desk, today: usize, number: usize, deed: &Deed) {
    let owner = app.owner();
    let items = |users: i32, knowledge: bool| json!([{ "code": "TICKET", "userCount": users }, { "code": "KNOWLEDGE", "isOn": knowledge }]);
    let (version, contract_version) = make::versions(owner, &desk.made).await;
    let is_done = |payload: &Value| payload["userErrors"] == json!([]);
    let day = |days: i64| Day(first_day() + Duration::days(i64::try_from(today).unwrap() + days));
    match deed {
        Deed::Sign {
            users,
            knowledge,
            quoted,
        } => {
            let quote = ledger::quote(owner, &desk.made, items(*users, *knowledge)).await["quote"].clone();
            let quote = if *quoted { quote["quoteId"].clone() } else { Value::Null };
            let input =
                json!({ "expectedVersion": contract_version, "items": items(*users, *knowledge), "quoteId": quote });
            let signed = owner
                .payload(
                    "contractSign(id: $id, input: $input)",
                    json!({ "id": desk.made.contract, "input": input }),
                )
                .await;
            if is_done(&signed) {
                desk.days[today..].fill(Some((*users, *knowledge)));
            }
        }
        Deed::Edit { users, knowledge } => {
            let edited = ledger::update_at(owner, &desk.made, items(*users, *knowledge), None).await;
            if is_done(&edited) {
                desk.days[today..].fill(Some((*users, *knowledge)));
            }
        }
        Deed::Suspend | Deed::Resume | Deed::Terminate => {
            let (field, input) = match deed {
                Deed::Suspend => (
                    "serviceSuspend",
                    json!({ "expectedVersion": version, "acknowledgeCharges": true }),
                ),
                Deed::Resume => ("serviceResume", json!({ "expectedVersion": version })),
                _ => ("serviceTerminate", json!({ "expectedVersion": version })),
            };
            let variables = json!({ "id": desk.made.id, "input": input });
            let payload = owner
                .payload(&format!("{field}(id: $id, input: $input)"), variables)
                .await;
            if is_done(&payload) && field == "serviceTerminate" {
                desk.days[today + 1..].fill(None);
            }
        }
        Deed::Discount { percent } => {
            let _ = operate::discount(&app.app, "acme", &desk.code, Some(*percent), None).await;
        }
        Deed::Trial { after, days } => {
            let free = Some((day(*after), day(after + days)));
            let _ = operate::discount(&app.app, "acme", &desk.code, None, free).await;
        }
        Deed::Use { quantity, days_ago } => {
            let at = (orgdesk::kernel::Clock::now(&app.clock).0 - Duration::days(*days_ago)).to_rfc3339();
            let entry = ledger::entry(&desk.made, "TICKETS", &format!("e{number}"), *quantity, &at);
            let recorded = ledger::record(owner, json!([entry])).await;
            let then = today.checked_sub(usize::try_from(*days_ago).unwrap());
            let was_on = then.is_some_and(|then| desk.days[then].is_some());
            assert_eq!(is_done(&recorded), was_on, "{recorded}");
        }
    }
}

/// What the licences of a month cost, seat by seat and day by day.
fn licences(days: &Days, month: std::ops::Range<usize>) -> i64 {
    let length = month.len() as i64;
    let cost = |on: i64, base: i64, day: i64| if on == length { base } else { base.min(on * day) };
    let of_month = &days[month];
    let seats: i64 = (1..=8)
        .map(|seat| of_month.iter().flatten().filter(|(users, _)| *users >= seat).count() as i64)
        .map(|on| cost(on, 10_000, 333))
        .sum();
    let knowledge = of_month.iter().flatten().filter(|(_, knowledge)| *knowledge).count() as i64;
    seats + cost(knowledge, 50_000, 1_667)
}

/// Plays a history and holds everything against everything.
async fn play(app: &TestApp, history: &[(i64, usize, Deed)]) {
    app.go_to("2026-11-01T10:00:00+09:00");
    let mut desks = Vec::new();
    for code in ["anna", "bora", "cora"] {
        let made = make::draft(app.owner(), code).await;
        desks.push(Desk {
            code: code.to_owned(),
            made,
            days: vec![None; DAYS],
        });
    }
    let (mut today, mut seen) = (0, Vec::new());
    for (number, (gap, place, deed)) in history.iter().enumerate() {
        today += usize::try_from(*gap).unwrap();
        if today >= DAYS {
            break;
        }
        let minute = Duration::minutes(i64::try_from(number).unwrap());
        app.clock
            .set(super::support::app::instant("2026-11-01T01:00:00Z") + Duration::days(today as i64) + minute);
        if app.run_due().await > 0 {
            seen.push(closed(app).await);
        }
        perform(app, &mut desks[*place], today, number, deed).await;
    }
    app.go_to("2027-02-01T00:10:00+09:00");
    app.run_due().await;
    let all = closed(app).await;

    for earlier in seen {
        let still = all
            .iter()
            .filter(|charge| earlier.iter().any(|old| old["id"] == charge["id"]))
            .cloned();
        assert_eq!(still.collect::<Vec<_>>(), earlier, "a closed month never changes");
    }
    let (_, count, sum) = charges(app.owner(), "2026-11", "2027-01").await;
    assert_eq!((count, sum), (all.len() as i64, all.iter().map(total).sum()));
    for charge in &all {
        balanced(charge);
    }
    for (month, days) in [("2026-11", 0..30), ("2026-12", 30..61), ("2027-01", 61..92)] {
        for desk in &desks {
            let charge = all
                .iter()
                .find(|charge| charge["month"] == month && charge["service"]["id"] == desk.made.id);
            let lines = charge
                .map(|charge| charge["lines"].as_array().unwrap().clone())
                .unwrap_or_default();
            let licence: i64 = lines
                .iter()
                .filter(|line| line["kind"] == "LICENCE")
                .map(|line| won(&line["amount"]))
                .sum();
            assert_eq!(licence, licences(&desk.days, days.clone()), "{} {month}", desk.code);
        }
    }
    rows_are_what_is_told(app, &all).await;

    ledger::execute(app, "UPDATE job_outbox SET state = 'WAITING' WHERE state = 'DONE'").await;
    app.run_due().await;
    assert_eq!(closed(app).await, all, "closing again changes nothing");
}

/// The closed charges of all three months, newest first.
async fn closed(app: &TestApp) -> Vec<Value> {
    let (nodes, ..) = charges(app.owner(), "2026-11", "2027-01").await;
    nodes.into_iter().filter(|node| node["status"] == "CLOSED").collect()
}

/// The rows say what the API says: month, total, and the lines in their order.
async fn rows_are_what_is_told(app: &TestApp, told: &[Value]) {
    let sql = "SELECT CAST(charge.month AS text) || ' ' || CAST(total AS text) || ' ' || CAST(sum(amount) AS text)
            || ' ' || CAST(count(*) AS text)
        FROM charge JOIN charge_line USING (organization_id, service_id, month)
        GROUP BY organization_id, service_id, charge.month, total ORDER BY 1";
    let first = texts(app, "SELECT CAST(min(month) AS text) FROM month_close").await;
    let first: i64 = first.concat().parse().unwrap();
    let row = |charge: &Value| {
        let place = ["2026-11", "2026-12", "2027-01"]
            .iter()
            .position(|month| charge["month"] == **month)
            .unwrap();
        let lines = sums(charge)["lines"].as_array().unwrap().len();
        format!("{} {} {} {lines}", first + place as i64, total(charge), total(charge))
    };
    let mut expected: Vec<_> = told.iter().map(row).collect();
    let mut found = texts(app, sql).await;
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

/// Plays so many histories, the same ones in every run.
fn histories(cases: u32, database: &(dyn Fn(&tokio::runtime::Runtime) -> Option<TestApp>)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    };
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let played = TestRunner::new_with_rng(config, random).run(&history(), |history| {
        if let Some(app) = database(&runtime) {
            runtime.block_on(play(&app, &history));
        }
        Ok(())
    });
    played.unwrap_or_else(|failure| panic!("{failure}"));
}

// case: I5
#[test]
fn b2_money_adds_up_whatever_happens_on_sqlite() {
    histories(24, &|runtime| Some(runtime.block_on(TestApp::on_sqlite())));
}

// case: I5
#[test]
fn b2_money_adds_up_whatever_happens_on_postgres() {
    histories(4, &|runtime| runtime.block_on(TestApp::on_postgres()));
}
