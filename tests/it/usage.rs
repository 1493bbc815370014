//! 사용량: entries count once however often they come, and only what the contract had on that day.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::codes,
        ledger::{self, charge, entry, record, texts, used},
        make,
    },
};

/// A quarter of an hour before the tests begin.
const AT: &str = "2026-11-10T00:45:00Z";

const ROWS: &str = "SELECT external_id || ' ' || CAST(quantity AS text) FROM usage_entry ORDER BY 1";

fn counts(payload: &Value) -> (Value, Value) {
    (payload["acceptedCount"].clone(), payload["repeatedCount"].clone())
}

both! {
    async fn b4_an_entry_counts_once_however_often_it_comes(app) {
        let items = json!([{ "code": "TICKET", "userCount": 1 }, { "code": "CHAT", "isOn": true, "userCount": 1 }]);
        let desk = make::signed(app.owner(), "desk", items).await;
        let other = make::in_use(app.owner(), "other", 1).await;
        let entries = json!([
            entry(&desk, "TICKETS", "a", 3_001, AT),
            entry(&desk, "CHATS", "a", 3_002, AT),
            entry(&other, "TICKETS", "a", 5, AT),
        ]);

        let first = record(app.owner(), entries.clone()).await;
        let second = record(app.owner(), entries).await;
        let mixed = record(app.owner(), json!([
            entry(&desk, "TICKETS", "a", 3_001, AT),
            entry(&desk, "TICKETS", "b", 1, AT),
            entry(&desk, "TICKETS", "b", 1, AT),
        ])).await;

        assert_eq!(counts(&first), (json!(3), json!(0)));
        assert_eq!(counts(&second), (json!(0), json!(3)));
        assert_eq!(counts(&mixed), (json!(1), json!(2)));
        let lines = ledger::lines(&charge(app.owner(), &desk, "2026-11").await);
        assert!(lines.contains(&"USAGE TICKET 100".to_owned()), "{lines:?}");
        assert!(lines.contains(&"USAGE CHAT 100".to_owned()), "{lines:?}");
    }

    async fn b4_an_entry_that_comes_again_changed_is_refused(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        used(app.owner(), &desk, "TICKETS", "a", 7, AT).await;
        app.go_to("2026-11-12T10:00:00+09:00");

        let more = record(app.owner(), json!([entry(&desk, "TICKETS", "b", 1, AT), entry(&desk, "TICKETS", "a", 8, AT)])).await;
        let later = record(app.owner(), json!([entry(&desk, "TICKETS", "a", 7, "2026-11-11T00:00:00Z")])).await;
        let both = [entry(&desk, "TICKETS", "c", 1, AT), entry(&desk, "TICKETS", "c", 2, AT)];
        let within = record(app.owner(), json!(both)).await;

        assert_eq!(codes(&more), ["USAGE_CONFLICT at input.entries.1"]);
        assert_eq!(codes(&later), ["USAGE_CONFLICT at input.entries.0"]);
        assert_eq!(codes(&within), ["USAGE_CONFLICT at input.entries.1"]);
        assert_eq!(texts(&app, ROWS).await, ["a 7"]);
    }

    async fn b4_each_entry_says_what_is_wrong_with_it_and_none_is_recorded(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let draft = make::draft(app.owner(), "draft").await;
        let rival = make::in_use(app.rival(), "desk", 1).await;
        let nowhere = make::Made { id: "svc_nowhere".to_owned(), contract: String::new() };
        let entries = json!([
            entry(&desk, "TICKETS", "good", 1, AT),
            entry(&desk, "TICKETS", "future", 1, "2026-11-10T01:00:01Z"),
            entry(&desk, "TICKETS", "old", 1, "2026-07-31T14:59:59Z"),
            entry(&desk, "CHATS", "chat", 1, AT),
            entry(&desk, "TICKETS", "day before", 1, AT),
            entry(&desk, "TICKETS", "yesterday", 1, "2026-11-09T14:59:59Z"),
            entry(&draft, "TICKETS", "draft", 1, AT),
            entry(&rival, "TICKETS", "rival", 1, AT),
            entry(&nowhere, "TICKETS", "nowhere", 1, AT),
            entry(&desk, "TICKETS", "none", 0, AT),
            entry(&desk, "TICKETS", "negative", -1, AT),
            entry(&desk, "TICKETS", "much", 1_000_000_001, AT),
            entry(&desk, "TICKETS", "", 1, AT),
            entry(&desk, "TICKETS", &"x".repeat(101), 1, AT),
        ]);

        let refused = record(app.owner(), entries).await;
        let good = record(app.owner(), json!([
            entry(&desk, "TICKETS", "good", 1, AT),
            entry(&desk, "TICKETS", "midnight", 1, "2026-11-09T15:00:00Z"),
            entry(&desk, "TICKETS", "now", 1, "2026-11-10T01:00:00Z"),
            entry(&desk, "TICKETS", &"x".repeat(100), 1_000_000_000, AT),
        ])).await;

        let expected = [
            "USAGE_IN_FUTURE at input.entries.1.occurredAt",
            "USAGE_TOO_OLD at input.entries.2.occurredAt",
            "USAGE_NOT_CONTRACTED at input.entries.3.meter",
            "INVALID at input.entries.4.externalId",
            "USAGE_NOT_CONTRACTED at input.entries.5.meter",
            "USAGE_NOT_CONTRACTED at input.entries.6.meter",
            "NOT_FOUND at input.entries.7.serviceId",
            "NOT_FOUND at input.entries.8.serviceId",
            "OUT_OF_RANGE at input.entries.9.quantity",
            "OUT_OF_RANGE at input.entries.10.quantity",
            "OUT_OF_RANGE at input.entries.11.quantity",
            "INVALID at input.entries.12.externalId",
            "INVALID at input.entries.13.externalId",
        ];
        assert_eq!(codes(&refused), expected);
        assert_eq!(counts(&refused), (Value::Null, Value::Null));
        assert_eq!(counts(&good), (json!(4), json!(0)), "nothing of the refused ones was recorded");
    }

    async fn b4_a_request_has_one_to_a_hundred_entries(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let many = |count: usize| -> Value {
            (0..count).map(|place| entry(&desk, "TICKETS", &format!("e{place}"), 1, AT)).collect()
        };

        let none = record(app.owner(), many(0)).await;
        let too_many = record(app.owner(), many(101)).await;
        let hundred = record(app.owner(), many(100)).await;

        assert_eq!(codes(&none), ["BLANK at input.entries"]);
        assert_eq!(codes(&too_many), ["TOO_MANY at input.entries"]);
        assert_eq!(counts(&hundred), (json!(100), json!(0)));
    }

    async fn b4_usage_is_recorded_of_the_days_on_which_its_item_was_on(app) {
        app.go_to("2026-11-01T09:00:00+09:00");
        let desk = make::signed(app.owner(), "desk", json!([{ "code": "TICKET", "userCount": 1 }])).await;
        app.go_to("2026-11-05T09:00:00+09:00");
        ledger::update(app.owner(), &desk, json!([{ "code": "CHAT", "isOn": true, "userCount": 1 }])).await;
        app.go_to("2026-11-08T09:00:00+09:00");
        ledger::update(app.owner(), &desk, json!([{ "code": "CHAT", "isOn": false }])).await;
        make::suspend(app.owner(), &desk).await;
        app.go_to("2026-11-09T09:00:00+09:00");
        make::terminate(app.owner(), &desk).await;
        app.go_to("2026-11-12T09:00:00+09:00");

        let mut recorded = Vec::new();
        for (meter, day) in [("CHATS", 4), ("CHATS", 5), ("CHATS", 7), ("CHATS", 8), ("TICKETS", 9), ("TICKETS", 10)] {
            let at = format!("2026-11-{day:02}T12:00:00+09:00");
            let payload = record(app.owner(), json!([entry(&desk, meter, &format!("e{day}"), 1, &at)])).await;
            recorded.push(payload["acceptedCount"] == 1);
        }

        assert_eq!(recorded, [false, true, true, false, true, false]);
    }

    async fn b4_usage_of_three_months_ago_is_charged_and_older_is_not(app) {
        app.go_to("2026-11-01T09:00:00+09:00");
        let desk = make::in_use(app.owner(), "desk", 1).await;
        app.go_to("2027-02-28T23:00:00+09:00");
        app.run_due().await;

        let last = record(app.owner(), json!([entry(&desk, "TICKETS", "a", 3_001, "2026-11-01T01:00:00Z")])).await;
        let february = ledger::lines(&charge(app.owner(), &desk, "2027-02").await);
        app.go_to("2027-03-01T00:00:00+09:00");
        let too_late = record(app.owner(), json!([entry(&desk, "TICKETS", "b", 1, "2026-11-30T14:59:59Z")])).await;

        assert_eq!(counts(&last), (json!(1), json!(0)));
        assert!(february.contains(&"CORRECTION TICKET 2026-11 50".to_owned()), "{february:?}");
        assert_eq!(codes(&too_late), ["USAGE_TOO_OLD at input.entries.0.occurredAt"]);
    }

    async fn b4_what_comes_after_a_zone_went_back_over_the_end_of_a_month_is_charged(app) {
        app.go_to("2026-11-01T09:00:00+09:00");
        let desk = make::in_use(app.owner(), "desk", 1).await;
        app.go_to("2027-03-01T00:10:00+09:00");
        app.run_due().await;
        ledger::move_to(app.owner(), "America/New_York").await;

        // It is February again, which is closed: what happened in November is charged in March.
        let last = record(app.owner(), json!([entry(&desk, "TICKETS", "a", 3_001, "2026-11-15T01:00:00Z")])).await;
        app.go_to("2027-03-05T00:10:00-05:00");
        let march = ledger::lines(&charge(app.owner(), &desk, "2027-03").await);

        assert_eq!(counts(&last), (json!(1), json!(0)));
        assert!(march.contains(&"CORRECTION TICKET 2026-11 50".to_owned()), "{march:?}");
    }

    async fn b4_a_dry_run_records_nothing_and_a_replay_answers_the_same(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let entries = json!([entry(&desk, "TICKETS", "a", 7, AT)]);
        let field = "usageRecord(input: $input) => acceptedCount repeatedCount";
        let ask = async |input: Value| app.owner().deed(field, json!({ "input": input })).await;

        let dry = ask(json!({ "entries": entries, "dryRun": true })).await;
        let rows = texts(&app, ROWS).await;
        let first = ask(json!({ "entries": entries, "idempotencyKey": "k" })).await;
        let again = ask(json!({ "entries": entries, "idempotencyKey": "k" })).await;

        assert_eq!((counts(&dry), rows), ((json!(1), json!(0)), vec![]));
        assert_eq!(counts(&first), (json!(1), json!(0)));
        assert_eq!(first, again);
        assert_eq!(texts(&app, ROWS).await, ["a 7"]);
    }
}
