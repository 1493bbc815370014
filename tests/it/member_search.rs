//! 회원 검색: members by parts of name, account or e-mail address, and what managers do not see.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who},
        make, people,
    },
};

/// The login IDs that a search finds, in order.
async fn found(who: Who<'_>, search: Value) -> Vec<String> {
    let query =
        "query Q($search: MemberSearchInput!) { members(first: 100, search: $search) { totalCount nodes { login } } }";
    let data = who.data(query, json!({ "search": search })).await;
    let nodes = data["members"]["nodes"].as_array().unwrap();
    assert_eq!(data["members"]["totalCount"], nodes.len(), "{search}");
    nodes
        .iter()
        .map(|member| member["login"].as_str().unwrap().to_owned())
        .collect()
}

async fn rename(app: &TestApp, login: &str, name: &str, email: &str) {
    let member = people::member(app.owner(), login).await;
    let input = json!({ "name": name, "email": email });
    app.owner().deed(people::UPDATE, people::on(&member, input)).await;
}

/// Four members beside the three that are there.
async fn furnish(app: &TestApp) {
    let like = people::somebody(app).await;
    for (login, name, email) in [
        ("kim.1", "김하나 ÉCLAIR", "Hana.Kim@Example.com"),
        ("kim_2", "김둘", "100%@example.org"),
        ("lee-3", "Lee Three", "lee_3@example.com"),
        ("gone4", "김넷", "four@example.com"),
    ] {
        people::join_like(app, login, false, &like).await;
        rename(app, login, name, email).await;
    }
    let gone = people::member(app.owner(), "gone4").await;
    app.owner().deed(people::EXPEL, people::on(&gone, json!({}))).await;
}

both! {
    // case: D1
    async fn a2_members_are_found_by_parts_of_name_account_or_address_whatever_the_case(app) {
        furnish(&app).await;
        let owner = app.owner();
        let cases: [(Value, &[&str]); 17] = [
            (json!({ "name": "김" }), &["kim_2", "kim.1"]),
            (json!({ "name": " éclair " }), &["kim.1"]),
            (json!({ "name": "LEE" }), &["lee-3"]),
            (json!({ "login": "KIM" }), &["kim_2", "kim.1"]),
            (json!({ "login": "M_2" }), &["kim_2"]),
            (json!({ "login": "m%1" }), &[]),
            (json!({ "email": "hana.kim@EXAMPLE" }), &["kim.1"]),
            (json!({ "email": "%" }), &["kim_2"]),
            (json!({ "email": "E_3@" }), &["lee-3"]),
            (json!({ "email": "@example.com", "name": "김" }), &["kim.1"]),
            (json!({ "email": "@example.com", "name": "김", "login": "lee" }), &[]),
            (json!({ "name": "", "login": " ", "email": "ORG" }), &["kim_2"]),
            (json!({ "name": "김", "status": ["LEFT"] }), &["gone4"]),
            (json!({ "name": "김", "status": ["LEFT", "ACTIVE"] }), &["gone4", "kim_2", "kim.1"]),
            (json!({ "name": "김", "status": [] }), &[]),
            (json!({ "login": "owner" }), &["owner"]),
            (json!({ "name": "' OR 1=1 --" }), &[]),
        ];

        for (search, logins) in cases {
            let mut sorted = found(owner, search.clone()).await;
            sorted.sort();
            let mut expected = logins.to_vec();
            expected.sort_unstable();
            assert_eq!(sorted, expected, "{search}");
        }
        assert_eq!(found(app.administrator(), json!({ "login": "kim.1" })).await, ["kim.1"]);
        assert_eq!(found(app.rival(), json!({ "login": "kim" })).await, Vec::<String>::new());
    }

    async fn a2_a_search_by_nothing_is_refused(app) {
        let long = "가".repeat(101);
        let wrong = [
            json!({}), json!({ "name": "" }), json!({ "name": " ", "login": "\t", "email": null }), json!({ "status": ["ACTIVE"] }),
            json!({ "name": long }), json!({ "email": "a\0b" }), json!({ "name": "a", "status": ["ACTIVE", "LEFT", "ACTIVE"] }),
        ];
        let query = "query Q($search: MemberSearchInput!) { members(search: $search) { nodes { id } } }";

        for search in wrong {
            let answer = app.owner().ask(query, json!({ "search": search })).await;
            assert_eq!((answer.status, answer.code()), (200, "BAD_USER_INPUT"), "{search}: {}", answer.text);
        }
        for (who, code) in [(Some(app.member()), "FORBIDDEN"), (None, "UNAUTHENTICATED")] {
            let variables = json!({ "search": { "name": "a" } });
            let answer = match who {
                Some(who) => who.ask(query, variables).await,
                None => app.ask(None, query, variables).await,
            };
            assert_eq!(answer.code(), code, "{}", answer.text);
        }
    }

    async fn a2_pages_follow_each_other_while_members_come(app) {
        let like = people::somebody(&app).await;
        for login in ["page-a", "page-b", "page-d", "page-e"] {
            people::join_like(&app, login, false, &like).await;
        }
        let owner = app.owner();
        let page = async |arguments: String| {
            let query = format!("{{ members({arguments}, search: {{ login: \"page-\" }}) {{ totalCount nodes {{ login }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}");
            owner.data(&query, json!({})).await["members"].clone()
        };

        let first = page("first: 2".into()).await;
        people::join_like(&app, "page-c", false, &like).await;
        let second = page(format!("first: 2, after: {}", first["pageInfo"]["endCursor"])).await;
        let back = page(format!("last: 2, before: {}", second["pageInfo"]["startCursor"])).await;

        assert_eq!(first["nodes"], json!([{ "login": "page-a" }, { "login": "page-b" }]));
        assert_eq!((&first["totalCount"], &first["pageInfo"]["hasNextPage"]), (&json!(4), &json!(true)));
        assert_eq!(second["nodes"], json!([{ "login": "page-c" }, { "login": "page-d" }]));
        assert_eq!((&second["totalCount"], &second["pageInfo"]["hasNextPage"]), (&json!(5), &json!(true)));
        assert_eq!((&back["nodes"], &back["pageInfo"]["hasPreviousPage"]), (&first["nodes"], &json!(false)));
    }

    async fn a2_a_manager_finds_members_and_not_what_is_the_administrators(app) {
        make::in_use(app.owner(), "desk", 3).await;
        furnish(&app).await;
        people::join(&app, "manager", false).await;
        people::employ(&app, "desk", "manager", true).await;
        people::employ(&app, "desk", "member", false).await;
        let manager = app.someone("acme", "manager");

        let by_name = found(manager, json!({ "name": "김" })).await;
        let by_whole_address = found(manager, json!({ "email": " HANA.kim@example.com" })).await;
        let by_parts = found(manager, json!({ "email": "hana.kim@example.co" })).await;
        let wild = found(manager, json!({ "email": "%@example.com" })).await;
        let shown = manager.data("{ members(search: { login: \"m\" }) { nodes { login name email actions { isAllowed reasonCode } } } }", json!({})).await;
        let left = manager.ask("{ members(search: { name: \"김\", status: [LEFT, ACTIVE] }) { nodes { login } } }", json!({})).await;
        let agent = app.member().ask("{ members(search: { name: \"김\" }) { nodes { login } } }", json!({})).await;
        let own = manager.data("{ viewer { member { email } } }", json!({})).await;

        assert_eq!(by_name.len(), 2);
        assert_eq!(by_whole_address, ["kim.1"]);
        assert_eq!((by_parts, wild), (Vec::<String>::new(), Vec::<String>::new()), "no address can be spelt out");
        let nodes = shown["members"]["nodes"].as_array().unwrap();
        assert!(nodes.len() >= 4, "{nodes:?}");
        for node in nodes {
            let is_himself = node["login"] == "manager";
            assert_eq!(node["email"].is_string(), is_himself, "{node}");
            for action in node["actions"].as_array().unwrap() {
                assert_eq!(action, &json!({ "isAllowed": false, "reasonCode": "FORBIDDEN" }), "{node}");
            }
        }
        assert_eq!((left.code(), agent.code()), ("FORBIDDEN", "FORBIDDEN"));
        assert_eq!(own["viewer"]["member"]["email"], "manager@example.com");
    }
}
