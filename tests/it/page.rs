//! Pages: cursors name a place and hold while rows come and go; sizes and foreign cursors are refused.

use std::collections::BTreeSet;

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{app::Who, make},
};

const BY_NAME: &str = "query P($first: Int, $after: String, $last: Int, $before: String) {
    page: services(first: $first, after: $after, last: $last, before: $before, orderBy: { field: NAME, direction: ASC }) {
        totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { key: name } } } }";
const AUDIT: &str = "query P($first: Int, $after: String, $last: Int, $before: String) {
    page: auditEntries(first: $first, after: $after, last: $last, before: $before) {
        totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { key: id } } } }";
const PERMISSIONS: &str = "query P($first: Int, $after: String, $last: Int, $before: String) {
    page: permissionChanges(first: $first, after: $after, last: $last, before: $before, filter: { kind: [MEMBER_ADDED, ORG_ADMIN_ADDED] }) {
        totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { key: id } } } }";
const CHARGES: &str = "query P($first: Int, $after: String, $last: Int, $before: String) {
    page: charges(first: $first, after: $after, last: $last, before: $before, filter: { from: \"2026-01\", to: \"2027-06\" }) {
        totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { key: id } } } }";
const MEMBERS: &str = "query P($first: Int, $after: String, $last: Int, $before: String) { organization {
    page: members(first: $first, after: $after, last: $last, before: $before) {
        totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { key: login } } } } }";

both! {
    async fn g3_a_page_within_a_span_of_time_is_read_from_its_cursor_on(app) {
        make::draft(app.owner(), "ba").await;
        make::draft(app.owner(), "bb").await;
        let query = "query P($after: String) {
            auditEntries(first: 1, after: $after, filter: { occurredAt: { from: \"2026-01-01T00:00:00Z\", to: \"2029-01-01T00:00:00Z\" } }) {
                nodes { id } pageInfo { endCursor } } }";
        let first = app.owner().data(query, json!({})).await;
        let after = &first["auditEntries"]["pageInfo"]["endCursor"];
        app.app.database.overhear();

        let next = app.owner().data(query, json!({ "after": after })).await;

        let statements = app.app.database.overhear();
        let page = statements.iter().find(|sql| sql.contains("\"audit_entry\".\"id\") <"));
        let page = page.unwrap_or_else(|| panic!("{statements:#?}"));
        // Of two bounds of one column SQLite reads from the one that stands first.
        let (place, span) = (page.find("\"id\") <"), page.find("\"occurred_at\" <"));
        assert!(place.is_some() && span.is_some() && place < span, "{page}");
        assert_ne!(next["auditEntries"]["nodes"], first["auditEntries"]["nodes"]);
    }

    async fn g3_a_cursor_of_services_holds_while_services_come_and_go(app) {
        let owner = app.owner();
        let mut made = Vec::new();
        for code in ["ba", "bb", "bc", "bd", "be"] {
            made.push(make::draft(owner, code).await);
        }
        let first = page(owner, BY_NAME, json!({ "first": 2 })).await;

        for gone in [&made[1], &made[3]] {
            make::terminate(owner, gone).await;
        }
        for code in ["aa", "bbb", "cc"] {
            make::draft(owner, code).await;
        }
        let next = page(owner, BY_NAME, json!({ "first": 2, "after": first["pageInfo"]["endCursor"] })).await;
        let last = page(owner, BY_NAME, json!({ "first": 2, "after": next["pageInfo"]["endCursor"] })).await;
        let back = page(owner, BY_NAME, json!({ "last": 2, "before": next["pageInfo"]["startCursor"] })).await;

        assert_eq!(keys(&first), ["Desk ba", "Desk bb"]);
        assert_eq!(keys(&next), ["Desk bbb", "Desk bc"]);
        assert_eq!(keys(&last), ["Desk be", "Desk cc"]);
        assert_eq!(keys(&back), ["Desk aa", "Desk ba"]);
        assert_eq!([&first, &next, &last].map(|page| page["pageInfo"]["hasNextPage"] == true), [true, true, false]);
    }

    async fn g3_a_cursor_of_the_audit_log_holds_while_entries_come(app) {
        let owner = app.owner();
        for code in ["ba", "bb", "bc"] {
            app.wait(Duration::seconds(1));
            make::draft(owner, code).await;
        }
        let first = page(owner, AUDIT, json!({ "first": 3 })).await;

        for code in ["ca", "cb"] {
            app.wait(Duration::seconds(1));
            make::draft(owner, code).await;
        }
        let next = page(owner, AUDIT, json!({ "first": 3, "after": first["pageInfo"]["endCursor"] })).await;
        app.wait(Duration::seconds(1));
        let all = page(owner, AUDIT, json!({ "first": 100 })).await;

        // Reading the log adds to it, too: what was added lies before the first page.
        let (all, first, next) = (keys(&all), keys(&first), keys(&next));
        let place = all.iter().position(|id| *id == first[2]).unwrap();
        assert!(first.iter().all(|id| !next.contains(id)));
        assert_eq!(all[place + 1..place + 4], next);
        assert!(place > first.len(), "{place}: nothing was added meanwhile");
    }

    async fn g3_a_cursor_of_charges_holds_while_months_close(app) {
        let owner = app.owner();
        for code in ["ba", "bb", "bc"] {
            make::in_use(owner, code, 1).await;
        }
        app.go_to("2026-12-20T10:00:00+09:00");
        app.run_due().await;
        let first = page(owner, CHARGES, json!({ "first": 2 })).await;

        app.go_to("2027-01-20T10:00:00+09:00");
        app.run_due().await;
        let second = page(owner, CHARGES, json!({ "first": 2, "after": first["pageInfo"]["endCursor"] })).await;
        let third = page(owner, CHARGES, json!({ "first": 2, "after": second["pageInfo"]["endCursor"] })).await;

        assert_eq!(first["totalCount"], 6);
        let all: Vec<String> = [&first, &second, &third].iter().flat_map(|page| keys(page)).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 6, "{all:?}");
        assert_eq!(third["pageInfo"]["hasNextPage"], false);
        assert_eq!(third["totalCount"], 9);
    }

    async fn g3_pages_from_both_ends_make_up_the_whole_list(app) {
        let owner = app.owner();
        for code in ["ba", "bb", "bc", "bd", "be"] {
            make::in_use(owner, code, 1).await;
        }
        app.go_to("2026-12-20T10:00:00+09:00");
        app.run_due().await;

        for query in [BY_NAME, CHARGES, MEMBERS, PERMISSIONS] {
            let whole = keys(&page(owner, query, json!({ "first": 100 })).await);
            for size in [1, 2, 3] {
                let forward = walk(owner, query, size, ("first", "after", "endCursor", "hasNextPage")).await;
                let mut backward = walk(owner, query, size, ("last", "before", "startCursor", "hasPreviousPage")).await;
                backward.reverse();

                assert_eq!(forward.concat(), whole, "{size} {query}");
                assert_eq!(backward.concat(), whole, "{size} {query}");
            }
        }
    }

    // case: E9
    async fn g3_a_page_has_from_one_to_a_hundred_rows_of_one_end(app) {
        for query in [BY_NAME, AUDIT, CHARGES, MEMBERS, PERMISSIONS] {
            for wrong in [
                json!({ "first": 0 }), json!({ "first": 101 }), json!({ "first": -1 }), json!({ "first": i32::MIN }),
                json!({ "last": 0 }), json!({ "last": 101 }), json!({ "last": -1 }), json!({ "first": 1, "last": 1 }),
            ] {
                let answer = app.owner().ask(query, wrong.clone()).await;

                assert_eq!(answer.code(), "BAD_USER_INPUT", "{wrong}: {}", answer.text);
            }
            for right in [json!({}), json!({ "first": 1 }), json!({ "first": 100 }), json!({ "last": 100 }), json!({ "first": null })] {
                page(app.owner(), query, right).await;
            }
        }
    }

    async fn g3_a_cursor_is_good_for_its_list_order_and_organization_only(app) {
        make::in_use(app.owner(), "ba", 1).await;
        make::in_use(app.rival(), "ba", 1).await;
        let own = |page: &Value| page["edges"][0]["cursor"].as_str().unwrap().to_owned();
        let by_name = own(&page(app.owner(), BY_NAME, json!({})).await);
        let by_age = BY_NAME.replace("field: NAME", "field: CREATED_AT");
        let descending = BY_NAME.replace("ASC", "DESC");
        let mut broken = by_name.clone();
        broken.pop();

        for (query, cursor) in [
            (by_age.as_str(), by_name.clone()),
            (&descending, by_name.clone()),
            (AUDIT, by_name.clone()),
            (PERMISSIONS, by_name.clone()),
            (CHARGES, by_name.clone()),
            (MEMBERS, by_name),
            (BY_NAME, own(&page(app.owner(), AUDIT, json!({})).await)),
            (AUDIT, own(&page(app.owner(), PERMISSIONS, json!({})).await)),
            (PERMISSIONS, own(&page(app.rival(), PERMISSIONS, json!({})).await)),
            (BY_NAME, own(&page(app.rival(), BY_NAME, json!({})).await)),
            (BY_NAME, broken),
            (BY_NAME, String::new()),
            (BY_NAME, "\0한글".to_owned()),
        ] {
            for name in ["after", "before"] {
                let answer = app.owner().ask(query, json!({ name: cursor })).await;

                assert_eq!(answer.code(), "BAD_USER_INPUT", "{cursor:?} {}", answer.text);
            }
        }
    }
}

/// The answered page, wherever it stands.
async fn page(who: Who<'_>, query: &str, variables: Value) -> Value {
    let data = who.data(query, variables).await;
    data.get("page").unwrap_or(&data["organization"]["page"]).clone()
}

fn keys(page: &Value) -> Vec<String> {
    let edges = page["edges"].as_array().unwrap();
    edges
        .iter()
        .map(|edge| edge["node"]["key"].as_str().unwrap().to_owned())
        .collect()
}

/// Every page of a list from one end, with the names of size, cursor, next cursor and whether there is more.
async fn walk(who: Who<'_>, query: &str, size: i32, names: (&str, &str, &str, &str)) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let page = page(who, query, json!({ names.0: size, names.1: cursor })).await;
        pages.push(keys(&page));
        cursor = page["pageInfo"][names.2].clone();
        if page["pageInfo"][names.3] != true {
            return pages;
        }
        assert!(pages.len() < 100, "the list does not end");
    }
}
