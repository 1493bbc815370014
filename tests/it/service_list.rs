//! 계약 현황: the list of services, what it leaves out, how it is narrowed, sorted and paged.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{app::Who, make},
};

/// The names that a list answers, and how many there are in all.
async fn list(who: Who<'_>, arguments: &str) -> (Vec<String>, i64) {
    let query = format!("{{ services({arguments}) {{ nodes {{ name }} totalCount }} }}");
    let data = who.data(&query.replace("services()", "services"), json!({})).await;
    let nodes = data["services"]["nodes"].as_array().unwrap();
    let names = nodes
        .iter()
        .map(|node| node["name"].as_str().unwrap().to_owned())
        .collect();
    (names, data["services"]["totalCount"].as_i64().unwrap())
}

async fn named(who: Who<'_>, arguments: &str) -> Vec<String> {
    list(who, arguments).await.0
}

/// A service of this name: what is left of its letters is its code.
async fn add(who: Who<'_>, code: &str, kind: &str, name: &str) {
    let input = json!({ "kind": kind, "code": code, "name": name });
    who.deed("serviceCreate(input: $input)", json!({ "input": input }))
        .await;
}

both! {
    async fn s1_terminated_services_are_listed_only_where_asked_for(app) {
        let owner = app.owner();
        make::draft(owner, "aa").await;
        make::in_use(owner, "bb", 1).await;
        let suspended = make::in_use(owner, "cc", 1).await;
        make::suspend(owner, &suspended).await;
        let terminated = make::draft(owner, "dd").await;
        make::terminate(owner, &terminated).await;
        add(owner, "ee", "ISSUE", "Issues").await;
        add(app.rival(), "ff", "ISSUE", "Another's").await;

        let order = "orderBy: { field: NAME, direction: ASC }";
        let cases = [
            (String::new(), vec!["Desk aa", "Desk bb", "Desk cc", "Issues"]),
            ("filter: { status: [TERMINATED] }".into(), vec!["Desk dd"]),
            ("filter: { status: [IN_USE, SUSPENDED] }".into(), vec!["Desk bb", "Desk cc"]),
            ("filter: { status: [] }".into(), vec![]),
            ("filter: { kind: [ISSUE] }".into(), vec!["Issues"]),
            ("filter: { kind: [CONSULTATION, ISSUE], status: [NOT_IN_USE] }".into(), vec!["Desk aa", "Issues"]),
        ];

        for (filter, names) in cases {
            let (found, total) = list(owner, &format!("{order} {filter}")).await;
            assert_eq!(found, names, "{filter}");
            assert_eq!(total, i64::try_from(names.len()).unwrap(), "{filter}");
        }
    }

    async fn s1_a_name_is_found_whatever_the_case_and_signs_are_no_patterns(app) {
        let owner = app.owner();
        for (code, name) in [("aa", "ÉTÉ 100%"), ("bb", "고객 센터"), ("cc", "under_score"), ("dd", "back\\slash"), ("ee", "ΣΊΣΥΦΟΣ")] {
            add(owner, code, "CONSULTATION", name).await;
        }

        let cases = [
            ("été", "ÉTÉ 100%"), ("0%", "ÉTÉ 100%"), ("객 센", "고객 센터"), ("R_s", "under_score"), ("K\\S", "back\\slash"),
            ("σίσυφ", "ΣΊΣΥΦΟΣ"),
        ];

        for (text, name) in cases {
            let filter = format!("filter: {{ nameContains: {} }}", json!(text));
            assert_eq!(named(owner, &filter).await, [name], "{text}");
        }
        for text in ["%%", "r%s", "__", "고객센터", "'"] {
            let filter = format!("filter: {{ nameContains: {} }}", json!(text));
            assert_eq!(named(owner, &filter).await, Vec::<String>::new(), "{text}");
        }
        assert_eq!(named(owner, "filter: { nameContains: \"\" }").await.len(), 5);
    }

    async fn s1_a_terminated_service_is_found_by_its_name_too(app) {
        let owner = app.owner();
        add(owner, "aa", "CONSULTATION", "ÉTÉ").await;
        let data = owner.data("{ service(by: { code: \"aa\" }) { id } }", json!({})).await;
        let made = make::Made { id: data["service"]["id"].as_str().unwrap().to_owned(), contract: String::new() };
        make::terminate(owner, &made).await;

        let found = named(owner, "filter: { nameContains: \"été\", status: [TERMINATED] }").await;

        assert_eq!(found, ["ÉTÉ"]);
    }

    async fn s1_services_are_sorted_by_name_or_age_and_narrowed_by_age(app) {
        let owner = app.owner();
        for (code, name) in [("aa", "b"), ("bb", "a"), ("cc", "C"), ("dd", "가")] {
            add(owner, code, "ISSUE", name).await;
            app.wait(Duration::hours(1));
        }

        let oldest = named(owner, "orderBy: { field: CREATED_AT, direction: ASC }").await;
        let newest = named(owner, "").await;
        let mut backwards = named(owner, "orderBy: { field: NAME, direction: DESC }").await;
        let by_name = named(owner, "orderBy: { field: NAME, direction: ASC }").await;
        let span = "filter: { createdAt: { from: \"2026-11-10T02:00:00Z\", to: \"2026-11-10T04:00:00Z\" } }";
        let between = named(owner, span).await;

        assert_eq!(oldest, ["b", "a", "C", "가"]);
        assert_eq!(newest, ["가", "C", "a", "b"]);
        assert_eq!(by_name, ["C", "a", "b", "가"]);
        backwards.reverse();
        assert_eq!(backwards, by_name);
        assert_eq!(between, ["C", "a"]);
    }

    async fn s1_pages_follow_each_other_both_ways_while_services_come_and_go(app) {
        let owner = app.owner();
        for code in ["aa", "bb", "cc", "dd", "ee"] {
            add(owner, code, "ISSUE", code).await;
        }
        let order = "orderBy: { field: NAME, direction: ASC }";
        let page = async |arguments: String| {
            let query = format!("{{ services({arguments} {order}) {{ totalCount edges {{ cursor node {{ name }} }}
                pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}");
            owner.data(&query, json!({})).await["services"].clone()
        };
        let names = |page: &Value| page["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        let flags = |page: &Value| (page["pageInfo"]["hasPreviousPage"].as_bool().unwrap(), page["pageInfo"]["hasNextPage"].as_bool().unwrap());

        let first = page("first: 2".into()).await;
        add(owner, "ab", "ISSUE", "ab").await;
        add(owner, "bd", "ISSUE", "bd").await;
        let second = page(format!("first: 3 after: {}", first["pageInfo"]["endCursor"])).await;
        let last = page("last: 2".into()).await;
        let before = page(format!("last: 2 before: {}", last["pageInfo"]["startCursor"])).await;

        assert_eq!((names(&first), flags(&first), &first["totalCount"]), (vec!["aa".into(), "bb".into()], (false, true), &json!(5)));
        assert_eq!((names(&second), flags(&second), &second["totalCount"]), (vec!["bd".into(), "cc".into(), "dd".into()], (true, true), &json!(7)));
        assert_eq!((names(&last), flags(&last)), (vec!["dd".into(), "ee".into()], (true, false)));
        assert_eq!((names(&before), flags(&before)), (vec!["bd".into(), "cc".into()], (true, true)));
    }

    async fn s1_sizes_and_cursors_that_make_no_sense_are_refused(app) {
        let owner = app.owner();
        add(owner, "aa", "ISSUE", "aa").await;
        add(app.rival(), "bb", "ISSUE", "bb").await;
        let cursor = async |who: Who<'_>, order: &str| {
            who.data(&format!("{{ services({order}) {{ pageInfo {{ endCursor }} }} }}"), json!({})).await["services"]["pageInfo"]["endCursor"].to_string()
        };
        let by_name = "orderBy: { field: NAME, direction: ASC }";
        let others = cursor(app.rival(), by_name).await;
        let other_order = cursor(owner, "orderBy: { field: NAME, direction: DESC }").await;
        let long = "x".repeat(101);

        let cases = [
            "first: 0".to_owned(), "first: 101".into(), "first: -1".into(), "last: 0".into(), "first: 1 last: 1".into(),
            format!("after: {others} {by_name}"), format!("after: {other_order} {by_name}"), "after: \"\"".into(),
            "before: \"x\"".into(), "after: \"\\u0000\"".into(), format!("filter: {{ nameContains: \"{long}\" }}"),
            "filter: { nameContains: \"\\u0000\" }".into(), format!("filter: {{ kind: [{}] }}", "ISSUE ".repeat(11)),
        ];

        for arguments in cases {
            let answer = owner.ask(&format!("{{ services({arguments}) {{ nodes {{ id }} }} }}"), json!({})).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{arguments}: {}", answer.text);
            assert_eq!(answer.json["data"]["services"], json!(null), "{arguments}");
        }
    }

    async fn s2_the_list_says_whether_to_register_or_to_edit(app) {
        let owner = app.owner();
        make::draft(owner, "aa").await;
        make::in_use(owner, "bb", 1).await;
        let suspended = make::in_use(owner, "cc", 1).await;
        make::suspend(owner, &suspended).await;
        let terminated = make::draft(owner, "dd").await;
        make::terminate(owner, &terminated).await;

        let query = "{ services(filter: { status: [NOT_IN_USE, IN_USE, SUSPENDED, TERMINATED] }, orderBy: { field: NAME, direction: ASC })
            { nodes { status contractButton } } }";
        let data = owner.data(query, json!({})).await;

        assert_eq!(data["services"]["nodes"], json!([
            { "status": "NOT_IN_USE", "contractButton": "REGISTER" }, { "status": "IN_USE", "contractButton": "EDIT" },
            { "status": "SUSPENDED", "contractButton": "EDIT" }, { "status": "TERMINATED", "contractButton": null },
        ]));
    }
}
