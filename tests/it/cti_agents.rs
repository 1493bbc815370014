//! CTI 상담원: what is saved for many at once, what is refused and with whose name, and how they are found.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::codes,
        cti::{self, SAVE, all, cleared, entry, holder, lines},
        make,
        people::{self, member},
        raw::Raw,
        staff,
    },
};

async fn found(app: &crate::support::app::TestApp, filter: Value) -> Vec<String> {
    let query =
        "query Q($filter: CtiAgentFilter) { ctiAgents(filter: $filter) { totalCount nodes { member { login } } } }";
    let data = app.owner().data(query, json!({ "filter": filter })).await;
    let nodes = data["ctiAgents"]["nodes"].as_array().unwrap();
    assert_eq!(data["ctiAgents"]["totalCount"], nodes.len());
    nodes
        .iter()
        .map(|one| one["member"]["login"].as_str().unwrap().to_owned())
        .collect()
}

both! {
    async fn t3_the_list_has_whoever_can_telephone_and_finds_him(app) {
        let (desk, people) = cti::desk(&app, "desk", &["kim", "lee", "park"]).await;
        let (other, _) = cti::desk(&app, "other", &["choi"]).await;
        let chats = staff::full(app.owner(), "chats").await;
        people::join(&app, "quiet", false).await;
        staff::add(app.owner(), &chats, &member(app.owner(), "quiet").await, json!({ "channels": ["CHAT", "TICKET"] })).await;
        cti::phone(&app, &other, &people[1]).await;
        app.owner().deed(SAVE, all(vec![entry(&people[0], 0, "Kim.01", "0101"), entry(&people[2], 0, "park_02", "2202")])).await;

        for (filter, expected) in [
            (json!({}), vec!["choi", "kim", "lee", "park"]),
            (json!(null), vec!["choi", "kim", "lee", "park"]),
            (json!({ "nameContains": "K" }), vec!["kim", "park"]),
            (json!({ "emailContains": "LEE@" }), vec!["lee"]),
            (json!({ "ctiIdContains": "ＫＩＭ." }), vec!["kim"]),
            (json!({ "ctiIdContains": "_" }), vec!["park"]),
            (json!({ "ctiIdContains": "%" }), vec![]),
            (json!({ "ctiNumberContains": "01" }), vec!["kim"]),
            (json!({ "ctiNumberContains": "０ ２" }), vec!["park"]),
            (json!({ "serviceId": other.id }), vec!["choi", "lee"]),
            (json!({ "serviceId": desk.id, "hasNumber": true }), vec!["kim", "park"]),
            (json!({ "hasNumber": false }), vec!["choi", "lee"]),
            (json!({ "serviceId": chats.id }), vec![]),
            (json!({ "serviceId": "svc_x" }), vec![]),
        ] {
            assert_eq!(found(&app, filter.clone()).await, expected, "{filter}");
        }
        let data = app.owner().data("{ ctiAgents(filter: { nameContains: \"lee\" }) { nodes { services { code } ctiId version } } }", json!({})).await;
        assert_eq!(data["ctiAgents"]["nodes"], json!([{ "services": [{ "code": "desk" }, { "code": "other" }], "ctiId": null, "version": 0 }]));
        for text in ["x".repeat(101), "a\u{0}".to_owned()] {
            let query = "query Q($filter: CtiAgentFilter) { ctiAgents(filter: $filter) { totalCount } }";
            let answer = app.owner().ask(query, json!({ "filter": { "ctiIdContains": text } })).await;
            assert!(["BAD_USER_INPUT", "none"].contains(&answer.code()), "{}", answer.text);
        }
    }

    async fn t3_pages_hold_while_agents_come_and_go(app) {
        let logins: Vec<String> = (0..7).map(|number| format!("agent-{number}")).collect();
        cti::desk(&app, "desk", &logins.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let query = "query Q($after: String) { ctiAgents(first: 3, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes { member { login } } } }";
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = app.owner().data(query, json!({ "after": after })).await["ctiAgents"].clone();
            assert_eq!(page["totalCount"], 7);
            seen.extend(page["nodes"].as_array().unwrap().iter().map(|one| one["member"]["login"].as_str().unwrap().to_owned()));
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(seen, logins);
    }

    async fn t4_every_spelling_of_a_number_is_one_number_and_a_conflict_names_the_holder(app) {
        let (_, people) = cti::desk(&app, "desk", &["kim", "lee"]).await;
        app.owner().deed(SAVE, all(vec![entry(&people[0], 0, "Agent.01", "0042")])).await;
        let query = "mutation M($input: CtiAgentUpdateManyInput!) { ctiAgentUpdateMany(input: $input) { agents { version } userErrors { code field message availableAt holder { login name } } } }";

        for (id, number, expected) in [
            ("other", "0042", vec!["CTI_NO_TAKEN at input.entries.0.ctiNumber"]),
            ("other", "００４２", vec!["CTI_NO_TAKEN at input.entries.0.ctiNumber"]),
            ("other", " 0\u{200b}0 42 ", vec!["CTI_NO_TAKEN at input.entries.0.ctiNumber"]),
            ("AGENT.01", "43", vec!["CTI_ID_TAKEN at input.entries.0.ctiId"]),
            ("ａｇｅｎｔ．０１", "\u{feff}0042", vec!["CTI_ID_TAKEN at input.entries.0.ctiId", "CTI_NO_TAKEN at input.entries.0.ctiNumber"]),
        ] {
            let answer = app.owner().ask(query, all(vec![entry(&people[1], 0, id, number)])).await;
            let payload = &answer.json["data"]["ctiAgentUpdateMany"];
            assert_eq!(codes(payload), expected, "{id:?} {number:?}");
            for error in payload["userErrors"].as_array().unwrap() {
                assert_eq!(error["holder"], json!({ "login": "kim", "name": "kim" }));
                assert!(error["message"].as_str().unwrap().contains("kim (kim)"), "{error}");
            }
        }
        app.owner().deed(SAVE, all(vec![entry(&people[1], 0, "other", "42")])).await;
        assert_eq!(lines(app.owner()).await, ["kim Agent.01 0042 v1", "lee other 42 v1"], "zeros in front make another number");
        // In another organization they are nobody's.
        let desk = staff::full(app.rival(), "desk").await;
        let theirs = member(app.rival(), "admin").await;
        staff::add(app.rival(), &desk, &theirs, json!({ "channels": ["PHONE"] })).await;
        app.rival().deed(SAVE, all(vec![entry(&theirs, 0, "Agent.01", "0042")])).await;
        assert_eq!(lines(app.rival()).await, ["admin Agent.01 0042 v1"]);
    }

    // case: I3
    async fn t4_the_database_itself_takes_no_number_twice(app) {
        let (_, people) = cti::desk(&app, "desk", &["kim", "lee"]).await;
        app.owner().deed(SAVE, all(vec![entry(&people[0], 0, "kim", "0042"), entry(&people[1], 0, "lee", "0043")])).await;
        let mut raw = Raw::admin(&app).await;
        let of_lee = "WHERE member_id IN (SELECT id FROM member WHERE login = 'lee')";

        for set in ["cti_number = '0042'", "cti_id = 'KIM', cti_id_key = 'kim'", "cti_id = 'Lee2'", "cti_id = NULL", "cti_number = NULL", "cti_id_key = 'LEE'"] {
            assert!(raw.run(&format!("UPDATE cti_agent SET {set} {of_lee}")).await.is_err(), "{set}");
        }
        let second = format!("INSERT INTO cti_agent_history SELECT {}, organization_id, member_id, cti_id, cti_id_key, cti_number, held_from, NULL, '', NULL FROM cti_agent_history {of_lee}",
            if raw.is_postgres() { "gen_random_uuid()" } else { "randomblob(16)" });
        assert!(raw.run(&second).await.is_err(), "nobody holds twice at a time");
        raw.must(&format!("UPDATE cti_agent SET cti_number = '0044' {of_lee}")).await;
    }

    async fn t5_a_save_is_all_or_nothing_and_tells_everything_that_is_wrong(app) {
        let (_, people) = cti::desk(&app, "desk", &["kim", "lee", "park", "choi"]).await;
        let quiet = member(app.owner(), "member").await;
        app.owner().deed(SAVE, all(vec![entry(&people[0], 0, "kim", "1001")])).await;
        let before = cti::rows(&app).await;
        let entries = vec![
            entry(&people[1], 0, "lee", "1002"),
            entry(&people[2], 3, "park", "1003"),
            entry(&people[3], 0, "한글", "1"),
            entry(&people[1], 0, "lee2", "1004"),
            entry(&quiet, 0, "quiet", "1005"),
            json!({ "memberId": "mbr_x", "expectedVersion": 0, "ctiId": "x", "ctiNumber": "1006" }),
            json!({ "memberId": people[0]["id"], "expectedVersion": 1, "ctiNumber": null }),
        ];

        let problems = app.owner().problems(SAVE, all(entries)).await;

        assert_eq!(problems, [
            "STALE_VERSION at input.entries.1.expectedVersion",
            "INVALID at input.entries.2.ctiId",
            "INVALID at input.entries.2.ctiNumber",
            "DUPLICATE at input.entries.3.memberId",
            "AGENT_HAS_NO_PHONE_RIGHT at input.entries.4.memberId",
            "NOT_FOUND at input.entries.5.memberId",
            "CTI_PAIR_REQUIRED at input.entries.6.ctiNumber",
        ]);
        assert!(cti::rows(&app).await == before, "nothing was changed");
        let same = app.owner().problems(SAVE, all(vec![entry(&people[1], 0, "same", "7001"), entry(&people[2], 0, "SAME", "7001")])).await;
        assert_eq!(same, ["CTI_ID_TAKEN at input.entries.1.ctiId", "CTI_NO_TAKEN at input.entries.1.ctiNumber"]);
        let taken = app.owner().problems(SAVE, all(vec![entry(&people[1], 0, "kim", "7001"), json!({ "memberId": people[0]["id"], "expectedVersion": 1 })])).await;
        assert_eq!(taken, ["CTI_ID_TAKEN at input.entries.0.ctiId"], "whoever keeps it comes first");
        assert_eq!(app.owner().problems(SAVE, all(vec![])).await, ["BLANK at input.entries"]);
        let nobody = |number: usize| json!({ "memberId": format!("mbr_{number}"), "expectedVersion": 0 });
        assert_eq!(app.owner().problems(SAVE, all((0..101).map(nobody).collect())).await, ["TOO_MANY at input.entries"]);
    }

    async fn t5_two_swap_and_three_pass_round_in_one_save(app) {
        let (_, people) = cti::desk(&app, "desk", &["kim", "lee", "park"]).await;
        let [kim, lee, park] = &people[..] else { panic!() };
        app.owner().deed(SAVE, all(vec![entry(kim, 0, "a", "1001"), entry(lee, 0, "b", "1002"), entry(park, 0, "c", "1003")])).await;
        app.wait(chrono::Duration::minutes(1));

        let swapped = app.owner().deed(SAVE, all(vec![entry(kim, 1, "b", "1002"), entry(lee, 1, "a", "1001")])).await;
        let versions: Vec<i64> = swapped["agents"].as_array().unwrap().iter().map(|agent| agent["version"].as_i64().unwrap()).collect();
        assert_eq!(lines(app.owner()).await.iter().map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect::<Vec<_>>(), ["kim b 1002", "lee a 1001", "park c 1003"]);
        app.wait(chrono::Duration::minutes(1));
        let round = vec![entry(kim, versions[0], "a", "1003"), entry(lee, versions[1], "c", "1002"), entry(park, 1, "b", "1001")];
        app.owner().deed(SAVE, all(round)).await;

        assert_eq!(lines(app.owner()).await.iter().map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect::<Vec<_>>(), ["kim a 1003", "lee c 1002", "park b 1001"]);
        assert_eq!(holder(app.owner(), "1001", Some("2026-11-10T01:00:00Z")).await, ["kim"]);
        assert_eq!(holder(app.owner(), "1001", Some("2026-11-10T01:01:30Z")).await, ["lee"]);
        assert_eq!(holder(app.owner(), "1001", Some("2026-11-10T01:02:00Z")).await, ["park"]);
        assert_eq!(holder(app.owner(), "1001", None).await, ["park", "lee", "kim"], "the last first");
    }

    async fn t5_one_takes_over_from_who_is_freed_in_the_same_save(app) {
        let (_, people) = cti::desk(&app, "desk", &["kim", "lee"]).await;
        app.owner().deed(SAVE, all(vec![entry(&people[0], 0, "a", "1001")])).await;
        app.wait(Duration::seconds(1));

        app.owner().deed(SAVE, all(vec![entry(&people[1], 0, "A", "1001"), cleared(&people[0], 1)])).await;
        let dry = json!({ "input": { "dryRun": true, "entries": [cleared(&people[1], 1)] } });
        let tried = app.owner().deed(SAVE, dry).await;

        assert_eq!(tried["agents"][0]["ctiId"], Value::Null);
        let now = lines(app.owner()).await;
        assert!(now[0].starts_with("kim - -") && now[1].starts_with("lee A 1001"), "{now:?}");
        let log = "{ auditEntries(first: 1, filter: { action: [CTI_AGENT_UPDATE_MANY] }) { totalCount nodes { log changes { record field before after } } } }";
        let told = app.owner().data(log, json!({})).await["auditEntries"].clone();
        assert_eq!((&told["totalCount"], &told["nodes"][0]["log"]), (&json!(2), &json!("MANAGEMENT")));
        let told = told["nodes"][0]["changes"].to_string();
        assert!(told.contains("\"before\":\"\\\"1001\\\"\"") && told.contains("\"after\":\"\\\"1001\\\"\""), "{told}");
    }

    async fn t4_a_retry_with_the_same_key_is_one_save(app) {
        let (_, people) = cti::desk(&app, "desk", &["kim"]).await;
        let input = json!({ "input": { "idempotencyKey": "once", "entries": [entry(&people[0], 0, "a", "1001")] } });

        let [first, second] = [app.owner().deed(SAVE, input.clone()).await, app.owner().deed(SAVE, input).await];

        assert_eq!(first, second);
        assert_eq!(Raw::admin(&app).await.count("cti_agent_history").await, 1);
    }

    async fn t3_lists_take_as_many_statements_for_forty_agents_as_for_three(app) {
        let query = "{ ctiAgents(first: 100) { totalCount edges { cursor node { ctiId ctiNumber version services { name code status } member { name login email roles } } } } }";
        let held = "{ ctiHoldings(first: 100) { totalCount nodes { ctiId ctiNumber heldFrom heldUntil givenBy takenBy member { name roles } } } }";
        let count = async || {
            let token = app.owner().token().await;
            let mut counts = Vec::new();
            for query in [query, held] {
                let before = app.app.database.statements();
                let answer = app.ask(Some(&token), query, json!({})).await;
                assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
                counts.push(app.app.database.statements() - before - 1);
            }
            counts
        };
        let (_, few) = cti::desk(&app, "desk", &["a-0", "a-1", "a-2"]).await;
        app.owner().deed(SAVE, all(few.iter().enumerate().map(|(place, one)| entry(one, 0, &format!("i{place}"), &format!("10{place}"))).collect())).await;
        let first = count().await;
        let logins: Vec<String> = (3..40).map(|number| format!("a-{number}")).collect();
        let (_, many) = cti::desk(&app, "second", &logins.iter().map(String::as_str).collect::<Vec<_>>()).await;
        app.owner().deed(SAVE, all(many.iter().enumerate().map(|(place, one)| entry(one, 0, &format!("j{place}"), &format!("20{place}"))).collect())).await;

        let second = count().await;

        assert_eq!(first, second);
        assert!(second.iter().all(|count| *count <= 6), "{second:?}");
        let _ = make::versions;
    }
}
