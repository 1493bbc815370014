//! 권한 변경 로그: whatever changes a right leaves a row for it, with what it was and what it became, and the log can be
//! asked for it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use orgdesk::{
    admin, agent,
    kernel::{Action, Ask, Error, MemberId, Plain, Result, ServiceId, Tx},
    member,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    both,
    support::{app::TestApp, deed::caller, dump::dump, make, raw::Raw},
};

const FIELDS: &str = "id occurredAt action kind address before after service { name reference }
    actor { kind name login reference } target { kind name login reference }";

/// Trying out.
#[derive(Serialize)]
struct Trial;

impl Ask for Trial {
    fn idempotency_key(&self) -> Option<&str> {
        None
    }

    fn is_dry_run(&self) -> bool {
        true
    }
}

/// The log, newest first, with this filter.
pub async fn log(app: &TestApp, filter: &str) -> Vec<Value> {
    let query =
        format!("{{ permissionChanges(first: 100, filter: {{ {filter} }}) {{ totalCount nodes {{ {FIELDS} }} }} }}");
    let page = app.administrator().data(&query, json!({})).await["permissionChanges"].clone();
    let nodes = page["nodes"].as_array().unwrap().clone();
    assert_eq!(page["totalCount"].as_u64().unwrap(), nodes.len() as u64, "{filter}");
    nodes
}

/// Rows in short, oldest first: `AGENT_ADDED member Desk desk [] > [AGENT]`.
pub fn told(rows: &[Value]) -> Vec<String> {
    let list = |rights: &Value| {
        let rights = rights.as_array().unwrap().iter();
        rights
            .map(|right| right.as_str().unwrap())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let line = |row: &Value| {
        let text = |pointer: &str| row.pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned();
        let who = if row["target"]["login"].is_null() {
            text("/target/name")
        } else {
            text("/target/login")
        };
        format!(
            "{} {who} {} [{}] > [{}]",
            text("/kind"),
            text("/service/name"),
            list(&row["before"]),
            list(&row["after"])
        )
    };
    rows.iter().rev().map(line).collect()
}

async fn member_id(app: &TestApp, login: &str) -> MemberId {
    let data = app
        .someone("acme", login)
        .data("{ viewer { member { id } } }", json!({}))
        .await;
    data["viewer"]["member"]["id"].as_str().unwrap().parse().unwrap()
}

async fn row(tx: &Tx, id: MemberId) -> Result<member::Member> {
    tx.find::<member::Entity>("id", &id.to_string()).await
}

/// Puts a member into a service past the rules, with the least that his role has.
async fn place(tx: &Tx, service_id: ServiceId, member_id: MemberId, role: agent::Role) -> Result<agent::Model> {
    let is_manager = role == agent::Role::Manager;
    let row = agent::Model {
        id: tx.fresh_id(),
        organization_id: tx.organization_id(),
        service_id,
        member_id,
        role,
        handles_tickets: true,
        handles_chats: false,
        handles_calls: false,
        assigns_callbacks: is_manager,
        forwards_tickets: false,
        views_access_logs: is_manager,
        receives_tickets: true,
        receives_chats: false,
        controls_assignment: false,
        added_at: tx.now(),
        version: 1,
    };
    tx.create::<agent::Entity>(row).await
}

both! {
    async fn l1_every_kind_of_change_stands_there_with_what_was_and_what_became(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;
        let service: ServiceId = desk.id.parse().unwrap();
        let (owner, plain) = (member_id(&app, "owner").await, member_id(&app, "member").await);
        let by = caller(&app, "admin", "10.0.0.7").await;
        app.wait(Duration::seconds(1));
        let start = format!("occurredAt: {{ from: \"{}\" }}", app.app.clock.now().to_text());

        let added = by.act(Action::AgentAdd, &Plain, async |tx: &Tx| {
            admin::add(tx, plain).await?;
            place(tx, service, plain, agent::Role::Manager).await
        }).await.unwrap();
        app.wait(Duration::seconds(1));
        let changed = by.act(Action::AgentUpdate, &Plain, async |tx: &Tx| {
            tx.update::<agent::Entity>(added, |row| {
                row.role = agent::Role::Agent;
                (row.handles_chats, row.handles_calls) = (true, true);
                (row.assigns_callbacks, row.forwards_tickets, row.views_access_logs) = (false, true, false);
                (row.receives_tickets, row.receives_chats, row.controls_assignment) = (false, true, true);
            }).await
        }).await.unwrap();
        app.wait(Duration::seconds(1));
        by.act(Action::OwnershipTransfer, &Plain, async |tx: &Tx| {
            let old = row(tx, owner).await?;
            tx.update::<member::Entity>(old, |row| row.is_owner = false).await?;
            let new = row(tx, plain).await?;
            tx.update::<member::Entity>(new, |row| row.is_owner = true).await
        }).await.unwrap();
        app.wait(Duration::seconds(1));
        by.act(Action::MemberRemove, &Plain, async |tx: &Tx| {
            let role = admin::Model { organization_id: tx.organization_id(), member_id: plain, added_by: None, added_at: tx.now() };
            tx.delete::<admin::Entity>(role).await?;
            tx.delete::<agent::Entity>(changed).await?;
            let now = tx.now();
            let gone = row(tx, plain).await?;
            tx.update::<member::Entity>(gone, |row| (row.status, row.left_at) = (member::Status::Left, Some(now))).await
        }).await.unwrap();
        app.wait(Duration::seconds(1));
        by.act(Action::MemberInvite, &Plain, async |tx: &Tx| {
            let old = row(tx, owner).await?;
            // A change that is none of a right leaves nothing here.
            tx.update::<member::Entity>(old, |row| row.name = "새 이름".into()).await
        }).await.unwrap();
        let make_key = r#"organizationKeyCreate(input: { name: "k", scopes: [SERVICE_READ, USAGE_RECORD] }) => key { id version }"#;
        app.administrator().deed(make_key, json!({})).await;
        app.wait(Duration::seconds(1));
        let spare = app.administrator().deed(make_key, json!({})).await["key"].clone();
        app.wait(Duration::seconds(1));
        app.administrator().deed("organizationKeyRevoke(id: $id, input: $input)", json!({ "id": spare["id"], "input": { "expectedVersion": spare["version"] } })).await;

        let rows = log(&app, &start).await;
        assert_eq!(told(&rows), [
            "ORG_ADMIN_ADDED member - [] > [ORGANIZATION_ADMIN]",
            "AGENT_ADDED member Desk desk [] > [MANAGER HANDLES_TICKETS ASSIGNS_CALLBACKS VIEWS_ACCESS_LOGS RECEIVES_TICKETS]",
            "BASE_ROLE_CHANGED member Desk desk [MANAGER] > [AGENT]",
            "CHANNEL_RIGHTS_CHANGED member Desk desk [HANDLES_TICKETS] > [HANDLES_TICKETS HANDLES_CHATS HANDLES_CALLS]",
            "CALLBACK_ASSIGN_CHANGED member Desk desk [ASSIGNS_CALLBACKS] > []",
            "TICKET_FORWARD_CHANGED member Desk desk [] > [FORWARDS_TICKETS]",
            "VIEW_RIGHT_CHANGED member Desk desk [VIEWS_ACCESS_LOGS] > []",
            "ASSIGNMENT_CHANGED member Desk desk [RECEIVES_TICKETS] > [RECEIVES_CHATS CONTROLS_ASSIGNMENT]",
            "OWNERSHIP_TRANSFERRED owner - [OWNER] > []",
            "OWNERSHIP_TRANSFERRED member - [] > [OWNER]",
            "ORG_ADMIN_REMOVED member - [ORGANIZATION_ADMIN] > []",
            "AGENT_REMOVED member Desk desk [AGENT HANDLES_TICKETS HANDLES_CHATS HANDLES_CALLS FORWARDS_TICKETS RECEIVES_CHATS CONTROLS_ASSIGNMENT] > []",
            "MEMBER_LEFT member - [MEMBER OWNER] > []",
            "KEY_CREATED k - [] > [KEY_SERVICE_READ KEY_USAGE_RECORD]",
            "KEY_CREATED k - [] > [KEY_SERVICE_READ KEY_USAGE_RECORD]",
            "KEY_REVOKED k - [KEY_SERVICE_READ KEY_USAGE_RECORD] > []",
        ]);
        let first = rows.last().unwrap();
        assert_eq!((&first["action"], &first["address"]), (&json!("AGENT_ADD"), &json!("10.0.0.7")));
        assert_eq!(first["actor"], json!({ "kind": "MEMBER", "name": "조직관리자", "login": "admin", "reference": member_id(&app, "admin").await.to_string() }));
        assert_eq!(first["target"], json!({ "kind": "MEMBER", "name": "구성원", "login": "member", "reference": plain.to_string() }));
        assert_eq!(rows[13]["service"]["reference"], desk.id);
        assert_eq!(rows[0]["target"], json!({ "kind": "KEY", "name": "k", "login": null, "reference": spare["id"] }));
        let begun = log(&app, "login: \"admin\", kind: [MEMBER_ADDED, ORG_ADMIN_ADDED], address: \"\"").await;
        assert_eq!(told(&begun), ["MEMBER_ADDED admin - [] > [MEMBER]", "ORG_ADMIN_ADDED admin - [] > [ORGANIZATION_ADMIN]"]);
        assert_eq!(told(&log(&app, "login: \"owner\", kind: [MEMBER_ADDED]").await), ["MEMBER_ADDED owner - [] > [MEMBER OWNER]"]);
        assert_eq!(begun[0]["actor"], json!({ "kind": "OPERATOR", "name": "operator", "login": null, "reference": null }));
    }

    async fn l1_each_filter_finds_its_rows_and_no_others(app) {
        let (desk, line) = (make::in_use(app.owner(), "desk", 3).await, make::in_use(app.owner(), "line", 3).await);
        let ids = [member_id(&app, "owner").await, member_id(&app, "admin").await, member_id(&app, "member").await];
        app.wait(Duration::seconds(1));
        let start = app.app.clock.now().to_text();
        for (login, address, service, target) in [
            ("owner", "10.0.0.1", &desk, ids[2]), ("admin", "10.0.0.2", &line, ids[2]), ("admin", "2001:db8::1", &desk, ids[1]),
        ] {
            let service: ServiceId = service.id.parse().unwrap();
            let by = caller(&app, login, address).await;
            by.act(Action::AgentAdd, &Plain, async |tx: &Tx| place(tx, service, target, agent::Role::Agent).await).await.unwrap();
            app.wait(Duration::seconds(1));
        }
        let by = caller(&app, "owner", "10.0.0.1").await;
        by.act(Action::AdminAdd, &Plain, async |tx: &Tx| {
            admin::add(tx, ids[2]).await?;
            let (old, new) = (row(tx, ids[2]).await?, "다른 이름".to_owned());
            tx.update::<member::Entity>(old, |row| row.name = new).await
        }).await.unwrap();
        app.wait(Duration::seconds(1));
        by.act(Action::AdminRemove, &Plain, async |tx: &Tx| {
            let role = admin::Model { organization_id: tx.organization_id(), member_id: ids[2], added_by: None, added_at: tx.now() };
            tx.delete::<admin::Entity>(role).await?;
            row(tx, ids[2]).await
        }).await.unwrap();
        let all = log(&app, &format!("occurredAt: {{ from: \"{start}\" }}")).await;
        let keys: Vec<&Value> = all.iter().rev().map(|row| &row["id"]).collect();
        assert_eq!(keys.len(), 5);

        for (filter, found) in [
            (format!("serviceId: \"{}\"", desk.id), vec![0, 2]), (format!("serviceId: \"{}\"", line.id), vec![1]),
            (format!("actorId: \"{}\"", ids[0]), vec![0, 3, 4]), (format!("targetId: \"{}\"", ids[1]), vec![2]),
            (format!("targetId: \"{}\"", ids[2]), vec![0, 1, 3, 4]),
            ("address: \"10.0.0.1\"".into(), vec![0, 3, 4]), ("address: \"2001:db8::1\"".into(), vec![2]),
            ("kind: [ORG_ADMIN_ADDED]".into(), vec![3]), ("kind: [ORG_ADMIN_ADDED, ORG_ADMIN_REMOVED, AGENT_ADDED]".into(), vec![0, 1, 2, 3, 4]),
            ("kind: []".into(), vec![]), ("kind: [KEY_REVOKED]".into(), vec![]),
            ("login: \"admin\"".into(), vec![1, 2]), ("login: \"owner\"".into(), vec![0, 3, 4]), ("login: \"member\"".into(), vec![0, 1, 3, 4]),
            ("name: \"조직관리자\"".into(), vec![1, 2]), ("name: \"구성원\"".into(), vec![0, 1]), ("name: \"다른 이름\"".into(), vec![3, 4]),
            ("name: \"구성\"".into(), vec![]), ("login: \"ADMIN\"".into(), vec![]), ("login: \"a\\u0000\"".into(), vec![]),
            ("login: \"owner\", name: \"구성원\"".into(), vec![0]), ("login: \"admin\", kind: [AGENT_ADDED, AGENT_REMOVED]".into(), vec![1, 2]),
            ("name: \"구성원\", kind: []".into(), vec![]), ("login: \"member\", address: \"10.0.0.2\"".into(), vec![1]),
            ("serviceId: \"svc_x\"".into(), vec![]), ("actorId: \"\"".into(), vec![]),
        ] {
            let rows = log(&app, &format!("occurredAt: {{ from: \"{start}\" }}, {filter}")).await;
            let rows: Vec<&Value> = rows.iter().rev().map(|row| &row["id"]).collect();
            assert_eq!(rows, found.iter().map(|place: &usize| keys[*place]).collect::<Vec<_>>(), "{filter}");
        }
        let long = |name: &str, length: usize| format!("{name}: \"{}\"", "x".repeat(length));
        for wrong in [long("name", 101), long("login", 41), long("address", 51), format!("kind: [{}]", "AGENT_ADDED ".repeat(21))] {
            let answer = app.owner().ask(&format!("{{ permissionChanges(filter: {{ {wrong} }}) {{ totalCount }} }}"), json!({})).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{wrong}");
        }
    }

    async fn l1_a_question_spans_twelve_months_at_most_and_the_last_ones_unless_it_says_otherwise(app) {
        let plain = member_id(&app, "member").await;
        for at in ["2026-11-10T02:00:00Z", "2027-11-10T01:59:59Z", "2027-11-10T02:00:00Z"] {
            app.go_to(at);
            let by = caller(&app, "owner", "10.0.0.1").await;
            by.act(Action::AdminAdd, &Plain, async |tx: &Tx| {
                admin::add(tx, plain).await?;
                tx.delete::<admin::Entity>(admin::Model { organization_id: tx.organization_id(), member_id: plain, added_by: None, added_at: tx.now() }).await?;
                row(tx, plain).await
            }).await.unwrap();
        }
        let count = async |range: &str| {
            let query = format!("{{ permissionChanges(filter: {{ kind: [ORG_ADMIN_REMOVED], {range} }}) {{ totalCount }} }}");
            let answer = app.owner().ask(&query, json!({})).await;
            answer.json["data"]["permissionChanges"]["totalCount"].as_u64().ok_or(answer.code().to_owned())
        };
        let refused = Err("BAD_USER_INPUT".to_owned());

        assert_eq!(count("").await, Ok(3));
        app.go_to("2027-11-10T02:00:01Z");
        assert_eq!(count("").await, Ok(2), "twelve months and a second ago is past");
        assert_eq!(count(r#"occurredAt: { to: "2027-11-10T02:00:00Z" }"#).await, Ok(2), "twelve months before the end; the end is left out");
        assert_eq!(count(r#"occurredAt: { from: "2027-11-10T02:00:00Z" }"#).await, Ok(1));
        assert_eq!(count(r#"occurredAt: { from: "2026-11-10T02:00:00Z", to: "2027-11-10T02:00:00Z" }"#).await, Ok(2));
        assert_eq!(count(r#"occurredAt: { from: "2027-03-01T00:00:00+09:00", to: "2028-03-01T00:00:00+09:00" }"#).await, Ok(2), "a leap year");
        assert_eq!(count(r#"occurredAt: { from: "2025-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z" }"#).await, Ok(0));
        assert_eq!(count(r#"occurredAt: { from: "2027-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z" }"#).await, Ok(0));
        assert_eq!(count(r#"occurredAt: { from: "2026-11-01T00:00:00Z" }"#).await, refused);
        assert_eq!(count(r#"occurredAt: { from: "2026-11-10T00:00:00Z", to: "2027-11-11T00:00:00.001Z" }"#).await, refused);
        assert_eq!(count(r#"occurredAt: { to: "0001-01-01T00:00:00Z" }"#).await, Ok(0));
    }

    // case: C9
    async fn l1_pages_neither_skip_nor_repeat_whatever_the_filter(app) {
        let (plain, service) = (member_id(&app, "member").await, make::in_use(app.owner(), "desk", 3).await);
        let service: ServiceId = service.id.parse().unwrap();
        let by = caller(&app, "member", "10.0.0.1").await;
        for step in 0..12 {
            app.wait(Duration::milliseconds(step % 2));
            by.act(Action::AgentAdd, &Plain, async |tx: &Tx| {
                let agent = place(tx, service, plain, agent::Role::Agent).await?;
                tx.delete::<agent::Entity>(agent).await?;
                row(tx, plain).await
            }).await.unwrap();
        }
        let filters = ["", "login: \"member\"", "name: \"구성원\"", "kind: [AGENT_ADDED, AGENT_REMOVED, MEMBER_ADDED]", "address: \"10.0.0.1\""];

        for filter in filters {
            let whole: Vec<Value> = log(&app, filter).await.iter().map(|row| row["id"].clone()).collect();
            assert!(whole.len() >= 24, "{filter}: {}", whole.len());
            for (size, cursor, next, more) in [("first", "after", "endCursor", "hasNextPage"), ("last", "before", "startCursor", "hasPreviousPage")] {
                let query = format!("query Q($c: String) {{ permissionChanges({size}: 5, {cursor}: $c, filter: {{ {filter} }}) {{
                    totalCount nodes {{ id }} pageInfo {{ {next} {more} }} }} }}");
                let (mut pages, mut place) = (Vec::new(), Value::Null);
                loop {
                    let page = app.owner().data(&query, json!({ "c": place })).await["permissionChanges"].clone();
                    assert_eq!(page["totalCount"].as_u64().unwrap(), whole.len() as u64);
                    pages.push(page["nodes"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect::<Vec<_>>());
                    place = page["pageInfo"][next].clone();
                    if page["pageInfo"][more] == false {
                        break;
                    }
                }
                if size == "last" {
                    pages.reverse();
                }
                assert_eq!(pages.concat(), whole, "{size} {filter}");
            }
        }
    }

    async fn l1_another_organization_sees_nothing_of_it_and_members_may_not_look(app) {
        let mut own = log(&app, "").await;
        own.retain(|row| row["kind"] == "ORG_ADMIN_ADDED");
        let rival = app.rival().data(&format!("{{ permissionChanges {{ totalCount nodes {{ {FIELDS} }} }} }}"), json!({})).await;
        let node = "query N($id: ID!) { node(id: $id) { id ... on PermissionChange { kind entry { log position action changes { record field } } } } }";
        let seen = app.owner().data(node, json!({ "id": own[0]["id"] })).await;

        assert_eq!((own.len(), &rival["permissionChanges"]["totalCount"]), (1, &json!(4)));
        assert!(!rival.to_string().contains(own[0]["target"]["reference"].as_str().unwrap()), "{rival}");
        let filter = format!("targetId: \"{}\"", own[0]["target"]["reference"].as_str().unwrap());
        let theirs = app.rival().data(&format!("{{ permissionChanges(filter: {{ {filter} }}) {{ totalCount }} }}"), json!({})).await;
        assert_eq!(theirs["permissionChanges"]["totalCount"], 0);
        assert_eq!(app.rival().data(node, json!({ "id": own[0]["id"] })).await["node"], Value::Null);
        assert_eq!(app.member().ask("{ permissionChanges { totalCount } }", json!({})).await.code(), "FORBIDDEN");
        assert_eq!(seen["node"]["kind"], "ORG_ADMIN_ADDED");
        assert_eq!((&seen["node"]["entry"]["action"], &seen["node"]["entry"]["changes"][0]["record"]), (&json!("MEMBER_CREATE"), &json!("member")), "{seen}");
    }

    // case: C1
    // case: C2
    async fn l2_a_change_and_its_rows_are_together_or_not_at_all(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;
        let service: ServiceId = desk.id.parse().unwrap();
        let plain = member_id(&app, "member").await;
        let by = caller(&app, "owner", "10.0.0.1").await;
        let before = dump(&app).await;

        let failed = by.act(Action::AgentAdd, &Plain, async |tx: &Tx| {
            place(tx, service, plain, agent::Role::Manager).await?;
            Err::<agent::Model, _>(Error::BadInput("no".into()))
        }).await;
        assert!(failed.is_err() && dump(&app).await == before, "a deed that fails");

        let tried = by.act(Action::AgentAdd, &Trial, async |tx: &Tx| place(tx, service, plain, agent::Role::Manager).await).await;
        by.release().await;
        assert!(tried.is_ok() && dump(&app).await == before, "a dry run");

        let looked = by.act(Action::AuditRead, &Plain, async |tx: &Tx| place(tx, service, plain, agent::Role::Manager).await).await;
        assert!(looked.is_err() && dump(&app).await == before, "what stands in no log changes no right");

        let mut raw = Raw::admin(&app).await;
        if raw.is_postgres() {
            raw.must("CREATE FUNCTION no_log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$;
                CREATE TRIGGER no_log BEFORE INSERT ON permission_change FOR EACH ROW EXECUTE FUNCTION no_log()").await;
        } else {
            raw.must("CREATE TRIGGER no_log BEFORE INSERT ON permission_change BEGIN SELECT RAISE(ABORT, 'the disk is full'); END").await;
        }
        let full = by.act(Action::AgentAdd, &Plain, async |tx: &Tx| place(tx, service, plain, agent::Role::Manager).await).await;
        assert!(full.is_err() && dump(&app).await == before, "what can't be logged is not done");
    }

    async fn l2_a_deed_for_many_leaves_a_row_for_each_and_takes_as_many_statements(app) {
        let mut services: Vec<ServiceId> = Vec::new();
        for code in ["da", "db", "dc", "dd", "de", "df", "dg", "dh"] {
            services.push(make::draft(app.owner(), code).await.id.parse().unwrap());
        }
        let ids = [member_id(&app, "owner").await, member_id(&app, "admin").await, member_id(&app, "member").await];
        let by = caller(&app, "owner", "10.0.0.1").await;
        let many = async |services: &[ServiceId], members: &[MemberId]| {
            app.wait(Duration::seconds(1));
            let before = app.app.database.statements();
            by.act(Action::AgentUpdateMany, &Plain, async |tx: &Tx| {
                let rows = services.iter().flat_map(|service| members.iter().map(|member| agent::Model {
                    id: tx.fresh_id(), organization_id: tx.organization_id(), service_id: *service, member_id: *member,
                    role: agent::Role::Agent, handles_tickets: true, handles_chats: false, handles_calls: false, assigns_callbacks: false,
                    forwards_tickets: false, views_access_logs: false, receives_tickets: false, receives_chats: false,
                    controls_assignment: false, added_at: tx.now(), version: 1,
                }));
                tx.create_many::<agent::Entity>(rows.collect()).await?;
                row(tx, ids[0]).await
            }).await.unwrap();
            app.app.database.statements() - before
        };

        let few = many(&services[..1], &ids[..1]).await;
        let more = many(&services[1..], &ids).await;

        // SQLite takes up to 128 rows in eight pieces at most.
        let most = if app.admin_url.is_some() { few } else { few + 7 };
        assert!((few..=most).contains(&more), "{few} and {more}");
        let rows = log(&app, "kind: [AGENT_ADDED]").await;
        let targets: BTreeSet<String> = rows.iter().map(|row| format!("{} {}", row["service"]["name"], row["target"]["login"])).collect();
        assert_eq!((rows.len(), targets.len()), (22, 22));
        let entries = app.owner().data("{ permissionChanges(first: 21, filter: { kind: [AGENT_ADDED] }) { nodes { entry { id changes { after } } } } }", json!({})).await;
        let entries = entries["permissionChanges"]["nodes"].as_array().unwrap().clone();
        assert!(entries.iter().all(|node| *node == entries[0]) && entries[0]["entry"]["changes"][0]["after"] == "21", "{}", entries[0]);
    }

    async fn l2_whoever_replays_the_log_has_everybodys_rights(app) {
        let mut services: Vec<ServiceId> = Vec::new();
        for code in ["da", "db", "dc"] {
            services.push(make::draft(app.owner(), code).await.id.parse().unwrap());
        }
        let ids = [member_id(&app, "owner").await, member_id(&app, "admin").await, member_id(&app, "member").await];
        let by = caller(&app, "owner", "10.0.0.1").await;
        let mut seed = 11_u64;
        for _ in 0..120 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let bits = seed >> 20;
            let (service, member) = (services[(bits % 3) as usize], ids[(bits / 3 % 3) as usize]);
            app.wait(Duration::seconds(1));
            by.act(Action::AgentUpdate, &Plain, async |tx: &Tx| {
                let known = tx.select::<agent::Entity>().all().await?;
                match known.into_iter().find(|row| row.service_id == service && row.member_id == member) {
                    None => {
                        place(tx, service, member, agent::Role::Agent).await?;
                    }
                    Some(agent) if (bits / 9).is_multiple_of(5) => tx.delete::<agent::Entity>(agent).await?,
                    Some(agent) => {
                        tx.update::<agent::Entity>(agent, |row| {
                        row.role = if bits >> 10 & 1 == 0 { agent::Role::Agent } else { agent::Role::Manager };
                        (row.handles_chats, row.forwards_tickets) = (bits >> 11 & 1 == 0, bits >> 12 & 1 == 0);
                        (row.views_access_logs, row.receives_chats) = (bits >> 13 & 1 == 0, bits >> 14 & 1 == 0);
                        }).await?;
                    }
                }
                row(tx, member).await
            }).await.unwrap();
        }

        let mut rights: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut after = Value::Null;
        let query = format!("query Q($c: String) {{ permissionChanges(last: 100, before: $c) {{ nodes {{ {FIELDS} }} pageInfo {{ startCursor hasPreviousPage }} }} }}");
        loop {
            let page = app.owner().data(&query, json!({ "c": after })).await["permissionChanges"].clone();
            for row in page["nodes"].as_array().unwrap().iter().rev() {
                let held = rights.entry(format!("{} {}", row["target"]["reference"], row["service"]["reference"])).or_default();
                for right in row["before"].as_array().unwrap() {
                    assert!(held.remove(right.as_str().unwrap()), "{row} of {held:?}");
                }
                held.extend(row["after"].as_array().unwrap().iter().map(|right| right.as_str().unwrap().to_owned()));
            }
            after = page["pageInfo"]["startCursor"].clone();
            if page["pageInfo"]["hasPreviousPage"] == false {
                break;
            }
        }
        let mut now: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let view = by.view(Action::AgentRead).await.unwrap();
        for row in view.select::<agent::Entity>().all().await.unwrap() {
            let named = [
                (row.role == agent::Role::Manager, "MANAGER"), (row.role == agent::Role::Agent, "AGENT"),
                (row.handles_tickets, "HANDLES_TICKETS"), (row.handles_chats, "HANDLES_CHATS"), (row.handles_calls, "HANDLES_CALLS"),
                (row.assigns_callbacks, "ASSIGNS_CALLBACKS"), (row.forwards_tickets, "FORWARDS_TICKETS"),
                (row.views_access_logs, "VIEWS_ACCESS_LOGS"), (row.receives_tickets, "RECEIVES_TICKETS"),
                (row.receives_chats, "RECEIVES_CHATS"), (row.controls_assignment, "CONTROLS_ASSIGNMENT"),
            ];
            let held = named.iter().filter(|(is_held, _)| *is_held).map(|(_, name)| (*name).to_owned());
            now.insert(format!("{:?} {:?}", row.member_id.to_string(), row.service_id.to_string()), held.collect());
        }
        rights.retain(|place, held| !held.is_empty() && !place.ends_with("null"));
        assert_eq!(rights, now);
        assert!(now.len() > 4);
    }
}
