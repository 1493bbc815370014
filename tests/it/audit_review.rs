//! 접속기록 점검: the figures of a period, what stands out in them, and that somebody signed that he has looked.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, codes},
        grants, people,
        raw::Raw,
        ticket::{REVEAL, desk, made},
    },
};

const FIGURES: &str = "query Q($from: Date!, $to: Date!) { auditReview(firstDay: $from, lastDay: $to) { entryCount hash
    kinds { log action outcome count } actors { actor { kind name reference } count offHoursCount deniedCount failedCount unmaskedCount }
    offHours { actor { name } offHoursCount } refused { actor { name } deniedCount } unmasked { actor { name } unmaskedCount }
    massReads { actor { name } day count } unusedGrants { reference holderName grantedAt } } }";

async fn figures(app: &TestApp, from: &str, to: &str) -> Value {
    app.owner().data(FIGURES, json!({ "from": from, "to": to })).await["auditReview"].clone()
}

async fn sign(app: &TestApp, from: &str, to: &str, hash: &str, more: Value) -> Value {
    let mut input = json!({ "firstDay": from, "lastDay": to, "figuresHash": hash, "remark": "특이사항 없음" });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let field =
        "auditReviewSign(input: $input) => review { id firstDay lastDay figuresHash remark signedAt signedByName }";
    app.owner().payload(field, json!({ "input": input })).await
}

both! {
    async fn l8_the_figures_say_who_did_what_and_what_stands_out(app) {
        let service = desk(&app, "desk").await;
        let agent = app.someone("acme", "agent");
        let grant = grants::give(app.owner(), "agent", json!({ "serviceIds": [service.id], "networks": ["127.0.0.1"], "validUntil": "2027-06-01T00:00:00Z" })).await;
        people::employ(&app, "desk", "member", false).await;
        let idle = grants::give(app.owner(), "member", json!({ "isForAllServices": true, "validUntil": "2027-06-01T00:00:00Z" })).await;
        let mut tickets = Vec::new();
        for _ in 0..2 {
            tickets.push(made(agent, &service, json!({ "phone": "010-2345-6789" })).await["id"].clone());
        }
        // Ninety-five days later, on Saturday, 13 February, at ten, and at nine in the evening of the Friday before.
        app.go_to("2027-02-12T12:00:00Z");
        agent.token().await;
        let reveal = REVEAL;
        let one = async |count: usize| {
            for _ in 0..count {
                agent.deed(reveal, json!({ "input": { "ids": tickets, "reason": "배송지 정정 상담을 위한 회신" } })).await;
            }
        };
        one(1).await;
        app.go_to("2027-02-13T01:00:00Z");
        one(50).await;
        app.member().ask("{ auditEntries { nodes { id } } }", json!({})).await;
        // On Monday at eight in the evening, and a minute before.
        app.go_to("2027-02-15T10:59:00Z");
        app.member().token().await;

        let seen = figures(&app, "2027-02-12", "2027-02-15").await;
        let of = |list: &str, name: &str, field: &str| {
            let list = seen[list].as_array().unwrap();
            list.iter().find(|one| one["actor"]["name"] == name).map(|one| one[field].as_i64().unwrap())
        };
        let agent_name = app.owner().data("{ organization { members(first: 100) { nodes { name login } } } }", json!({})).await;
        let names = agent_name["organization"]["members"]["nodes"].as_array().unwrap();
        let agent_name = names.iter().find(|one| one["login"] == "agent").unwrap()["name"].as_str().unwrap();
        let agent_name = &format!("{agent_name} (agent)");
        assert_eq!(of("unmasked", agent_name, "unmaskedCount"), Some(102), "{seen}");
        assert_eq!(of("offHours", agent_name, "offHoursCount"), Some(51), "{seen}");
        assert_eq!(of("refused", "구성원 (member)", "deniedCount"), Some(1), "{seen}");
        let masses = seen["massReads"].as_array().unwrap();
        assert_eq!(masses.len(), 1);
        assert_eq!((&masses[0]["day"], &masses[0]["count"]), (&json!("2027-02-13"), &json!(100)));
        let unused = seen["unusedGrants"].as_array().unwrap();
        assert_eq!(unused.len(), 1, "{seen}");
        assert_eq!(unused[0]["reference"], idle["id"]);
        assert_ne!(unused[0]["reference"], grant["id"]);
        let shown = seen["kinds"].as_array().unwrap().iter().find(|kind| kind["action"] == "TICKET_REVEAL").unwrap();
        assert_eq!(*shown, json!({ "log": "PII_GRANT", "action": "TICKET_REVEAL", "outcome": "DONE", "count": 51 }));
        let counts: Vec<_> = seen["kinds"].as_array().unwrap().iter().map(|kind| {
            let text = |name: &str| kind[name].as_str().unwrap().to_owned();
            (std::cmp::Reverse(kind["count"].as_i64().unwrap()), text("action"), text("outcome"), text("log"))
        }).collect();
        assert!(counts.len() > 2 && counts.is_sorted(), "the most first: {counts:?}");
        let sum: i64 = seen["kinds"].as_array().unwrap().iter().map(|kind| kind["count"].as_i64().unwrap()).sum();
        let by_actor: i64 = seen["actors"].as_array().unwrap().iter().map(|one| one["count"].as_i64().unwrap()).sum();
        assert_eq!((seen["entryCount"].as_i64(), by_actor), (Some(sum), sum));
        let elsewhere = app.rival().data(FIGURES, json!({ "from": "2027-02-12", "to": "2027-02-15" })).await;
        assert_eq!(elsewhere["auditReview"]["unmasked"], json!([]));
    }

    async fn l8_a_period_is_signed_once_with_the_figures_that_were_looked_at(app) {
        app.member().ask("{ auditEntries { nodes { id } } }", json!({})).await;
        let (from, to) = ("2026-11-09", "2026-11-10");
        let early = figures(&app, from, to).await["hash"].as_str().unwrap().to_owned();
        assert_eq!(codes(&sign(&app, from, to, &early, json!({})).await), ["OUT_OF_RANGE at input.lastDay"], "the day is not over");
        app.wait(Duration::days(1));
        assert_eq!(codes(&sign(&app, from, to, &early, json!({})).await), ["STALE_VERSION at input.figuresHash"], "there was more on that day");
        let seen = figures(&app, from, to).await;
        let hash = seen["hash"].as_str().unwrap();
        assert_eq!(figures(&app, from, to).await["hash"], hash, "the same entries make the same figures");
        assert_eq!(codes(&sign(&app, to, from, hash, json!({})).await), ["OUT_OF_RANGE at input.lastDay"]);
        assert_eq!(codes(&sign(&app, "2026-08-01", to, hash, json!({})).await), ["OUT_OF_RANGE at input.lastDay"]);
        assert_eq!(codes(&sign(&app, from, to, hash, json!({ "remark": "x".repeat(1_001) })).await), ["TOO_LONG at input.remark"]);
        assert_eq!(codes(&sign(&app, from, to, hash, json!({ "remark": "a\u{202e}b" })).await), ["INVALID at input.remark"]);
        assert_eq!(codes(&sign(&app, from, to, hash, json!({ "dryRun": true })).await), Vec::<String>::new());

        let signed = sign(&app, from, to, hash, json!({})).await;
        assert_eq!(codes(&signed), Vec::<String>::new());
        assert_eq!(codes(&sign(&app, from, to, hash, json!({})).await), ["TAKEN at input.firstDay"]);

        let list = "{ auditReviews { totalCount nodes { id firstDay lastDay remark signedByName signedByReference figuresHash figures { entryCount hash refused { actor { name } deniedCount } } } } }";
        let list = app.administrator().data(list, json!({})).await["auditReviews"].clone();
        assert_eq!(list["totalCount"], 1);
        let review = &list["nodes"][0];
        assert_eq!((&review["firstDay"], &review["remark"], &review["signedByName"]), (&json!(from), &json!("특이사항 없음"), &json!("소유자 (owner)")));
        assert_eq!((&review["figuresHash"], &review["figures"]["entryCount"]), (&json!(hash), &seen["entryCount"]));
        assert_eq!(review["figures"]["refused"], json!([{ "actor": { "name": "구성원 (member)" }, "deniedCount": 1 }]));
        let node = app.owner().data("query Q($id: ID!) { node(id: $id) { ... on AuditReview { remark } } }", json!({ "id": review["id"] })).await;
        assert_eq!(node["node"]["remark"], "특이사항 없음");
        assert_eq!(app.member().ask("{ auditReviews { totalCount } }", json!({})).await.code(), "FORBIDDEN");
        let mut service = Raw::service(&app).await;
        if service.is_postgres() {
            let id = Raw::admin(&app).await.texts("SELECT id::text FROM organization WHERE domain = 'acme'").await.remove(0);
            service.must(&format!("SELECT set_config('orgdesk.organization', '{id}', false)")).await;
        }
        assert!(service.run("UPDATE audit_review SET remark = 'x'").await.is_err());
        assert!(service.run("DELETE FROM audit_review").await.is_err());
    }

    async fn l8_whoever_signs_has_just_shown_who_he_is(app) {
        let token = app.owner().token().await;
        app.wait(Duration::minutes(6));
        let query = r#"mutation { auditReviewSign(input: { firstDay: "2026-10-01", lastDay: "2026-10-31", figuresHash: "x" }) { userErrors { code } } }"#;
        assert_eq!(app.ask(Some(&token), query, json!({})).await.code(), "CONFIRMATION_REQUIRED");
        for period in [("2026-11-10", "2026-11-09"), ("2026-08-01", "2026-11-01")] {
            let answer = app.owner().ask(FIGURES, json!({ "from": period.0, "to": period.1 })).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT");
        }
        assert_eq!(figures(&app, "2026-08-02", "2026-11-01").await["entryCount"], 0);
    }
}
