//! Whoever loses the phone right in the last service holds no number any more, however he lost it; and who held it when
//! stays to be read.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::TestApp,
        cti::{self, SAVE, all, entry, holder, lines},
        make::{self, Made},
        people::{self, EXPEL, member, on},
        raw::Raw,
        staff,
    },
};

/// Kim telephones in two services, and holds a number.
async fn kim(app: &TestApp) -> (Value, [(Made, Value); 2]) {
    people::join(app, "kim", false).await;
    let person = member(app.owner(), "kim").await;
    let mut places = Vec::new();
    for code in ["desk", "hotline"] {
        let desk = staff::full(app.owner(), code).await;
        let place = cti::phone(app, &desk, &person).await;
        places.push((desk, place));
    }
    app.owner()
        .deed(SAVE, all(vec![entry(&person, 0, "kim", "0101")]))
        .await;
    app.wait(chrono::Duration::minutes(1));
    let places: [(Made, Value); 2] = places.try_into().unwrap();
    (person, places)
}

/// How many hold anything, how many times are over, and how often the last deed's entry tells of it.
async fn freed(app: &TestApp) -> (u64, u64) {
    let mut raw = Raw::admin(app).await;
    (
        raw.count("cti_agent WHERE cti_number IS NOT NULL").await,
        raw.count("cti_agent_history WHERE held_until IS NOT NULL").await,
    )
}

async fn told(app: &TestApp, action: &str) -> String {
    let query = format!(
        "{{ auditEntries(first: 10, filter: {{ action: [{action}] }}) {{ nodes {{ changes {{ record field before after }} }} }} }}"
    );
    let data = app.owner().data(&query, json!({})).await;
    let entries = data["auditEntries"]["nodes"].as_array().unwrap().iter();
    let mut changes = entries.flat_map(|entry| entry["changes"].as_array().unwrap());
    let number = changes.find(|change| change["record"] == "CTI agent" && change["field"] == "ctiNumber");
    number.map_or_else(
        || "nothing".to_owned(),
        |change| format!("{} → {}", change["before"], change["after"]),
    )
}

both! {
    async fn t6_the_last_phone_right_that_is_changed_away_frees_both(app) {
        let (_, [first, second]) = kim(&app).await;

        staff::update(app.owner(), &first.1, json!({ "channels": ["TICKET"] })).await;
        assert_eq!(freed(&app).await, (1, 0), "one right is left");
        staff::update(app.owner(), &second.1, json!({ "channels": ["TICKET", "CHAT"] })).await;

        assert_eq!(freed(&app).await, (0, 1));
        assert_eq!(told(&app, "AGENT_UPDATE").await, "\"\\\"0101\\\"\" → null");
        assert_eq!(holder(app.owner(), "0101", Some("2026-11-10T01:00:30Z")).await, ["kim"]);
        assert_eq!(holder(app.owner(), "0101", Some("2026-11-10T01:01:00Z")).await, Vec::<String>::new());
        assert_eq!(lines(app.owner()).await, Vec::<String>::new(), "he is in no list any more");
    }

    async fn t6_taking_agents_out_of_their_last_service_frees_both(app) {
        let (person, [first, second]) = kim(&app).await;

        assert_eq!(staff::remove(app.owner(), &first.1).await, Vec::<String>::new());
        assert_eq!(freed(&app).await, (1, 0));
        assert_eq!(staff::remove(app.owner(), &second.1).await, Vec::<String>::new());

        assert_eq!(freed(&app).await, (0, 1));
        assert_eq!(told(&app, "AGENT_REMOVE").await, "\"\\\"0101\\\"\" → null");
        // Whoever comes next can have it, also he himself.
        let (_, others) = cti::desk(&app, "third", &["lee"]).await;
        app.owner().deed(SAVE, all(vec![entry(&others[0], 0, "KIM", "0101")])).await;
        let desk = staff::full(app.owner(), "fourth").await;
        cti::phone(&app, &desk, &person).await;
        assert_eq!(app.owner().problems(SAVE, all(vec![entry(&person, 2, "k2", "0101")])).await, ["CTI_NO_TAKEN at input.entries.0.ctiNumber"]);
        app.owner().deed(SAVE, all(vec![entry(&person, 2, "k2", "0102")])).await;
        assert_eq!(holder(app.owner(), "0101", None).await, ["lee", "kim"]);
    }

    async fn t6_many_changed_at_once_are_freed_at_once(app) {
        let (_, people) = cti::desk(&app, "desk", &["kim", "lee", "park"]).await;
        let entries = people.iter().enumerate().map(|(place, one)| entry(one, 0, &format!("i{place}"), &format!("10{place}"))).collect();
        app.owner().deed(SAVE, all(entries)).await;
        let data = app.owner().data("{ agents(first: 10, filter: { channel: PHONE }) { nodes { id version member { login } } } }", json!({})).await;
        let changes: Vec<_> = data["agents"]["nodes"].as_array().unwrap().iter().map(|agent| {
            let channels = if agent["member"]["login"] == "park" { json!(["PHONE"]) } else { json!(["TICKET"]) };
            staff::entry(agent, json!({ "channels": channels }))
        }).collect();

        app.owner().deed("agentUpdateMany(input: $input) => agents { id }", json!({ "input": { "entries": changes } })).await;

        assert_eq!(freed(&app).await, (1, 2));
        assert_eq!(lines(app.owner()).await, ["park i2 102 v1"]);
    }

    async fn t6_a_member_who_leaves_leaves_his_number_behind(app) {
        let (person, _) = kim(&app).await;

        app.owner().deed(EXPEL, on(&person, json!({}))).await;

        assert_eq!(freed(&app).await, (0, 1));
        assert_eq!(Raw::admin(&app).await.count("cti_agent").await, 0, "no row speaks of who is gone");
        assert_eq!(told(&app, "MEMBER_REMOVE").await, "\"\\\"0101\\\"\" → null");
        let query = "{ ctiHoldings { nodes { ctiId ctiNumber heldUntil givenBy takenBy member { login status } } } }";
        let data = app.owner().data(query, json!({})).await;
        assert_eq!(data["ctiHoldings"]["nodes"], json!([{ "ctiId": "kim", "ctiNumber": "0101", "heldUntil": "2026-11-10T01:01:00.000Z",
            "givenBy": "소유자 (owner)", "takenBy": "소유자 (owner)", "member": { "login": "kim", "status": "LEFT" } }]));
    }

    async fn t6_a_service_that_is_terminated_takes_its_rights_with_it(app) {
        let (_, [first, second]) = kim(&app).await;

        for (place, expected) in [(&first.0, (1, 0)), (&second.0, (0, 1))] {
            make::suspend(app.owner(), place).await;
            assert_eq!(freed(&app).await, (1, 0), "a suspended service comes back");
            make::terminate(app.owner(), place).await;
            assert_eq!(freed(&app).await, expected);
        }

        assert_eq!(told(&app, "SERVICE_TERMINATE").await, "\"\\\"0101\\\"\" → null");
    }

    async fn t6_a_right_that_was_not_taken_after_all_frees_nothing(app) {
        let (_, [first, second]) = kim(&app).await;
        staff::update(app.owner(), &first.1, json!({ "channels": ["TICKET"] })).await;

        let tried = staff::update(app.owner(), &second.1, json!({ "channels": ["TICKET"], "dryRun": true })).await;
        let stale = staff::update_problems(app.owner(), &json!({ "id": second.1["id"], "version": 9 }), json!({ "channels": ["TICKET"] })).await;

        assert_eq!((tried["channels"].clone(), stale), (json!(["TICKET"]), vec!["STALE_VERSION at input.expectedVersion".to_owned()]));
        assert_eq!(freed(&app).await, (1, 0));
        assert_eq!(lines(app.owner()).await, ["kim kim 0101 v1"]);
    }
}
