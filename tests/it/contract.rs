//! 계약: drafting and signing, and the one edit a day of the organization's zone.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{Who, codes},
        make::{self, Made},
    },
};

const TODAY: &str = "CONTRACT_ALREADY_CHANGED_TODAY at id";

/// Edits a contract as it is now to so many ticket users; the payload.
async fn edit(who: Who<'_>, desk: &Made, users: i32) -> Value {
    edit_items(who, desk, json!([{ "code": "TICKET", "userCount": users }])).await
}

async fn edit_items(who: Who<'_>, desk: &Made, items: Value) -> Value {
    let (_, version) = make::versions(who, desk).await;
    let input = json!({ "expectedVersion": version, "items": items });
    let field = "contractUpdate(id: $id, input: $input) => contract { version editedOn items { code userCount } }";
    who.payload(field, json!({ "id": desk.contract, "input": input })).await
}

/// The edit is refused, until this instant.
async fn is_refused_until(who: Who<'_>, desk: &Made, at: &str) {
    let payload = edit(who, desk, 999).await;
    assert_eq!(codes(&payload), [TODAY]);
    assert_eq!(payload["userErrors"][0]["availableAt"], at);
    let allowance = allowance(who, desk).await;
    assert_eq!(
        (&allowance["used"], &allowance["remaining"], &allowance["resetsAt"]),
        (&json!(1), &json!(0), &json!(at))
    );
}

async fn allowance(who: Who<'_>, desk: &Made) -> Value {
    let query = "query Q($id: ID!) { service(by: { id: $id }) { contract { editAllowance { limit used remaining resetsAt timeZone } } } }";
    who.data(query, json!({ "id": desk.id })).await["service"]["contract"]["editAllowance"].clone()
}

/// Moves the organization to another zone.
async fn move_to(who: Who<'_>, zone: &str) {
    let data = who.data("{ organization { id version } }", json!({})).await;
    let input = json!({ "expectedVersion": data["organization"]["version"], "timeZone": zone });
    let variables = json!({ "id": data["organization"]["id"], "input": input });
    who.deed("organizationUpdate(id: $id, input: $input)", variables).await;
}

fn users(payload: &Value) -> &Value {
    &payload["contract"]["items"][0]["userCount"]
}

both! {
    async fn s2_a_draft_left_half_way_is_found_again_and_finished(app) {
        let (owner, administrator) = (app.owner(), app.administrator());
        let desk = make::draft(owner, "desk").await;
        let items = json!([{ "code": "SMSSENDINGSTATUS", "isOn": true }, { "code": "CHAT", "isOn": true }, { "code": "TICKET", "userCount": 3 }]);
        let draft = "contractDraft(id: $id, input: $input) => contract { version status }";
        let state = "query Q { service(by: { code: \"desk\" }) { status contractButton contract { id version status startedOn signedAt
            editAllowance { used } revisions { totalCount } items { code isOn userCount } } } }";

        owner.deed(draft, json!({ "id": desk.contract, "input": { "expectedVersion": 1, "items": items } })).await;
        app.wait(Duration::days(3));
        let left = administrator.data(state, json!({})).await["service"].clone();
        let early = administrator.problems("contractSign(id: $id, input: $input)", json!({ "id": desk.contract, "input": { "expectedVersion": 2 } })).await;
        let missing = json!([{ "code": "CHAT", "userCount": 2 }, { "code": "SMSSEND", "isOn": true }]);
        let signed = administrator.deed("contractSign(id: $id, input: $input) => service { status contractButton }",
            json!({ "id": desk.contract, "input": { "expectedVersion": 2, "items": missing } })).await;

        assert_eq!((&left["status"], &left["contractButton"]), (&json!("NOT_IN_USE"), &json!("REGISTER")));
        assert_eq!(left["contract"], json!({ "id": desk.contract, "version": 2, "status": "DRAFT", "startedOn": null, "signedAt": null,
            "editAllowance": null, "revisions": { "totalCount": 0 }, "items": [
                { "code": "TICKET", "isOn": true, "userCount": 3 }, { "code": "CHAT", "isOn": true, "userCount": null },
                { "code": "SMSSENDINGSTATUS", "isOn": true, "userCount": null } ] }));
        assert_eq!(early, ["USER_COUNT_REQUIRED at input.items", "CONTRACT_ITEM_DEPENDENCY at input.items"]);
        assert_eq!(signed["service"], json!({ "status": "IN_USE", "contractButton": "EDIT" }));
        let done = owner.data(state, json!({})).await["service"]["contract"].clone();
        assert_eq!((&done["status"], &done["startedOn"], &done["signedAt"]), (&json!("IN_FORCE"), &json!("2026-11-13"), &json!("2026-11-13T01:00:00.000Z")));
    }

    async fn s5_a_contract_is_edited_once_a_day(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 3).await;
        let edit = |version: i64, users: i32| {
            json!({ "id": desk.contract, "input": { "expectedVersion": version, "items": [{ "code": "TICKET", "userCount": users }] } })
        };

        owner.deed("contractUpdate(id: $id, input: $input)", edit(2, 4)).await;
        let second = owner.payload("contractUpdate(id: $id, input: $input)", edit(3, 5)).await;

        assert_eq!(codes(&second), [TODAY]);
        assert_eq!(second["userErrors"][0]["availableAt"], "2026-11-10T15:00:00.000Z");
    }

    async fn s5_the_first_signing_does_not_use_the_day(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 3).await;

        let before = allowance(owner, &desk).await;
        let edited = edit(owner, &desk, 4).await;
        let after = allowance(owner, &desk).await;

        let told = |used: i32| json!({ "limit": 1, "used": used, "remaining": 1 - used, "resetsAt": "2026-11-10T15:00:00.000Z", "timeZone": "Asia/Seoul" });
        assert_eq!((before, codes(&edited), after), (told(0), vec![], told(1)));
        assert_eq!((users(&edited), &edited["contract"]["editedOn"]), (&json!(4), &json!("2026-11-10")));
    }

    // case: I2
    async fn s5_the_day_ends_at_midnight_of_the_organizations_zone(app) {
        let owner = app.owner();
        let zones = [
            ("Asia/Seoul", "2026-11-10T15:00:00.000Z", "2026-11-11T15:00:00.000Z"),
            ("Asia/Kathmandu", "2026-11-12T18:15:00.000Z", "2026-11-13T18:15:00.000Z"),
            ("America/New_York", "2026-11-15T05:00:00.000Z", "2026-11-16T05:00:00.000Z"),
            // There, clocks are put forward in the night that ends this day: 23 hours until the next one.
            ("America/New_York", "2027-03-14T05:00:00.000Z", "2027-03-15T04:00:00.000Z"),
        ];

        for (place, (zone, midnight, next)) in zones.into_iter().enumerate() {
            move_to(owner, zone).await;
            let code = ["aa", "bb", "cc", "dd"][place];
            app.go_to(midnight);
            app.wait(Duration::milliseconds(-1));
            let desk = make::in_use(owner, code, 1).await;

            assert_eq!(codes(&edit(owner, &desk, 2).await), Vec::<String>::new(), "{zone} before midnight");
            is_refused_until(owner, &desk, midnight).await;
            app.wait(Duration::milliseconds(1));
            assert_eq!(allowance(owner, &desk).await["remaining"], 1, "{zone}");
            assert_eq!(codes(&edit(owner, &desk, 3).await), Vec::<String>::new(), "{zone} at midnight");
            is_refused_until(owner, &desk, next).await;
        }
    }

    // case: I1
    async fn s5_a_failed_edit_does_not_use_the_day(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 3).await;
        let stale = json!({ "id": desk.contract, "input": { "expectedVersion": 1, "items": [{ "code": "TICKET", "userCount": 9 }] } });

        let wrong = edit(owner, &desk, 0).await;
        let late = owner.problems("contractUpdate(id: $id, input: $input)", stale).await;
        let dependent = edit_items(owner, &desk, json!([{ "code": "CALLBACK", "isOn": true }])).await;
        let left = allowance(owner, &desk).await;
        let edited = edit(owner, &desk, 4).await;

        assert_eq!(codes(&wrong), ["USER_COUNT_REQUIRED at input.items.0.userCount"]);
        assert_eq!(late, ["STALE_VERSION at input.expectedVersion"]);
        assert_eq!(codes(&dependent), ["CONTRACT_ITEM_DEPENDENCY at input.items.0.isOn"]);
        assert_eq!((&left["used"], codes(&edited), users(&edited)), (&json!(0), vec![], &json!(4)));
    }

    async fn s5_an_edit_that_changes_nothing_neither_uses_the_day_nor_fails_for_it(app) {
        let owner = app.owner();
        let items = json!([{ "code": "TICKET", "userCount": 3 }, { "code": "KNOWLEDGE", "isOn": true }]);
        let desk = make::signed(owner, "desk", items.clone()).await;
        let nothing = [
            json!([]), items, json!([{ "code": "KNOWLEDGE", "isOn": true }]), json!([{ "code": "TICKET", "isOn": true, "userCount": 3 }]),
            json!([{ "code": "TICKET" }]), json!([{ "code": "HELPDOC", "isOn": false }]), json!([{ "code": "CHAT", "isOn": false }, { "code": "HAPPYCALL" }]),
        ];

        for same in &nothing {
            let payload = edit_items(owner, &desk, same.clone()).await;
            assert_eq!((codes(&payload), &payload["contract"]["version"]), (vec![], &json!(2)), "{same}");
        }
        let left = allowance(owner, &desk).await;
        let edited = edit(owner, &desk, 4).await;

        assert_eq!((&left["remaining"], codes(&edited)), (&json!(1), vec![]));
        for same in [json!([]), json!([{ "code": "TICKET", "userCount": 4 }]), json!([{ "code": "HELPDOC", "isOn": false }])] {
            let payload = edit_items(owner, &desk, same.clone()).await;
            assert_eq!((codes(&payload), &payload["contract"]["version"]), (vec![], &json!(3)), "{same}");
        }
    }

    async fn s5_switching_off_and_on_again_are_two_edits(app) {
        let owner = app.owner();
        let desk = make::signed(owner, "desk", json!([{ "code": "TICKET", "userCount": 3 }, { "code": "KNOWLEDGE", "isOn": true }])).await;

        let off = edit_items(owner, &desk, json!([{ "code": "KNOWLEDGE", "isOn": false }])).await;
        let on = edit_items(owner, &desk, json!([{ "code": "KNOWLEDGE", "isOn": true }])).await;

        assert_eq!((codes(&off), codes(&on)), (vec![], vec![TODAY.to_owned()]));
    }

    async fn s5_a_suspended_service_has_one_edit_a_day_too(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 3).await;
        make::suspend(owner, &desk).await;

        let first = edit(owner, &desk, 4).await;

        assert_eq!((codes(&first), users(&first)), (vec![], &json!(4)));
        is_refused_until(owner, &desk, "2026-11-10T15:00:00.000Z").await;
    }

    // case: I2
    async fn s5_another_zone_never_frees_a_day_that_was_used(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 1).await;
        assert_eq!(codes(&edit(owner, &desk, 2).await), Vec::<String>::new(), "on the 10th, in Seoul");

        move_to(owner, "America/New_York").await;
        is_refused_until(owner, &desk, "2026-11-11T05:00:00.000Z").await;
        app.go_to("2026-11-10T16:00:00Z");
        is_refused_until(owner, &desk, "2026-11-11T05:00:00.000Z").await;
        move_to(owner, "Asia/Seoul").await;
        assert_eq!(codes(&edit(owner, &desk, 3).await), Vec::<String>::new(), "on the 11th, in Seoul");
        is_refused_until(owner, &desk, "2026-11-11T15:00:00.000Z").await;
        move_to(owner, "America/New_York").await;

        app.go_to("2026-11-11T05:00:00Z");
        is_refused_until(owner, &desk, "2026-11-12T05:00:00.000Z").await;
        app.go_to("2026-11-12T05:00:00Z");
        assert_eq!(codes(&edit(owner, &desk, 4).await), Vec::<String>::new(), "on the 12th, in New York");
    }

    // case: I2
    async fn s5_a_clock_that_is_set_back_gives_no_second_edit(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 1).await;
        app.go_to("2026-11-12T10:00:00+09:00");
        assert_eq!(codes(&edit(owner, &desk, 2).await), Vec::<String>::new());

        for earlier in ["2026-11-12T00:00:00+09:00", "2026-11-11T23:59:59.999+09:00", "2026-11-11T10:00:00+09:00"] {
            app.go_to(earlier);
            is_refused_until(owner, &desk, "2026-11-12T15:00:00.000Z").await;
        }

        app.go_to("2026-11-13T00:00:00+09:00");
        assert_eq!(codes(&edit(owner, &desk, 3).await), Vec::<String>::new());
    }

    async fn s5_each_contract_has_a_day_of_its_own(app) {
        let owner = app.owner();
        let (one, other) = (make::in_use(owner, "one", 1).await, make::in_use(owner, "other", 1).await);

        assert_eq!(codes(&edit(owner, &one, 2).await), Vec::<String>::new());

        assert_eq!(codes(&edit(owner, &other, 2).await), Vec::<String>::new());
        assert_eq!(codes(&edit(app.administrator(), &one, 3).await), [TODAY]);
    }
}
