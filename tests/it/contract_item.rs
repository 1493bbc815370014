//! 계약 항목: which items a contract can have, what they need, what they are counted by, and what they cost.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who, codes},
        dump::dump,
        make::{self, Made},
    },
};
use orgdesk::operate::{self, Approvable};

/// A draft of a kind, with three ticket users.
async fn draft(who: Who<'_>, kind: &str, code: &str) -> Made {
    let input = json!({ "kind": kind, "code": code, "name": code });
    let made = who
        .deed(
            "serviceCreate(input: $input) => service { id contract { id } }",
            json!({ "input": input }),
        )
        .await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let made = Made {
        id: text(&made["service"]["id"]),
        contract: text(&made["service"]["contract"]["id"]),
    };
    let items = json!([{ "code": "TICKET", "userCount": 3 }]);
    let variables = json!({ "id": made.contract, "input": { "expectedVersion": 1, "items": items } });
    who.deed("contractDraft(id: $id, input: $input)", variables).await;
    made
}

/// What is wrong with signing a draft, or saving it, with these items. Nothing of it stays.
async fn wrong(who: Who<'_>, made: &Made, verb: &str, items: &Value) -> Vec<String> {
    let variables = json!({ "id": made.contract, "input": { "expectedVersion": 2, "items": items, "dryRun": true } });
    who.problems(&format!("{verb}(id: $id, input: $input)"), variables)
        .await
}

/// Signing and saving are refused alike.
async fn never(who: Who<'_>, made: &Made, items: Value, expected: &[&str]) {
    for verb in ["contractSign", "contractDraft"] {
        assert_eq!(wrong(who, made, verb, &items).await, expected, "{verb} {items}");
    }
}

/// Signing is refused; a draft may be saved so.
async fn later(who: Who<'_>, made: &Made, items: Value, expected: &[&str]) {
    assert_eq!(wrong(who, made, "contractSign", &items).await, expected, "{items}");
    assert_eq!(
        wrong(who, made, "contractDraft", &items).await,
        Vec::<String>::new(),
        "{items}"
    );
}

async fn fine(who: Who<'_>, made: &Made, items: Value) {
    never(who, made, items, &[]).await;
}

/// The prices of a service's catalogue: code, a month, a day, free volume.
async fn prices(app: &TestApp, kind: &str) -> Vec<Value> {
    let query = format!(
        "{{ contractItems(kind: {kind}) {{ code monthPrice {{ amount currencyCode }} dayPrice {{ amount }} freeVolume }} }}"
    );
    let data = app.owner().data(&query, json!({})).await;
    let row = |item: &Value| {
        assert_eq!(item["monthPrice"]["currencyCode"], "KRW");
        json!([
            item["code"],
            item["monthPrice"]["amount"],
            item["dayPrice"]["amount"],
            item["freeVolume"]
        ])
    };
    data["contractItems"].as_array().unwrap().iter().map(row).collect()
}

both! {
    async fn s3_tickets_are_always_on(app) {
        let owner = app.owner();
        for (kind, code) in [("CONSULTATION", "aa"), ("ISSUE", "bb")] {
            let desk = draft(owner, kind, code).await;

            never(owner, &desk, json!([{ "code": "TICKET", "isOn": false }]), &["CONTRACT_ITEM_FIXED at input.items.0.isOn"]).await;
            never(owner, &desk, json!([{ "code": "KNOWLEDGE", "isOn": true }, { "code": "TICKET", "isOn": false, "userCount": 3 }]),
                &["CONTRACT_ITEM_FIXED at input.items.1.isOn"]).await;
            fine(owner, &desk, json!([{ "code": "TICKET", "isOn": true }])).await;
        }
    }

    async fn s3_each_kind_of_service_has_its_own_items(app) {
        let owner = app.owner();
        operate::approve(&app.app, "acme", Approvable::Security, true).await.unwrap();
        let everything = ["TELTICKET", "CHAT", "HELPDOC", "KNOWLEDGE", "CALLBACK", "ENDUSERMANAGEMENT", "SMSSEND", "SMSSENDINGSTATUS",
            "ELECTRONICBOARD", "SECURITY", "ISSUETRANSFERSTATISTICS", "REINQUIRYRATE", "HAPPYCALL"];
        let of_issue = ["KNOWLEDGE", "SMSSEND", "SECURITY", "ISSUETRANSFERSTATISTICS"];
        let item = |code: &str| {
            let users = ["TELTICKET", "CHAT"].contains(&code).then_some(2);
            json!({ "code": code, "isOn": true, "userCount": users })
        };
        let (consultation, issue) = (draft(owner, "CONSULTATION", "aa").await, draft(owner, "ISSUE", "bb").await);

        fine(owner, &consultation, json!(everything.map(item))).await;
        fine(owner, &issue, json!(of_issue.map(item))).await;
        for code in everything.into_iter().filter(|code| !of_issue.contains(code)) {
            never(owner, &issue, json!([item(code)]), &["CONTRACT_ITEM_NOT_AVAILABLE at input.items.0.code"]).await;
            fine(owner, &issue, json!([{ "code": code, "isOn": false }])).await;
        }

        let codes = |catalogue: &[Value]| catalogue.iter().map(|row| row[0].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(codes(&prices(&app, "CONSULTATION").await)[1..], everything);
        assert_eq!(codes(&prices(&app, "ISSUE").await)[1..], of_issue);
    }

    async fn s3_callback_needs_the_telephone_and_statistics_need_text_messages(app) {
        let owner = app.owner();
        let desk = draft(owner, "CONSULTATION", "desk").await;
        let phone = json!({ "code": "TELTICKET", "isOn": true, "userCount": 1 });

        later(owner, &desk, json!([{ "code": "CALLBACK", "isOn": true }]), &["CONTRACT_ITEM_DEPENDENCY at input.items.0.isOn"]).await;
        later(owner, &desk, json!([{ "code": "TELTICKET", "isOn": false }, { "code": "CALLBACK", "isOn": true }]), &["CONTRACT_ITEM_DEPENDENCY at input.items.1.isOn"]).await;
        later(owner, &desk, json!([{ "code": "SMSSENDINGSTATUS", "isOn": true }]), &["CONTRACT_ITEM_DEPENDENCY at input.items.0.isOn"]).await;
        fine(owner, &desk, json!([{ "code": "CALLBACK", "isOn": true }, phone])).await;
        fine(owner, &desk, json!([{ "code": "SMSSENDINGSTATUS", "isOn": true }, { "code": "SMSSEND", "isOn": true }])).await;

        let signed = make::signed(owner, "signed", json!([{ "code": "TICKET", "userCount": 1 }, { "code": "CALLBACK", "isOn": true }, phone])).await;
        let items = json!([{ "code": "TELTICKET", "isOn": false }]);
        let variables = json!({ "id": signed.contract, "input": { "expectedVersion": 2, "items": items } });
        let cut = owner.payload("contractUpdate(id: $id, input: $input)", variables).await;
        assert_eq!(codes(&cut), ["CONTRACT_ITEM_DEPENDENCY at input.items"]);
        assert_eq!(cut["userErrors"][0]["message"], "Callback needs Tickets with telephone.");
    }

    async fn s3_users_are_1_to_10_000_where_an_item_is_counted_by_them(app) {
        let owner = app.owner();
        let desk = draft(owner, "CONSULTATION", "desk").await;

        for code in ["TICKET", "TELTICKET", "CHAT"] {
            for users in [1, 10_000] {
                fine(owner, &desk, json!([{ "code": code, "isOn": true, "userCount": users }])).await;
            }
            for users in [0, -1, 10_001, i32::MAX, i32::MIN] {
                let items = json!([{ "code": code, "isOn": true, "userCount": users }]);
                never(owner, &desk, items, &["USER_COUNT_REQUIRED at input.items.0.userCount"]).await;
            }
        }
        later(owner, &desk, json!([{ "code": "CHAT", "isOn": true }]), &["USER_COUNT_REQUIRED at input.items.0.userCount"]).await;
        for code in ["HELPDOC", "KNOWLEDGE", "SMSSEND", "HAPPYCALL"] {
            let items = json!([{ "code": code, "isOn": true, "userCount": 1 }]);
            never(owner, &desk, items, &["USER_COUNT_NOT_ALLOWED at input.items.0.userCount"]).await;
        }
    }

    async fn s3_expected_volumes_items_twice_and_long_lists_have_their_limits(app) {
        let owner = app.owner();
        let desk = draft(owner, "CONSULTATION", "desk").await;
        let volume = |volume: i32| json!([{ "code": "TICKET", "expectedVolume": volume }]);
        let twice = json!([{ "code": "CHAT", "isOn": true, "userCount": 1 }, { "code": "TICKET" }, { "code": "CHAT", "userCount": 2 }]);

        for sound in [0, 1_000_000_000] {
            fine(owner, &desk, volume(sound)).await;
        }
        for beyond in [-1, 1_000_000_001, i32::MAX] {
            never(owner, &desk, volume(beyond), &["OUT_OF_RANGE at input.items.0.expectedVolume"]).await;
        }
        never(owner, &desk, twice, &["DUPLICATE at input.items.2.code"]).await;
        let many: Vec<_> = std::iter::repeat_n(json!({ "code": "TICKET" }), 51).collect();
        never(owner, &desk, json!(many), &["TOO_MANY at input.items"]).await;
    }

    async fn s3_all_problems_of_the_items_are_told_at_once_each_at_its_place(app) {
        let owner = app.owner();
        let desk = draft(owner, "ISSUE", "desk").await;
        let items = json!([
            { "code": "CHAT", "isOn": true, "userCount": 1 }, { "code": "TICKET", "isOn": false, "userCount": 0, "expectedVolume": -1 },
            { "code": "SECURITY", "isOn": true }, { "code": "KNOWLEDGE", "isOn": true, "userCount": 5 },
        ]);

        let mut problems = wrong(owner, &desk, "contractSign", &items).await;

        problems.sort();
        assert_eq!(problems, [
            "CONTRACT_ITEM_FIXED at input.items.1.isOn", "CONTRACT_ITEM_NEEDS_APPROVAL at input.items.2.isOn",
            "CONTRACT_ITEM_NOT_AVAILABLE at input.items.0.code", "OUT_OF_RANGE at input.items.1.expectedVolume",
            "USER_COUNT_NOT_ALLOWED at input.items.3.userCount",
        ]);
    }

    async fn o7_the_security_item_waits_for_the_operators_approval(app) {
        let owner = app.owner();
        let desk = draft(owner, "CONSULTATION", "desk").await;
        let others = draft(app.rival(), "CONSULTATION", "desk").await;
        let security = json!([{ "code": "SECURITY", "isOn": true }]);
        let refused = ["CONTRACT_ITEM_NEEDS_APPROVAL at input.items.0.isOn"];
        later(owner, &desk, security.clone(), &refused).await;

        operate::approve(&app.app, "acme", Approvable::Ipcc, true).await.unwrap();
        later(owner, &desk, security.clone(), &refused).await;
        operate::approve(&app.app, "acme", Approvable::Security, true).await.unwrap();

        fine(owner, &desk, security.clone()).await;
        later(app.rival(), &others, security.clone(), &refused).await;
        operate::approve(&app.app, "acme", Approvable::Security, false).await.unwrap();
        later(owner, &desk, security, &refused).await;
    }

    async fn s12_the_catalogue_shows_the_prices_of_the_day(app) {
        let usual = prices(&app, "CONSULTATION").await;
        let list = include_str!("../../src/billing/prices.toml")
            .replace("2020-01-01", "2026-11-12")
            .replacen("base = \"10000\"\nday = \"333\"", "base = \"12000.5\"\nday = \"400\"", 1);
        operate::load_prices(&app.app, &list).await.unwrap();

        let before = prices(&app, "CONSULTATION").await;
        app.go_to("2026-11-11T23:59:59.999+09:00");
        let last = prices(&app, "CONSULTATION").await;
        app.go_to("2026-11-12T00:00:00+09:00");
        let after = prices(&app, "CONSULTATION").await;

        let expected = [
            json!(["TICKET", "10000", "333", 3000]), json!(["TELTICKET", "70000", "2333", 6000]), json!(["CHAT", "10000", "333", 3000]),
            json!(["HELPDOC", "50000", "1667", null]), json!(["KNOWLEDGE", "50000", "1667", null]), json!(["CALLBACK", "50000", "1667", null]),
            json!(["ENDUSERMANAGEMENT", "250000", "8333", null]), json!(["SMSSEND", "0", "0", null]), json!(["SMSSENDINGSTATUS", "30000", "1000", null]),
            json!(["ELECTRONICBOARD", "50000", "1667", null]), json!(["SECURITY", "100000", "3333", null]), json!(["ISSUETRANSFERSTATISTICS", "30000", "1000", null]),
            json!(["REINQUIRYRATE", "30000", "1000", null]), json!(["HAPPYCALL", "50000", "1667", null]),
        ];
        assert_eq!(usual, expected);
        assert_eq!((&before, &last), (&usual, &usual));
        assert_eq!(after[0], json!(["TICKET", "12000.5", "400", 3000]));
        assert_eq!(after[1..], usual[1..]);
    }

    async fn s12_a_price_list_that_is_past_or_double_or_faulty_is_not_loaded(app) {
        let usual = prices(&app, "ISSUE").await;
        let list = |day: &str| include_str!("../../src/billing/prices.toml").replace("2020-01-01", day);
        operate::load_prices(&app.app, &list("2026-12-01")).await.unwrap();
        let before = dump(&app).await;
        let cases = [
            (list("2026-11-08"), "past"), (list("2026-12-01"), "there already"), (list("tomorrow"), "effective_on"),
            (list("2026-12-24").replace("currency = \"KRW\"", "currency = \"USD\""), "currency"),
            (list("2026-12-24").replace("[items.HAPPYCALL]", "[items.HAPPY]"), "HAPPYCALL"), ("no = list =".to_owned(), "line 1"),
            (list("2026-12-24").replace("base = \"250000\"", "base = \"-1\""), "ENDUSERMANAGEMENT"),
        ];

        for (list, word) in cases {
            let refusal = operate::load_prices(&app.app, &list).await.unwrap_err().to_string();
            assert!(refusal.contains(word), "{word}: {refusal}");
        }

        assert!(dump(&app).await == before, "nothing was loaded");
        assert_eq!(prices(&app, "ISSUE").await, usual);
    }
}
