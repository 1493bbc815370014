//! How the database finds a page of tickets: along an index, as many rows as the page has, however many tickets there are.
//! `TICKET_ROWS=1000000` makes them that many and tells the times.

use std::time::Instant;

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        people,
        raw::Raw,
        ticket::{desk, made},
    },
};

/// What the check of the session takes, beside the operation.
const CHECK: usize = 1;

/// How many tickets the service has; another one has a tenth of them.
fn length() -> u64 {
    std::env::var("TICKET_ROWS").map_or(20_000, |text| text.parse().unwrap())
}

/// Fills both services over half a year: five states, four channels, three assignees, and five values that are found by.
async fn fill(raw: &mut Raw, length: u64) {
    let (fresh, at, numbers, terms) = if raw.is_postgres() {
        (
            "lpad(to_hex(n * 2 + x.k), 32, '0')::uuid",
            format!("timestamptz '2026-05-15T00:00:00Z' + interval '175 days' * (n / {length}.0)"),
            format!("generate_series(1, {length}) numbers (n)"),
            [
                "convert_to('product ' || t.number % 50, 'UTF8')",
                "convert_to('order ' || t.number, 'UTF8')",
                "decode(md5('p' || t.number % 5000), 'hex')",
            ],
        )
    } else {
        (
            "unhex(printf('%032x', n * 2 + x.k))",
            format!(
                "strftime('%Y-%m-%dT%H:%M:%f+00:00', '2026-05-15', '+' || CAST(15120000 * (n / {length}.0) AS TEXT) || ' seconds')"
            ),
            "numbers".to_owned(),
            [
                "CAST('product ' || t.number % 50 AS BLOB)",
                "CAST('order ' || t.number AS BLOB)",
                "unhex(printf('%032x', t.number % 5000 * 7919))",
            ],
        )
    };
    if !raw.is_postgres() {
        raw.must("PRAGMA cache_size = -400000; PRAGMA synchronous = OFF").await;
    }
    let recursive = if raw.is_postgres() {
        String::new()
    } else {
        format!("WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {length})")
    };
    raw.must(&format!(
        "INSERT INTO ticket (id, organization_id, service_id, number, channel, status, priority, assignee_id, received_at, external_id, is_migrated, plain, sealed, created_at, version)
         {recursive}
         SELECT {fresh}, s.organization_id, s.id, n + 1, CASE n % 40 WHEN 0 THEN 'TWITTER' WHEN 1 THEN 'API' ELSE CASE n % 2 WHEN 0 THEN 'PHONE' ELSE 'EMAIL' END END,
           CASE n % 5 WHEN 0 THEN 'NEW' WHEN 1 THEN 'OPEN' WHEN 2 THEN 'REPLY' WHEN 3 THEN 'SOLVED' ELSE 'CLOSED' END, 'NORMAL',
           CASE n % 5 WHEN 0 THEN NULL ELSE (SELECT m.id FROM member m WHERE m.organization_id = s.organization_id AND m.login = CASE n % 20 WHEN 1 THEN 'agent' ELSE 'manager' END) END,
           {at}, 'crm-' || n, false, '{{\"subject\": \"subject\"}}', '{{}}', {at}, 1
         FROM service s JOIN (SELECT 'desk' AS code, 0 AS k UNION ALL SELECT 'other', 1) x ON x.code = s.code CROSS JOIN {numbers} WHERE x.k = 0 OR n % 10 = 0"
    )).await;
    for (code, term) in ["typeOne", "typeTwo", "phone"].into_iter().zip(terms) {
        raw.must(&format!(
            "INSERT INTO ticket_term (organization_id, ticket_id, field_id, term, received_at)
             SELECT t.organization_id, t.id, f.id, {term}, t.received_at FROM ticket t JOIN field f ON f.organization_id = t.organization_id AND f.service_id = t.service_id AND f.code = '{code}'
             WHERE t.external_id IS NOT NULL"
        )).await;
    }
}

/// The plan of a statement as the service's own role gets it, one step a line.
async fn plan(raw: &mut Raw, organization: &str, sql: &str) -> Vec<String> {
    if let Raw::Sqlite(connection) = raw {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
            .fetch_all(&mut **connection)
            .await
            .unwrap();
        return rows.iter().map(|row| sqlx::Row::get::<String, _>(row, 3)).collect();
    }
    raw.must(&format!(
        "BEGIN; SELECT set_config('orgdesk.organization', '{organization}', true)"
    ))
    .await;
    let steps = raw
        .texts(&format!("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {sql}"))
        .await;
    raw.must("ROLLBACK").await;
    steps
}

/// What is wrong with the plan of a page: a scan of a table, a sort where none should be, more rows than the page needs.
fn faults(steps: &[String], is_postgres: bool, most: u64, may_sort: bool) -> Vec<String> {
    if !is_postgres {
        let by_key = steps.iter().any(|step| step.contains("(organization_id=? AND id=?)"));
        let is_wrong = |step: &&String| {
            step.starts_with("SCAN ticket")
                || step.ends_with("(organization_id=?)")
                || (step.contains("TEMP B-TREE") && !may_sort && !by_key)
        };
        return steps.iter().filter(is_wrong).cloned().collect();
    }
    let number = |text: &str, after: &str| {
        text.split(after)
            .nth(1)
            .and_then(|rest| rest.split([' ', ')', '.']).next()?.parse::<u64>().ok())
    };
    let is_wrong = |step: &&String| {
        let read = number(step, "actual rows=").unwrap_or(0) * number(step, "loops=").unwrap_or(1);
        step.contains("Seq Scan")
            || read > most
            || number(step, "Rows Removed by Filter: ").is_some_and(|rows| rows > most)
    };
    steps.iter().filter(is_wrong).cloned().collect()
}

both! {
    async fn f3_a_page_of_many_tickets_is_read_along_an_index_whatever_the_filter(app) {
        let service = desk(&app, "desk").await;
        let other = desk(&app, "other").await;
        let agent = app.someone("acme", "agent");
        // The keys of encrypted fields are made with the first ticket.
        for service in [&service, &other] {
            made(agent, service, json!({})).await;
        }
        let (mut raw, mut own) = (Raw::admin(&app).await, Raw::service(&app).await);
        let is_postgres = raw.is_postgres();
        let rows = length();
        let tells = rows > 20_000;
        let begun = Instant::now();
        fill(&mut raw, rows).await;
        if tells {
            println!("filled with {rows} tickets in {:?}", begun.elapsed());
        }
        let organization = if is_postgres { raw.texts("SELECT id::text FROM organization WHERE domain = 'acme'").await.remove(0) } else { String::new() };
        let me = people::member(app.owner(), "agent").await["id"].as_str().unwrap().to_owned();
        let begins = format!("order {}", rows / 100);
        let filters = [
            (json!({}), "ticket_time", false), (json!({ "status": ["REPLY"] }), "ticket_status", false), (json!({ "status": ["NEW", "OPEN", "REPLY"] }), "ticket_status", false),
            (json!({ "channel": "TWITTER" }), "ticket_channel", false), (json!({ "assigneeId": me }), "ticket_assignee", false), (json!({ "number": 77 }), "ticket_number", true),
            (json!({ "externalReference": "crm-77" }), "ticket_external", true), (json!({ "value": { "code": "typeOne", "equals": "product 7" } }), "ticket_term_find", false),
            (json!({ "value": { "code": "typeTwo", "beginsWith": begins } }), "ticket_term_find", true), (json!({ "value": { "code": "phone", "equals": "010-0000-0000" } }), "ticket_term_find", false),
            (json!({ "value": { "code": "typeOne", "equals": "product 7" }, "status": ["REPLY"], "assigneeId": me, "receivedAt": { "from": "2026-11-01T00:00:00Z" } }), "", true),
            (json!({ "status": ["OPEN"], "assigneeId": me, "channel": "EMAIL" }), "", true),
        ];
        let token = agent.token().await;

        // PostgreSQL counts its tables by itself, SQLite only when it is told to.
        for analyzed in [is_postgres, true] {
            if analyzed {
                raw.must("ANALYZE").await;
            }
            for (filter, index, may_sort) in &filters {
                let query = "query Q($id: ID!, $first: Int, $after: String, $last: Int, $filter: TicketFilter) {
                    tickets(serviceId: $id, first: $first, after: $after, last: $last, filter: $filter) { edges { cursor node { number values { code text } } } pageInfo { endCursor } } }";
                let mut cursor = Value::Null;
                for page in ["first", "next", "last"] {
                    let variables = match page {
                        "last" => json!({ "id": service.id, "last": 20, "filter": filter }),
                        _ => json!({ "id": service.id, "first": 20, "after": cursor, "filter": filter }),
                    };
                    app.app.database.overhear();
                    let begun = Instant::now();
                    let answer = app.ask(Some(&token), query, variables.clone()).await;
                    let took = begun.elapsed();
                    let statements = app.app.database.overhear();
                    assert_eq!(answer.json.get("errors"), None, "{filter}: {}", answer.text);
                    let connection = &answer.json["data"]["tickets"];
                    cursor = connection["pageInfo"]["endCursor"].clone();
                    assert!(statements.len() <= CHECK + 5, "{filter}: {statements:#?}");
                    let lists: Vec<&String> = statements.iter().filter(|sql| sql.contains("\"sealed\"") && sql.contains("ORDER BY")).collect();
                    assert_eq!(lists.len(), 1, "{statements:#?}");
                    let steps = plan(&mut own, &organization, lists[0]).await;
                    let most = if *may_sort { rows / 40 + 200 } else { 130 };
                    assert_eq!(faults(&steps, is_postgres, most, *may_sort), Vec::<String>::new(), "{filter} {page}, analyzed {analyzed}: {}\n{steps:#?}", lists[0]);
                    assert!(index.is_empty() || steps.iter().any(|step| step.contains(&format!("{index} "))), "{filter}: {steps:#?}");
                    if tells {
                        println!("{filter} {page}, analyzed {analyzed}: {} rows in {took:?}", connection["edges"].as_array().unwrap().len());
                    }
                }
            }
        }
    }
}
