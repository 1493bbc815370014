//! The wall between organizations as the database itself stands it: row-level security, composite keys, and roles
//! that can't see past them.

use std::{future::Future as _, pin::pin, task::Poll};

use orgdesk::{
    kernel::{Random, SystemClock},
    setup,
};
use serde_json::json;

use crate::{
    both,
    support::{
        app::{TestApp, settings},
        database, make,
        raw::Raw,
    },
};

/// Both organizations with a service each.
async fn furnish(app: &TestApp) {
    make::in_use(app.owner(), "desk", 3).await;
    make::in_use(app.rival(), "desk", 3).await;
}

/// The ID of an organization as SQL has it.
async fn organization(raw: &mut Raw, domain: &str) -> String {
    let sql = if raw.is_postgres() {
        format!("SELECT quote_literal(id::text) FROM organization WHERE domain = '{domain}'")
    } else {
        format!("SELECT quote(id) FROM organization WHERE domain = '{domain}'")
    };
    raw.texts(&sql).await.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a5_a_query_that_forgets_the_organization_sees_only_its_own_rows() {
    // case: A5
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    furnish(&app).await;
    let (mut admin, mut service) = (Raw::admin(&app).await, Raw::service(&app).await);
    let (acme, rival) = (
        organization(&mut admin, "acme").await,
        organization(&mut admin, "rival").await,
    );

    for table in migration_tables().0.iter().chain(&["organization"]) {
        let owner = if *table == "organization" {
            "id"
        } else {
            "organization_id"
        };
        assert_eq!(service.count(table).await, 0, "{table} without an organization");
        for unset in ["", "00000000-0000-0000-0000-000000000000"] {
            service
                .must(&format!(
                    "BEGIN; SELECT set_config('orgdesk.organization', '{unset}', true)"
                ))
                .await;
            assert_eq!(service.count(table).await, 0, "{table} with '{unset}'");
            service.must("ROLLBACK").await;
        }
        for own in [&acme, &rival] {
            service
                .must(&format!(
                    "BEGIN; SELECT set_config('orgdesk.organization', {own}, true)"
                ))
                .await;
            let seen = service.count(table).await;
            service.must("ROLLBACK").await;
            assert_eq!(
                seen,
                admin.count(&format!("{table} WHERE {owner} = {own}")).await,
                "{table}"
            );
        }
        assert_eq!(service.count(table).await, 0, "{table} after a transaction");
    }
    service
        .must("BEGIN; SELECT set_config('orgdesk.organization', 'x', true)")
        .await;
    assert!(
        service.run("SELECT count(*) FROM service").await.is_err(),
        "a malformed organization is an error"
    );
    service.must("ROLLBACK").await;
    for sql in [
        format!(
            "INSERT INTO organization_admin (organization_id, member_id, added_at) SELECT {rival}, id, now() FROM member"
        ),
        format!("UPDATE service SET organization_id = {rival}"),
    ] {
        service
            .must(&format!(
                "BEGIN; SELECT set_config('orgdesk.organization', {acme}, true)"
            ))
            .await;
        let error = service
            .run(&sql)
            .await
            .expect_err("another organization's row can't be written");
        assert!(error.contains("row-level security"), "{error}");
        service.must("ROLLBACK").await;
    }
}

both! {
    // case: A4
    async fn a4_what_two_organizations_ask_at_once_is_not_mixed(app) {
        for code in ["aa", "ab", "ac"] {
            make::in_use(app.owner(), code, 2).await;
            make::in_use(app.rival(), code, 5).await;
        }
        let ask = "{ organization { id domain } services(first: 20) { nodes { id code contract { id status items { code userCount } editAllowance { remaining } } actions { name } } } }";
        let tokens = [app.owner().token().await, app.rival().token().await];
        let alone = [app.ask(Some(&tokens[0]), ask, json!({})).await, app.ask(Some(&tokens[1]), ask, json!({})).await];
        assert!(alone.iter().all(|answer| answer.json.get("errors").is_none()), "{}", alone[0].text);
        assert_ne!(alone[0].json, alone[1].json);

        for round in 0..50 {
            let crowd = (0..12).map(|place| app.ask(Some(&tokens[place % 2]), ask, json!({})));
            for (place, answer) in futures_util::future::join_all(crowd).await.into_iter().enumerate() {
                assert_eq!(answer.json, alone[place % 2].json, "round {round}");
            }
        }
    }

    // case: A6
    async fn a6_a_connection_remembers_nothing_of_its_last_borrower(app) {
        furnish(&app).await;
        let (owner, rival) = (app.owner().token().await, app.rival().token().await);
        let ask = "{ organization { domain } services(first: 100) { nodes { name } totalCount } auditEntries(first: 1, filter: { log: [MANAGEMENT] }) { totalCount } }";
        let rename = r#"mutation { serviceCreate(input: { kind: ISSUE, code: "xx", name: "x", dryRun: true }) { service { id } userErrors { code } } }"#;
        let expected = app.ask(Some(&rival), ask, json!({})).await.json;

        let mut cut = 0;
        for round in 0..300_usize {
            for query in [ask, rename] {
                // Dropped after so many polls, as when a client goes away.
                let mut future = Box::pin(app.ask(Some(&owner), query, json!({})));
                let mut polls = 0;
                let mut future = pin!(std::future::poll_fn(move |context| {
                    polls += 1;
                    match future.as_mut().poll(context) {
                        Poll::Ready(_) => Poll::Ready(false),
                        Poll::Pending if polls > round % 7 => Poll::Ready(true),
                        Poll::Pending => Poll::Pending,
                    }
                }));
                cut += usize::from(future.as_mut().await);
            }
            let crowd = (0..4).map(|_| app.ask(Some(&rival), ask, json!({})));
            for answer in futures_util::future::join_all(crowd).await {
                assert_eq!(answer.json, expected, "round {round}");
            }
        }

        assert!(cut > 20, "only {cut} were cut off");
        let own = app.ask(Some(&owner), ask, json!({})).await;
        assert_eq!(own.json["data"]["services"]["totalCount"], 1, "nothing of what was cut off stayed: {}", own.text);
    }

    // case: A7
    async fn a7_a_row_cannot_point_to_another_organizations_row(app) {
        furnish(&app).await;
        let mut raw = Raw::admin(&app).await;
        let (tenant, _) = migration_tables();
        let sql = if raw.is_postgres() {
            "SELECT c.conrelid::regclass::text || ' ' || c.confrelid::regclass::text || ' '
                || (SELECT string_agg(a.attname, ',' ORDER BY k.i) FROM unnest(c.conkey) WITH ORDINALITY k(n, i)
                    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n)
             FROM pg_constraint c WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace"
        } else {
            "SELECT t.name || ' ' || f.\"table\" || ' ' || group_concat(f.\"from\", ',')
             FROM sqlite_schema t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table' GROUP BY t.name, f.id"
        };
        let keys = raw.texts(sql).await;
        let mut crossings = 0;

        for key in &keys {
            let words: Vec<_> = key.split(' ').collect();
            if !tenant.contains(&words[0]) || !tenant.contains(&words[1]) {
                continue;
            }
            let columns: Vec<_> = words[2].split(',').collect();
            assert!(columns.contains(&"organization_id") && columns.len() > 1, "{key}");
            let pointer = columns.iter().find(|column| **column != "organization_id").unwrap();
            let rivals = organization(&mut raw, "rival").await;
            let theirs = format!("(SELECT r.{pointer} FROM {} r WHERE r.organization_id = {rivals} AND r.{pointer} IS NOT NULL LIMIT 1)", words[0]);
            let changed = format!("UPDATE {} SET {pointer} = {theirs} WHERE organization_id <> {rivals} AND {theirs} IS NOT NULL", words[0]);
            let pointing = format!("{} WHERE organization_id = {rivals} AND {pointer} IS NOT NULL", words[0]);
            if raw.count(&pointing).await > 0 && !["company_revision", "company_footer_revision", "field_composition_revision", "pii_grant_change", "contract_revision", "charge", "charge_line", "usage_entry", "permission_change"].contains(&words[0]) && *pointer != "month" {
                let error = raw.run(&changed).await.expect_err(key).to_lowercase();
                assert!(error.contains("foreign key"), "{changed}: {error}");
                crossings += 1;
            }
        }

        assert!(keys.len() > 15 && crossings >= 4, "{crossings} crossings of {keys:?}");
    }

    // case: A8
    async fn a8_every_table_is_known_and_behind_the_wall(app) {
        let mut raw = Raw::admin(&app).await;
        let (tenant, routing) = migration_tables();
        let others = ["organization", "seaql_migrations"];
        let runners = |table: &str| !raw_is_postgres(&app) && (table.starts_with("Jobs") || table.starts_with("Workers") || table.starts_with("_sqlx"));

        for table in raw.tables().await {
            let known = tenant.contains(&table.as_str()) || routing.contains(&table.as_str()) || others.contains(&table.as_str());
            assert!(known || runners(&table), "{table} is in no list");
        }
        if raw.is_postgres() {
            let open = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY 1";
            let mut expected: Vec<String> = routing.iter().map(|table| (*table).to_owned()).collect();
            expected.push("seaql_migrations".to_owned());
            expected.sort();
            assert_eq!(raw.texts(open).await, expected);
            let policies = "SELECT tablename || ' ' || permissive || ' ' || cmd || ' ' || (qual = with_check)::text FROM pg_policies ORDER BY 1";
            for policy in raw.texts(policies).await {
                assert!(policy.ends_with("PERMISSIVE ALL true"), "{policy}");
            }
        }
    }
}

fn raw_is_postgres(app: &TestApp) -> bool {
    app.admin_url.is_some()
}

/// The tables of organizations, and those that are read before one is known.
fn migration_tables() -> (&'static [&'static str], &'static [&'static str]) {
    (migration::TENANT, migration::ROUTING)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a8_the_service_does_not_start_in_a_role_that_sees_too_much() {
    // case: A8
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let mut admin = Raw::admin(&app).await;
    let open = async |url: &str| {
        let opened = setup::open(settings(url), std::sync::Arc::new(SystemClock), Random::seeded(9)).await;
        opened
            .map(drop)
            .map_err(|error| format!("{error:#}"))
            .err()
            .unwrap_or_default()
    };
    let word = database_password(&app.url);
    let name = app.url.rsplit('/').next().unwrap().split('?').next().unwrap();
    let role = format!("odd_{}", &name[name.len() - 6..]).replace('-', "_");
    let url = app.url.replacen(database::APP, &role, 1);

    let superuser = open(app.admin_url.as_deref().unwrap()).await;
    let owner = open(&app.url.replacen(database::APP, database::OWNER, 1)).await;
    admin
        .must(&format!(
            "CREATE ROLE {role} LOGIN BYPASSRLS PASSWORD '{word}'; GRANT {} TO {role}",
            database::APP
        ))
        .await;
    let bypass = open(&url).await;
    admin
        .must(&format!(
            "ALTER ROLE {role} NOBYPASSRLS; GRANT {} TO {role}",
            database::OWNER
        ))
        .await;
    let member = open(&url).await;
    admin.must(&format!("REVOKE {} FROM {role}", database::OWNER)).await;
    let plain = open(&url).await;
    admin.must("ALTER TABLE service NO FORCE ROW LEVEL SECURITY").await;
    let unforced = open(&app.url).await;
    admin
        .must("ALTER TABLE service FORCE ROW LEVEL SECURITY; ALTER TABLE member DISABLE ROW LEVEL SECURITY")
        .await;
    let disabled = open(&app.url).await;
    admin.must(&format!("DROP ROLE {role}")).await;

    for (what, said) in [("superuser", superuser), ("bypass", bypass)] {
        assert!(said.contains("superuser or a role that bypasses"), "{what}: {said}");
    }
    for (what, said) in [("owner", owner), ("member of the owner", member)] {
        assert!(said.contains("as the owner of its tables"), "{what}: {said}");
    }
    for (what, said) in [("unforced", unforced), ("disabled", disabled)] {
        assert!(
            said.contains("1 tables are not behind row-level security"),
            "{what}: {said}"
        );
    }
    assert_eq!(plain, "", "a role with no more than the service's rights is let in");
}

fn database_password(url: &str) -> String {
    url.split("://")
        .nth(1)
        .unwrap()
        .split('@')
        .next()
        .unwrap()
        .split(':')
        .nth(1)
        .unwrap()
        .to_owned()
}
