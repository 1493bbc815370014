//! The door of imports: many tickets at once, each once however often it comes, with the times that they had.

use std::{collections::BTreeMap, sync::Arc};

use orgdesk::{
    field::value::Given,
    kernel::{Action, Caller, Code, Error, MemberId, OrganizationId, Outcome, Plain, Result, ServiceId, Timestamp, Tx},
    operate, service,
    ticket::{Brought, Channel, Fate, Made, Means, Migrated, Premises, Status, make, migrate},
};
use serde_json::json;

use crate::{
    both,
    support::{
        app::{TestApp, instant},
        canary,
        dump::dump,
        make::{self, Made as Desk},
        people,
        raw::Raw,
        staff,
        ticket::{self, desk, made, search, seen, text},
    },
};

/// What came of a part of an import.
struct Done(Vec<Fate>);

impl Outcome for Done {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Err(Error::internal("an import is not repeated"))
    }
}

pub async fn bring(app: &TestApp, desk: &Desk, import: u128, rows: Vec<Migrated>) -> Vec<Fate> {
    let data = app.owner().data("{ organization { id } }", json!({})).await;
    let organization: OrganizationId = data["organization"]["id"].as_str().unwrap().parse().unwrap();
    let caller = Caller::system(app.app.clone(), "test", organization);
    let means = means(&caller, desk).await;
    let import = uuid::Uuid::from_u128(import);
    let made = rows.into_iter().map(|row| make(&app.app, &means, import, row).unwrap());
    written(&caller, &means, import, made.collect()).await
}

/// What rows are made tickets with.
struct Held(Arc<Means>);

impl Outcome for Held {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Err(Error::internal("means are not asked for twice"))
    }
}

/// What came of a part that goes on from another.
struct Went(Brought);

impl Outcome for Went {
    type Receipt = ();

    fn receipt(&self) {}

    async fn again(_: &Tx, (): ()) -> Result<Self> {
        Err(Error::internal("an import is not repeated"))
    }
}

/// Writes a part that relies on what the part before has left.
async fn next(
    caller: &Caller,
    (means, kept): (&Means, &mut Option<Premises>),
    made: Vec<Made>,
) -> std::result::Result<Vec<String>, Error> {
    let import = uuid::Uuid::from_u128(1);
    let before = kept.clone();
    let deed = async |tx: &Tx| migrate(tx, import, (means, before.as_ref()), made).await.map(Went);
    let Brought { fates, premises } = caller.step(Action::ImportProgress, deed).await?.0;
    *kept = Some(premises);
    Ok(words(&fates))
}

async fn means(caller: &Caller, desk: &Desk) -> Arc<Means> {
    let service: ServiceId = desk.id.parse().unwrap();
    let deed = async |tx: &Tx| Means::of(tx, service).await.map(Arc::new).map(Held);
    caller.act(Action::MonthClose, &Plain, deed).await.unwrap().0
}

async fn written(caller: &Caller, means: &Means, import: uuid::Uuid, made: Vec<Made>) -> Vec<Fate> {
    let deed = async |tx: &Tx| {
        migrate(tx, import, (means, None), made)
            .await
            .map(|brought| Done(brought.fates))
    };
    caller.act(Action::MonthClose, &Plain, deed).await.unwrap().0
}

pub fn row(number: i32) -> Migrated {
    let text = |text: &str| Given::Text(text.to_owned());
    let values = [
        ("category", text("기타")),
        ("mail", text(canary::MAIL)),
        ("subject", text("옛 문의")),
        ("content", text("옛 내용")),
        ("phone", text("010-2345-6789")),
        ("personalAgree", Given::Agreed(true)),
    ];
    Migrated {
        row: number,
        received_at: Timestamp(instant("2026-09-01T00:00:00Z")),
        processed_at: Some(Timestamp(instant("2026-09-02T00:00:00Z"))),
        status: Some(Status::Closed),
        channel: Some(Channel::Email),
        priority: None,
        assignee: None,
        processing: Some("처리했습니다.".to_owned()),
        external_reference: None,
        values: BTreeMap::from(values.map(|(code, value)| (code.to_owned(), value))),
    }
}

fn words(fates: &[Fate]) -> Vec<String> {
    let word = |fate: &Fate| match fate {
        Fate::Written(_) => "written".to_owned(),
        Fate::Known(_) => "known".to_owned(),
        Fate::Refused(faults) => faults
            .iter()
            .map(|fault| format!("{:?} {:?}", fault.at, fault.wrong))
            .collect::<Vec<_>>()
            .join(", "),
    };
    fates.iter().map(word).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_only_the_service_has_tickets_counted() {
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let everybody = "SELECT has_function_privilege('public', 'count_anew(text)', 'EXECUTE')::text";

    Raw::service(&app).await.must("SELECT count_anew('ticket')").await;

    assert_eq!(Raw::admin(&app).await.texts(everybody).await, ["false"]);
}

both! {
    async fn m5_a_step_that_stands_in_no_log_changes_nothing_that_the_log_tells_of(app) {
        desk(&app, "desk").await;
        let data = app.owner().data("{ organization { id } }", json!({})).await;
        let organization: OrganizationId = data["organization"]["id"].as_str().unwrap().parse().unwrap();
        let caller = Caller::system(app.app.clone(), "test", organization);
        let before = dump(&app).await;

        let renamed = async |tx: &Tx| {
            let desk = tx.select::<service::Entity>().one().await?.unwrap();
            tx.update::<service::Entity>(desk, |row| row.name = "other".to_owned()).await.map(drop)
        };
        let done = caller.step(Action::ImportProgress, renamed).await;
        let logged = caller.step(Action::FieldUpdate, async |_: &Tx| Ok(())).await;

        assert!(matches!(&done, Err(Error::Internal(why)) if why.contains("a service was changed")), "{done:?}");
        assert!(matches!(&logged, Err(Error::Internal(why)) if why.contains("waits for the disk")), "{logged:?}");
        assert_eq!(dump(&app).await, before);
    }

    async fn f2_migrated_tickets_come_once_each_with_their_times_sealed_found_and_uncounted(app) {
        let service = desk(&app, "desk").await;
        let agent = app.someone("acme", "agent");
        made(agent, &service, json!({})).await;

        let before = app.app.database.statements();
        let first = bring(&app, &service, 1, (1..=500).map(row).collect()).await;
        let statements = app.app.database.statements() - before;
        let again = bring(&app, &service, 1, (499..=502).map(row).collect()).await;
        let other = bring(&app, &service, 2, vec![row(1)]).await;

        assert!(words(&first).iter().all(|word| word == "written"));
        // SQLite takes so many rows at once.
        let most = if Raw::admin(&app).await.is_postgres() { 30 } else { 60 };
        assert!(statements <= most, "{statements} for 500 rows");
        assert_eq!(words(&again), ["known", "known", "written", "written"]);
        assert_eq!(words(&other), ["written"]);
        let Fate::Written(id) = &first[0] else { panic!("not written") };
        let ticket = seen(agent, &json!({ "id": id.to_string() })).await;
        assert_eq!((&ticket["number"], &ticket["isMigrated"], &ticket["channel"], &ticket["status"]), (&json!(2), &json!(true), &json!("EMAIL"), &json!("CLOSED")));
        assert_eq!((&ticket["receivedAt"], &ticket["processedAt"]), (&json!("2026-09-01T00:00:00.000Z"), &json!("2026-09-02T00:00:00.000Z")));
        assert_eq!((text(&ticket, "phone"), text(&ticket, "subject")), ("010-****-6789", "옛 문의"));
        let query = "query Q($id: ID!) { tickets(serviceId: $id, filter: { value: { code: \"phone\", equals: \"01023456789\" } }) { totalCount } }";
        let found = agent.data(query, json!({ "id": service.id })).await;
        assert_eq!(found["tickets"]["totalCount"], 503);
        let mut raw = Raw::admin(&app).await;
        assert_eq!(raw.count("usage_entry WHERE meter = 'TICKETS'").await, 1, "only the one that was made here");
        assert!(raw.texts("SELECT changes FROM audit_entry WHERE action = 'MONTH_CLOSE' ORDER BY sequence").await[0].len() < 2_000, "the log has their number");
    }

    async fn f2_rows_that_were_made_before_the_fields_or_the_keys_became_others_are_made_anew(app) {
        let service = desk(&app, "desk").await;
        let owner = app.owner();
        let data = owner.data("{ organization { id } }", json!({})).await;
        let caller = Caller::system(app.app.clone(), "test", data["organization"]["id"].as_str().unwrap().parse().unwrap());
        let import = uuid::Uuid::from_u128(1);
        let made = |means: &Means, rows: [i32; 2]| rows.map(|number| make(&app.app, means, import, row(number)).unwrap()).into();
        let mut raw = Raw::admin(&app).await;

        let before = means(&caller, &service).await;
        let first = made(&before, [1, 2]);
        operate::rotate_keys(&app.app).await.unwrap();
        let kept = raw.texts("SELECT CAST(count(*) AS text) FROM data_key WHERE purpose = 'field value'").await;
        let fates = written(&caller, &before, import, first).await;
        assert_eq!((words(&fates), kept), (vec!["written".to_owned(); 2], vec!["1".to_owned()]), "the old key is gone");
        let Fate::Written(id) = &fates[1] else { panic!("not written") };
        let ticket = seen(app.someone("acme", "agent"), &json!({ "id": id.to_string() })).await;
        assert_eq!(text(&ticket, "phone"), "010-****-6789", "it opens");

        let before = means(&caller, &service).await;
        let second = made(&before, [3, 4]);
        let more = json!({ "serviceId": service.id, "code": "odd", "type": "TEXT", "length": 10, "isRequired": true, "texts": [{ "language": "ko", "title": "이름" }] });
        owner.deed("fieldAdd(input: $input)", json!({ "input": more })).await;
        let fates = written(&caller, &before, import, second).await;
        assert_eq!(words(&fates), ["Field(\"odd\") Required"; 2]);
    }

    async fn f2_what_a_part_relies_on_of_the_part_before_is_asked_anew_after_any_deed(app) {
        let (service, owner) = (desk(&app, "desk").await, app.owner());
        let data = owner.data("{ organization { id } }", json!({})).await;
        let caller = Caller::system(app.app.clone(), "test", data["organization"]["id"].as_str().unwrap().parse().unwrap());
        let (agent, mut kept) = (people::member(owner, "agent").await["id"].as_str().unwrap().parse().unwrap(), None);
        let means = means(&caller, &service).await;
        let rows = |numbers: &[i32]| numbers.iter().map(|number| {
            let row = Migrated { assignee: Some(agent), status: None, external_reference: Some(format!("crm-{number}")), ..row(*number) };
            make(&app.app, &means, uuid::Uuid::from_u128(1), row).unwrap()
        }).collect::<Vec<_>>();
        let numbers = async || {
            let mut raw = Raw::admin(&app).await;
            raw.texts("SELECT CAST(number AS text) FROM ticket ORDER BY number").await.join(" ")
        };

        assert_eq!(next(&caller, (&means, &mut kept), rows(&[1, 2])).await.unwrap(), ["written"; 2]);
        let before = app.app.database.statements();
        assert_eq!(next(&caller, (&means, &mut kept), rows(&[3, 4])).await.unwrap(), ["written"; 2]);
        // The turn, the logs, the tickets, and what they are found by, which SQLite takes so many at a time.
        let statements = app.app.database.statements() - before;
        assert!(statements == 4 || statements <= 7 && app.admin_url.is_none(), "{statements}");
        assert_eq!(next(&caller, (&means, &mut kept), rows(&[4, 2, 5])).await.unwrap(), ["known", "known", "written"], "rows that come again");

        let input = ticket::input(&service, json!({ "externalReference": "crm-7" }), &json!({}));
        app.someone("acme", "agent").deed(ticket::CREATE, input).await;
        assert_eq!(next(&caller, (&means, &mut kept), rows(&[6, 7])).await.unwrap(), ["written", "External Invalid"]);
        assert_eq!(numbers().await, "1 2 3 4 5 6 7");

        let places = owner.data("query Q($id: ID!) { service(by: { id: $id }) { agents(first: 10) { nodes { id version member { login } } } } }", json!({ "id": service.id })).await;
        let place = places["service"]["agents"]["nodes"].as_array().unwrap().iter().find(|place| place["member"]["login"] == "agent").unwrap().clone();
        assert!(staff::remove(owner, &place).await.is_empty());
        assert_eq!(next(&caller, (&means, &mut kept), rows(&[8])).await.unwrap(), ["Assignee Invalid"]);

        make::suspend(owner, &service).await;
        let refused = next(&caller, (&means, &mut kept), rows(&[9])).await.unwrap_err();
        assert!(matches!(&refused, Error::Problems(problems) if problems[0].code == Code::ServiceNotInUse), "{refused:?}");
        assert_eq!(numbers().await, "1 2 3 4 5 6 7");
    }

    async fn f2_a_value_of_a_field_that_is_encrypted_by_now_is_sealed(app) {
        let service = desk(&app, "desk").await;
        let data = app.owner().data("{ organization { id } }", json!({})).await;
        let caller = Caller::system(app.app.clone(), "test", data["organization"]["id"].as_str().unwrap().parse().unwrap());
        let import = uuid::Uuid::from_u128(1);
        let before = means(&caller, &service).await;
        let made = vec![make(&app.app, &before, import, row(1)).unwrap()];
        let mut raw = Raw::admin(&app).await;
        // Nobody can change that of a field, but for an intruder.
        let field = format!("code = 'subject' AND service_id = (SELECT id FROM service WHERE code = '{}')", "desk");
        raw.must(&format!("UPDATE field SET is_encrypted = TRUE, personal_kind = 'GENERIC', version = version + 1 WHERE {field}")).await;

        assert_eq!(words(&written(&caller, &before, import, made).await), ["written"]);

        let plain = raw.texts("SELECT CAST(plain AS text) FROM ticket").await.remove(0);
        assert!(!plain.contains("옛 문의") && plain.contains("옛 내용"), "{plain}");
        let terms = format!("ticket_term WHERE field_id = (SELECT id FROM field WHERE {field}) AND length(term) = 16");
        assert_eq!(raw.count(&terms).await, 1, "it is found by a token");
    }

    async fn f2_what_a_ticket_is_found_by_is_never_without_its_ticket(app) {
        let service = desk(&app, "desk").await;
        bring(&app, &service, 1, (1..=3).map(row).collect()).await;
        let mut raw = Raw::admin(&app).await;
        let (tickets, terms) = (raw.count("ticket").await, raw.count("ticket_term").await);
        for wrong in [
            "DELETE FROM ticket WHERE import_row = 2",
            "UPDATE ticket SET id = service_id WHERE import_row = 2",
            "DELETE FROM ticket",
            "TRUNCATE ticket",
            "UPDATE ticket_term SET ticket_id = field_id WHERE ticket_id = (SELECT id FROM ticket WHERE import_row = 2)",
            "INSERT INTO ticket_term SELECT organization_id, field_id, field_id, term, received_at FROM ticket_term WHERE ticket_id = (SELECT id FROM ticket WHERE import_row = 2)",
        ] {
            if wrong.starts_with("TRUNCATE") && !raw.is_postgres() {
                continue;
            }
            let refused = raw.run(wrong).await.unwrap_err().to_lowercase();
            assert!(refused.contains("foreign key") || refused.contains("without its ticket"), "{wrong}: {refused}");
        }
        assert_eq!((raw.count("ticket").await, raw.count("ticket_term").await), (tickets, terms));
        raw.must("DELETE FROM ticket_term").await;
        raw.must("DELETE FROM ticket").await;
    }

    async fn f2_what_is_wrong_with_a_row_keeps_no_other_from_coming_in(app) {
        let service = desk(&app, "desk").await;
        let outsider: MemberId = people::member(app.owner(), "member").await["id"].as_str().unwrap().parse().unwrap();
        let agent: MemberId = people::member(app.owner(), "agent").await["id"].as_str().unwrap().parse().unwrap();
        let with = |number: i32, change: fn(&mut Migrated)| { let mut row = row(number); change(&mut row); row };
        let mut rows = vec![
            with(1, |row| { row.values.remove("subject"); }),
            with(2, |row| { row.values.insert("phone".into(), Given::Text("010-****-6789".into())); }),
            with(3, |row| { row.values.insert("none".into(), Given::Text("x".into())); }),
            with(4, |row| row.received_at = Timestamp(instant("2027-01-01T00:00:00Z"))),
            with(5, |row| row.external_reference = Some("crm-1".into())),
            with(6, |row| row.external_reference = Some("crm-1".into())),
            with(7, |row| row.processing = Some("가".repeat(5_001))),
            row(8), row(8), row(9), row(10),
        ];
        rows[9].assignee = Some(outsider);
        rows[10].assignee = Some(agent);
        rows[10].status = None;

        let fates = bring(&app, &service, 1, rows).await;

        assert_eq!(words(&fates), [
            "Field(\"subject\") Required", "Field(\"phone\") Invalid", "Field(\"none\") Invalid", "ReceivedAt Invalid, ProcessedAt Invalid", "written", "External Invalid", "Processing Length",
            "written", "known", "Assignee Invalid", "written",
        ]);
        assert_eq!(search(app.someone("acme", "agent"), &service, json!({})).await.len(), 3);
    }
}
