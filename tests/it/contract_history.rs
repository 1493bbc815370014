//! 계약 이력: every version of a contract, before and after, and as of an instant; and writes that come too late.

use chrono::Duration;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{Who, codes},
        make::{self, Made},
    },
};
use orgdesk::operate;

const REVISIONS: &str = "query Q($id: ID!, $first: Int, $after: String) { service(by: { id: $id }) { contract {
    revisions(first: $first, after: $after) { totalCount pageInfo { endCursor hasNextPage } nodes {
        number cause effectiveOn madeAt madeBy discountPercent items { code isOn userCount } previousItems { code isOn userCount } } } } } }";

async fn revisions(who: Who<'_>, desk: &Made, first: i32, after: Option<&str>) -> Value {
    let data = who
        .data(REVISIONS, json!({ "id": desk.id, "first": first, "after": after }))
        .await;
    data["service"]["contract"]["revisions"].clone()
}

/// The number and the ticket users of the version that counted at an instant; null before there was one.
async fn as_of(who: Who<'_>, desk: &Made, at: &str) -> Value {
    let query = "query Q($id: ID!, $at: DateTime!) { service(by: { id: $id }) { contract { asOf(at: $at) { number items { userCount } } } } }";
    let version = who.data(query, json!({ "id": desk.id, "at": at })).await["service"]["contract"]["asOf"].clone();
    if version.is_null() {
        version
    } else {
        json!([version["number"], version["items"][0]["userCount"]])
    }
}

async fn edit(who: Who<'_>, desk: &Made, items: Value) {
    let (_, version) = make::versions(who, desk).await;
    let variables = json!({ "id": desk.contract, "input": { "expectedVersion": version, "items": items } });
    who.deed("contractUpdate(id: $id, input: $input)", variables).await;
}

both! {
    async fn s6_every_version_is_kept_with_before_and_after_who_and_when(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 3).await;
        app.go_to("2026-11-12T10:00:00+09:00");
        edit(app.administrator(), &desk, json!([{ "code": "KNOWLEDGE", "isOn": true }])).await;
        app.go_to("2026-11-13T10:00:00+09:00");
        operate::discount(&app.app, "acme", "desk", Some(10), None).await.unwrap();
        app.go_to("2026-11-14T10:00:00+09:00");
        make::suspend(owner, &desk).await;
        make::terminate(owner, &desk).await;

        let all = revisions(owner, &desk, 20, None).await;

        let three = json!([{ "code": "TICKET", "isOn": true, "userCount": 3 }]);
        let more = json!([{ "code": "TICKET", "isOn": true, "userCount": 3 }, { "code": "KNOWLEDGE", "isOn": true, "userCount": null }]);
        assert_eq!(all["totalCount"], 4);
        assert_eq!(all["nodes"], json!([
            { "number": 4, "cause": "ENDED", "effectiveOn": "2026-11-15", "madeAt": "2026-11-14T01:00:00.000Z", "madeBy": "소유자 (owner)", "discountPercent": 10, "items": [], "previousItems": more },
            { "number": 3, "cause": "DISCOUNTED", "effectiveOn": "2026-11-13", "madeAt": "2026-11-13T01:00:00.000Z", "madeBy": all["nodes"][1]["madeBy"], "discountPercent": 10, "items": more, "previousItems": more },
            { "number": 2, "cause": "UPDATED", "effectiveOn": "2026-11-12", "madeAt": "2026-11-12T01:00:00.000Z", "madeBy": "조직관리자 (admin)", "discountPercent": 0, "items": more, "previousItems": three },
            { "number": 1, "cause": "SIGNED", "effectiveOn": "2026-11-10", "madeAt": "2026-11-10T01:00:00.000Z", "madeBy": "소유자 (owner)", "discountPercent": 0, "items": three, "previousItems": [] },
        ]));
        let names = [&all["nodes"][1]["madeBy"], &json!("소유자 (owner)"), &json!("조직관리자 (admin)"), &json!("")];
        assert!(names[1..].iter().all(|name| *name != names[0]), "the operator is none of them");
    }

    async fn s6_versions_come_in_pages(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 1).await;
        for users in 2..=4 {
            app.wait(Duration::days(1));
            edit(owner, &desk, json!([{ "code": "TICKET", "userCount": users }])).await;
        }
        let numbers = |page: &Value| page["nodes"].as_array().unwrap().iter().map(|node| node["number"].as_i64().unwrap()).collect::<Vec<_>>();

        let first = revisions(owner, &desk, 3, None).await;
        let second = revisions(owner, &desk, 3, first["pageInfo"]["endCursor"].as_str()).await;

        assert_eq!((numbers(&first), &first["pageInfo"]["hasNextPage"]), (vec![4, 3, 2], &json!(true)));
        assert_eq!((numbers(&second), &second["pageInfo"]["hasNextPage"]), (vec![1], &json!(false)));
        assert_eq!((&first["totalCount"], &second["totalCount"]), (&json!(4), &json!(4)));
    }

    async fn s6_a_contract_is_shown_as_of_any_instant(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 3).await;
        app.go_to("2026-11-12T10:00:00+09:00");
        edit(owner, &desk, json!([{ "code": "TICKET", "userCount": 5 }])).await;

        let cases = [
            ("2000-01-01T00:00:00Z", json!(null)), ("2026-11-10T00:59:59.999Z", json!(null)), ("2026-11-10T01:00:00Z", json!([1, 3])),
            ("2026-11-12T00:59:59.999Z", json!([1, 3])), ("2026-11-12T10:00:00+09:00", json!([2, 5])), ("2100-01-01T00:00:00Z", json!([2, 5])),
        ];

        for (at, expected) in cases {
            assert_eq!(as_of(owner, &desk, at).await, expected, "{at}");
        }
    }

    // case: I7
    async fn s10_a_write_that_comes_too_late_is_refused_and_told_what_is_there_now(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 3).await;
        let draft = make::draft(owner, "draft").await;
        let service = "service { version name status }";
        let contract = "contract { version items { userCount } }";
        let now = json!({ "version": 2, "name": "Desk desk", "status": "IN_USE" });
        let signed = json!({ "version": 2, "items": [{ "userCount": 3 }] });
        let begun = json!({ "version": 1, "items": [{ "userCount": null }] });
        let items = json!([{ "code": "TICKET", "userCount": 9 }]);
        let cases = [
            ("serviceUpdate", &desk.id, json!({ "name": "Lost" }), service, &now),
            ("serviceSuspend", &desk.id, json!({ "acknowledgeCharges": true }), service, &now),
            ("serviceResume", &desk.id, json!({}), service, &now),
            ("serviceTerminate", &desk.id, json!({}), service, &now),
            ("contractUpdate", &desk.contract, json!({ "items": items }), contract, &signed),
            ("contractDraft", &draft.contract, json!({ "items": items }), contract, &begun),
            ("contractSign", &draft.contract, json!({ "items": items }), contract, &begun),
        ];

        for (verb, id, input, fields, current) in cases {
            for version in [-1, 0, 3, i32::MAX] {
                let mut input = input.clone();
                input["expectedVersion"] = json!(version);
                let payload = owner.payload(&format!("{verb}(id: $id, input: $input) => {fields}"), json!({ "id": id, "input": input })).await;
                assert_eq!(codes(&payload), ["STALE_VERSION at input.expectedVersion"], "{verb} {version}");
                let shown = if fields == service { &payload["service"] } else { &payload["contract"] };
                assert_eq!(shown, current, "{verb} {version}");
            }
        }
    }

    async fn s10_what_is_absent_or_anothers_is_not_found_and_not_shown(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 3).await;
        let verbs = [
            ("serviceUpdate", json!({ "expectedVersion": 2 }), "service { id }"), ("serviceResume", json!({ "expectedVersion": 2 }), "service { id }"),
            ("serviceSuspend", json!({ "expectedVersion": 2, "acknowledgeCharges": true }), "service { id } charge { id }"),
            ("serviceTerminate", json!({ "expectedVersion": 2 }), "service { id } charge { id }"),
            ("contractDraft", json!({ "expectedVersion": 2, "items": [] }), "contract { id }"),
            ("contractSign", json!({ "expectedVersion": 2 }), "contract { id } service { id }"),
            ("contractUpdate", json!({ "expectedVersion": 2, "items": [] }), "contract { id }"),
        ];

        for (verb, input, fields) in verbs {
            let (own, kind) = if verb.starts_with("service") { (&desk.id, "svc") } else { (&desk.contract, "ctr") };
            let other_kind = if kind == "svc" { &desk.contract } else { &desk.id };
            let absent = format!("{}0", &own[..own.len() - 1]);
            for (who, id) in [(app.rival(), own.as_str()), (owner, &absent), (owner, other_kind), (owner, ""), (owner, "x\0y"), (owner, "데스크")] {
                let payload = who.payload(&format!("{verb}(id: $id, input: $input) => {fields}"), json!({ "id": id, "input": input })).await;
                assert_eq!(codes(&payload), ["NOT_FOUND at id"], "{verb} {id}");
                assert!(payload.as_object().unwrap().iter().all(|(name, value)| name == "userErrors" || value.is_null()), "{verb}: {payload}");
            }
        }
    }

    // case: I7
    async fn s10_of_two_who_edit_at_once_one_is_told_so(app) {
        let (owner, administrator) = (app.owner().token().await, app.administrator().token().await);
        let desk = make::draft(app.owner(), "desk").await;
        let query = "mutation M($id: ID!, $input: ServiceUpdateInput!) { serviceUpdate(id: $id, input: $input) { service { version name } userErrors { code field } } }";

        for version in 1..=30 {
            let names = [format!("Owner's {version}"), format!("Administrator's {version}")];
            let asks = [&owner, &administrator].into_iter().zip(&names).map(|(token, name)| {
                app.ask(Some(token), query, json!({ "id": desk.id, "input": { "expectedVersion": version, "name": name } }))
            });
            let payloads: Vec<_> = join_all(asks).await.into_iter().map(|answer| answer.json["data"]["serviceUpdate"].clone()).collect();

            let won: Vec<_> = (0..2).filter(|place| payloads[*place]["userErrors"] == json!([])).collect();
            assert_eq!(won.len(), 1, "{payloads:?}");
            assert_eq!(codes(&payloads[1 - won[0]]), ["STALE_VERSION at input.expectedVersion"]);
            let shown = json!({ "version": version + 1, "name": names[won[0]] });
            assert_eq!((&payloads[0]["service"], &payloads[1]["service"]), (&shown, &shown), "both are shown what is there");
        }
    }
}
