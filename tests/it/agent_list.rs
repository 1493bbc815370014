//! 상담원 목록: how agents are found, sorted and paged, of all services and of one.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who},
        make::{self, Made},
        people::{self, member},
        staff::{self, add},
    },
};

/// The logins of the agents that a list shows.
async fn found(who: Who<'_>, arguments: &str) -> Vec<String> {
    let data = who
        .data(
            &format!("{{ agents({arguments}) {{ nodes {{ member {{ login }} }} }} }}"),
            json!({}),
        )
        .await;
    logins(&data["agents"])
}

fn logins(list: &Value) -> Vec<String> {
    let nodes = list["nodes"].as_array().unwrap();
    nodes
        .iter()
        .map(|node| node["member"]["login"].as_str().unwrap().to_owned())
        .collect()
}

/// A service with four agents who came an hour after each other: two managers, of whom the second telephones.
async fn staffed(app: &TestApp, code: &str) -> Made {
    let like = people::somebody(app).await;
    let full = staff::full(app.owner(), code).await;
    for (login, rights) in [
        ("anna", json!({ "role": "MANAGER" })),
        ("bert", json!({ "channels": ["CHAT"] })),
        ("cleo", json!({ "role": "MANAGER", "channels": ["PHONE"] })),
        ("dora_x", json!({})),
    ] {
        people::join_like(app, &format!("{code}.{login}"), false, &like).await;
        add(
            app.owner(),
            &full,
            &member(app.owner(), &format!("{code}.{login}")).await,
            rights,
        )
        .await;
        app.wait(Duration::hours(1));
    }
    full
}

both! {
    async fn a6_agents_are_found_by_service_role_channel_name_login_and_address(app) {
        let first = staffed(&app, "aa").await;
        staffed(&app, "bb").await;
        let service = format!("serviceId: \"{}\"", first.id);
        let theirs = make::in_use(app.rival(), "theirs", 2).await;

        for (filter, expected) in [
            (service.clone(), vec!["aa.anna", "aa.bert", "aa.cleo", "aa.dora_x"]),
            ("role: MANAGER".into(), vec!["aa.anna", "aa.cleo", "bb.anna", "bb.cleo"]),
            (format!("{service}, role: AGENT"), vec!["aa.bert", "aa.dora_x"]),
            ("channel: PHONE".into(), vec!["aa.cleo", "bb.cleo"]),
            (format!("{service}, channel: TICKET"), vec!["aa.anna", "aa.cleo", "aa.dora_x"]),
            ("channel: CHAT, role: MANAGER".into(), vec![]),
            ("nameContains: \"A.BER\"".into(), vec!["aa.bert"]),
            ("loginContains: \"A_X\"".into(), vec!["aa.dora_x", "bb.dora_x"]),
            ("loginContains: \"%\"".into(), vec![]),
            ("emailContains: \"CLEO@EXAMPLE\"".into(), vec!["aa.cleo", "bb.cleo"]),
            ("nameContains: \"bb\", loginContains: \"bert\", emailContains: \"example.com\"".into(), vec!["bb.bert"]),
            ("nameContains: \"\"".into(), vec!["aa.anna", "aa.bert", "aa.cleo", "aa.dora_x", "bb.anna", "bb.bert", "bb.cleo", "bb.dora_x"]),
            (format!("serviceId: \"{}\"", theirs.id), vec![]), ("serviceId: \"x\"".into(), vec![]), ("serviceId: \"svc_\\u0000\"".into(), vec![]),
        ] {
            assert_eq!(found(app.owner(), &format!("filter: {{ {filter} }}")).await, expected, "{filter}");
        }
        for (text, code) in [("x".repeat(101), "BAD_USER_INPUT"), ("a\\u0000b".into(), "BAD_USER_INPUT"), ("x".repeat(100), "none")] {
            for list in ["agents", "services { nodes { agents"] {
                let (open, close) = if list == "agents" { ("{ ", " }") } else { ("{ ", " } } }") };
                let query = format!("{open}{list}(filter: {{ nameContains: \"{text}\" }}) {{ totalCount }}{close}");
                assert_eq!(app.owner().ask(&query, json!({})).await.code(), code, "{query}");
            }
        }
    }

    async fn a6_a_manager_finds_nobody_by_a_part_of_an_address(app) {
        staffed(&app, "aa").await;
        staffed(&app, "bb").await;
        let anna = app.someone("acme", "aa.anna");

        let all = found(anna, "filter: { nameContains: \"a\" }").await;
        let part = found(anna, "filter: { emailContains: \"bert@example\" }").await;
        let whole = found(anna, "filter: { emailContains: \"AA.bert@example.com\" }").await;
        let other = found(anna, "filter: { emailContains: \"bb.bert@example.com\" }").await;
        let data = anna.data("{ agents(first: 2) { nodes { member { login email } } } }", json!({})).await;

        assert_eq!(all, ["aa.anna", "aa.bert", "aa.cleo", "aa.dora_x"]);
        assert_eq!((part, whole, other), (vec![], vec!["aa.bert".to_owned()], vec![]));
        assert_eq!(data["agents"]["nodes"][1], json!({ "member": { "login": "aa.bert", "email": null } }));
    }

    async fn a6_agents_are_sorted_and_paged_both_ways(app) {
        let full = staffed(&app, "aa").await;
        let [anna, bert, cleo, dora] = ["aa.anna", "aa.bert", "aa.cleo", "aa.dora_x"];
        let whole = async |arguments: &str| {
            let fields = "totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { member { login } }";
            let query = format!("query Q($id: ID!) {{ agents({arguments}) {{ {fields} }} service(by: {{ id: $id }}) {{ agents({arguments}) {{ {fields} }} }} }}");
            let (query, variables) = (query.replace("()", ""), json!({ "id": full.id }));
            let data = app.owner().data(&query, variables).await;
            (data["agents"].clone(), data["service"]["agents"].clone())
        };
        let ends = |list: &Value| (list["pageInfo"]["hasPreviousPage"].as_bool().unwrap(), list["pageInfo"]["hasNextPage"].as_bool().unwrap());

        for (arguments, expected, more) in [
            ("", vec![anna, bert, cleo, dora], (false, false)),
            ("first: 2", vec![anna, bert], (false, true)),
            ("last: 3", vec![bert, cleo, dora], (true, false)),
            ("first: 3, orderBy: { field: ADDED_AT, direction: DESC }", vec![dora, cleo, bert], (false, true)),
            ("last: 1, orderBy: { field: ADDED_AT, direction: DESC }", vec![anna], (true, false)),
            ("first: 2, orderBy: { field: ROLE, direction: ASC }", vec![bert, dora], (false, true)),
            ("last: 2, orderBy: { field: ROLE, direction: ASC }", vec![anna, cleo], (true, false)),
        ] {
            let (all, of_service) = whole(arguments).await;
            for list in [&all, &of_service] {
                assert_eq!((logins(list), ends(list), &list["totalCount"]), (expected.iter().map(ToString::to_string).collect(), more, &json!(4)), "{arguments}");
            }
            if arguments.contains("field: ROLE") || !more.1 {
                continue;
            }
            // The next page, of the list that wrote the cursor.
            let field = arguments.split_once("orderBy").map_or(String::new(), |(_, order)| format!(", orderBy{order}"));
            let query = format!("query Q($id: ID!, $c: String) {{ service(by: {{ id: $id }}) {{ agents(after: $c{field}) {{ totalCount nodes {{ member {{ login }} }} }} }} }}");
            let next = |cursor: &Value| json!({ "id": full.id, "c": cursor });
            let data = app.owner().data(&query, next(&of_service["pageInfo"]["endCursor"])).await;
            let rest: Vec<_> = if field.is_empty() { [cleo, dora].into() } else { [anna].into() };
            assert_eq!((logins(&data["service"]["agents"]), &data["service"]["agents"]["totalCount"]), (rest.iter().map(ToString::to_string).collect(), &json!(4)));
            assert_eq!(app.owner().ask(&query, next(&all["pageInfo"]["endCursor"])).await.code(), "BAD_USER_INPUT", "another list's cursor");
        }
        for size in ["first: 0", "first: 101", "first: 1, last: 1"] {
            assert_eq!(app.owner().ask(&format!("{{ services {{ nodes {{ agents({size}) {{ totalCount }} }} }} }}"), json!({})).await.code(), "BAD_USER_INPUT", "{size}");
        }
    }

    async fn a6_services_show_their_agents_side_by_side(app) {
        staffed(&app, "aa").await;
        staffed(&app, "bb").await;
        make::draft(app.owner(), "cc").await;
        let query = "query Q($n: Int, $f: ServiceAgentFilter) { services(orderBy: { field: NAME, direction: ASC }) { nodes { code
            first: agents(first: $n) { totalCount nodes { member { login } } }
            managers: agents(filter: $f, last: 1) { totalCount nodes { member { login roles } service { code agents(first: 1) { totalCount } } } } } } }";

        let data = app.owner().data(query, json!({ "n": 1, "f": { "role": "MANAGER" } })).await;

        let shown: Vec<_> = data["services"]["nodes"].as_array().unwrap().iter().map(|node| (
            node["code"].as_str().unwrap(), &node["first"]["totalCount"], logins(&node["first"]), &node["managers"]["totalCount"], logins(&node["managers"]))).collect();
        let one = |login: &str| vec![login.to_owned()];
        assert_eq!(shown, [
            ("aa", &json!(4), one("aa.anna"), &json!(2), one("aa.cleo")), ("bb", &json!(4), one("bb.anna"), &json!(2), one("bb.cleo")),
            ("cc", &json!(0), vec![], &json!(0), vec![]),
        ]);
        assert_eq!(data["services"]["nodes"][1]["managers"]["nodes"][0]["service"], json!({ "code": "bb", "agents": { "totalCount": 4 } }));
    }
}
