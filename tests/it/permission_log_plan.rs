//! How the database finds a page of the permission-change log: along an index, as many rows as the page has, however
//! long the log. `PERMISSION_ROWS=2000000` makes it that long and tells the times.

use std::time::Instant;

use serde_json::{Value, json};

use crate::{
    both,
    support::{make, raw::Raw},
};

/// What the check of the session takes, beside the operation.
const CHECK: usize = 1;

/// How many rows Acme's log has, and Rival's a tenth of it.
fn length() -> u64 {
    std::env::var("PERMISSION_ROWS").map_or(20_000, |text| text.parse().unwrap())
}

/// Fills both logs over two years: 7 actors, 100 targets, 40 addresses, 20 services, 9 kinds.
async fn fill(raw: &mut Raw, length: u64) {
    let kinds = "CASE n % 9 WHEN 0 THEN 'AGENT_ADDED' WHEN 1 THEN 'AGENT_REMOVED' WHEN 2 THEN 'BASE_ROLE_CHANGED' WHEN 3 THEN 'CHANNEL_RIGHTS_CHANGED'
        WHEN 4 THEN 'TICKET_FORWARD_CHANGED' WHEN 5 THEN 'VIEW_RIGHT_CHANGED' WHEN 6 THEN 'ASSIGNMENT_CHANGED' WHEN 7 THEN 'CALLBACK_ASSIGN_CHANGED' ELSE 'ORG_ADMIN_ADDED' END";
    let (fresh, at, numbers) = if raw.is_postgres() {
        (
            "lpad(to_hex(n), 32, '0')::uuid",
            format!("timestamptz '2024-11-10T00:00:00Z' + interval '730 days' * (n / {length}.0)"),
            format!("generate_series(1, {length}) numbers (n)"),
        )
    } else {
        (
            "unhex(printf('%032x', n))",
            format!(
                "strftime('%Y-%m-%dT%H:%M:%f+00:00', '2024-11-10', '+' || CAST(63072000 * (n / {length}.0) AS TEXT) || ' seconds')"
            ),
            "numbers".to_owned(),
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
        "INSERT INTO permission_change (id, organization_id, log, sequence, occurred_at, action, kind, actor_kind, actor_id, actor_name, actor_login,
           address, target_kind, target_id, target_name, target_login, service_id, service_name, rights_before, rights_after)
         {recursive}
         SELECT {fresh}, o.id, 'PERMISSION', 1, {at}, 'AGENT_UPDATE', {kinds}, 'MEMBER', 'mbr_a' || (n % 7), 'Actor ' || (n % 7), 'actor' || (n % 7),
           '10.0.0.' || (n % 40), 'MEMBER', 'mbr_t' || (n % 100), 'Target ' || (n % 100), 'target' || (n % 100),
           CASE n % 20 WHEN 0 THEN (SELECT s.id FROM service s WHERE s.organization_id = o.id) END, 'Desk', '[\"AGENT\"]', '[\"MANAGER\"]'
         FROM organization o CROSS JOIN {numbers} WHERE o.domain = 'acme' OR n % 10 = 0"
    )).await;
}

/// The plan of a statement as the service's own role gets it, one step a line.
async fn plan(raw: &mut Raw, organization: &str, sql: &str) -> Vec<String> {
    if !raw.is_postgres() {
        let Raw::Sqlite(connection) = raw else {
            return Vec::new();
        };
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

/// What is wrong with the plan of a page: a scan, a sort of more than a page, more rows than the page needs.
fn faults(steps: &[String], is_postgres: bool, most: u64) -> Vec<String> {
    if !is_postgres {
        // What is sorted was found by its keys, of which a page has few.
        let by_key = steps.iter().any(|step| step.contains("(organization_id=? AND id=?)"));
        let is_wrong = |step: &&String| {
            step.starts_with("SCAN permission_change")
                || step.ends_with("(organization_id=?)")
                || (step.contains("TEMP B-TREE") && !by_key)
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
    async fn l1_a_page_of_a_long_log_is_read_along_an_index_whatever_the_filter(app) {
        let service = make::draft(app.owner(), "desk").await.id;
        make::draft(app.rival(), "desk").await;
        let (mut raw, mut own) = (Raw::admin(&app).await, Raw::service(&app).await);
        let is_postgres = raw.is_postgres();
        let rows = length();
        let tells = rows > 20_000;
        let begun = Instant::now();
        fill(&mut raw, rows).await;
        if tells {
            println!("filled with {rows} rows in {:?}", begun.elapsed());
        }
        let organization = if is_postgres { raw.texts("SELECT id::text FROM organization WHERE domain = 'acme'").await.remove(0) } else { String::new() };
        let filters = [
            (String::new(), "time"), ("kind: [AGENT_REMOVED]".into(), "kind"), ("kind: [AGENT_REMOVED, KEY_REVOKED, ORG_ADMIN_ADDED]".into(), "kind"),
            ("name: \"Target 77\"".into(), "target_name"), ("name: \"Actor 3\"".into(), "actor_name"), ("name: \"Nobody\"".into(), "target_name"),
            ("login: \"target77\"".into(), "target_login"), ("login: \"actor3\"".into(), "actor_login"),
            ("address: \"10.0.0.7\"".into(), "address"), (format!("serviceId: \"{service}\""), "service"),
            ("actorId: \"mbr_a3\"".into(), "actor"), ("targetId: \"mbr_t77\"".into(), "target"),
        ];
        let token = app.owner().token().await;
        // What he may do is known from here on.
        app.ask(Some(&token), "{ viewer { roles } }", json!({})).await;

        // PostgreSQL counts its tables by itself, SQLite only when it is told to.
        for analyzed in [is_postgres, true] {
            if analyzed {
                raw.must("ANALYZE").await;
            }
            for (filter, index) in &filters {
                let fields = "totalCount edges { cursor node { kind before after entry { action } } } pageInfo { endCursor }";
                let query = format!("query Q($first: Int, $after: String, $last: Int, $before: String) {{
                    permissionChanges(first: $first, after: $after, last: $last, before: $before, filter: {{ {filter} }}) {{ {fields} }} }}");
                let mut cursor = Value::Null;
                for page in ["first", "next", "last"] {
                    let variables = match page {
                        "last" => json!({ "last": 20 }),
                        _ => json!({ "first": 20, "after": cursor }),
                    };
                    app.app.database.overhear();
                    let begun = Instant::now();
                    let answer = app.ask(Some(&token), &query, variables.clone()).await;
                    let took = begun.elapsed();
                    let statements = app.app.database.overhear();
                    assert_eq!(answer.json.get("errors"), None, "{filter}: {}", answer.text);
                    let connection = &answer.json["data"]["permissionChanges"];
                    cursor = connection["pageInfo"]["endCursor"].clone();
                    assert!(filter.contains("Nobody") || connection["edges"].as_array().unwrap().len() == 20, "{filter} {page}: {} {statements:#?}", answer.text);
                    assert!(statements.len() <= CHECK + 3, "{filter}: {statements:#?}");
                    let lists = statements.iter().filter(|sql| sql.contains("\"rights_before\"") && sql.contains("ORDER BY"));
                    let lists: Vec<&String> = lists.collect();
                    assert_eq!(lists.len(), 1, "{statements:#?}");
                    let steps = plan(&mut own, &organization, lists[0]).await;
                    assert_eq!(faults(&steps, is_postgres, 130), Vec::<String>::new(), "{filter} {page}, analyzed {analyzed}: {}\n{steps:#?}", lists[0]);
                    assert!(steps.iter().any(|step| step.contains(&format!("permission_change_{index} "))), "{filter}: {steps:#?}");
                    for count in statements.iter().filter(|sql| sql.contains("COUNT(")) {
                        let steps = plan(&mut own, &organization, count).await;
                        let whole: &[&str] = if is_postgres { &["Seq Scan on permission_change"] } else { &["SCAN permission_change", "permission_change_time"] };
                        let is_whole = |step: &String| whole.iter().any(|whole| step.contains(whole));
                        assert!(filter.is_empty() || !steps.iter().any(is_whole), "{filter}: {count} {steps:#?}");
                    }
                    if tells {
                        let begun = Instant::now();
                        app.ask(Some(&token), &query.replace("totalCount", ""), variables).await;
                        println!("{filter:60} {page:5} analyzed {analyzed:5} {:?}, {took:?} with the count of {}", begun.elapsed(), connection["totalCount"]);
                    }
                }
            }
        }
    }
}
