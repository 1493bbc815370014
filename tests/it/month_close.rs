//! 마감: a month is closed once, at ten past midnight of the organization's first day of the next, and then stands.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{PASSWORD, TestApp},
        ledger::{self, balanced, charge, charges, jobs, lines, move_to, price_list, sums, texts, total, used},
        make,
    },
};

/// The months that Acme has closed.
async fn closed(app: &TestApp) -> Vec<String> {
    let (nodes, ..) = charges(app.owner(), "2026-10", "2027-12").await;
    let closed = nodes.iter().filter(|node| node["status"] == "CLOSED");
    closed.map(|node| node["month"].as_str().unwrap().to_owned()).collect()
}

/// An organization in a zone of its own, whose owner is `owner`.
async fn organization(app: &TestApp, domain: &str, time_zone: &str) {
    let password_hash = orgdesk::operate::hash_password(&app.app, PASSWORD).await.unwrap();
    let person = orgdesk::operate::Person {
        login: "owner".to_owned(),
        name: "소유자".to_owned(),
        email: "owner@example.com".to_owned(),
        password_hash,
        is_administrator: false,
    };
    orgdesk::operate::create_organization(&app.app, domain, domain, time_zone, person)
        .await
        .unwrap();
}

both! {
    async fn b3_a_month_is_an_estimate_until_ten_past_midnight(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;

        let before = charge(app.owner(), &desk, "2026-11").await;
        app.go_to("2026-12-01T00:09:59.999999+09:00");
        let too_early = app.run_due().await;
        let open = charge(app.owner(), &desk, "2026-11").await;
        app.go_to("2026-12-01T00:10:00+09:00");
        app.run_due().await;
        let after = charge(app.owner(), &desk, "2026-11").await;

        assert_eq!((&before["status"], &before["closedAt"]), (&json!("ESTIMATED"), &Value::Null));
        assert_eq!((too_early, &open["status"]), (0, &json!("ESTIMATED")));
        assert_eq!((&after["status"], &after["closedAt"]), (&json!("CLOSED"), &json!("2026-11-30T15:10:00.000Z")));
        assert_eq!((sums(&before), &before["id"]), (sums(&after), &after["id"]));
        assert_eq!(charge(app.owner(), &desk, "2026-12").await["status"], "ESTIMATED");
    }

    async fn b3_a_close_that_runs_twice_closes_once(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;
        app.go_to("2026-12-01T00:10:00+09:00");
        app.run_due().await;
        let rows = "SELECT CAST(count(*) AS text) FROM month_close UNION ALL SELECT CAST(count(*) AS text) FROM charge_line
            UNION ALL SELECT CAST(count(*) AS text) FROM job_outbox";
        let (bill, kept) = (charge(app.owner(), &desk, "2026-11").await, texts(&app, rows).await);

        ledger::execute(&app, "UPDATE job_outbox SET state = 'WAITING' WHERE state = 'DONE'").await;
        app.go_to("2026-12-02T00:00:00+09:00");
        let begun = app.run_due().await;

        assert_eq!(begun, 2, "both organizations' closes ran again");
        assert_eq!(jobs(&app, "acme").await[0], "2026-11 DONE 2");
        assert_eq!((charge(app.owner(), &desk, "2026-11").await, texts(&app, rows).await), (bill, kept));
    }

    async fn b3_what_comes_late_is_corrected_in_the_open_month(app) {
        app.go_to("2026-11-01T09:00:00+09:00");
        let desk = make::in_use(app.owner(), "desk", 1).await;
        used(app.owner(), &desk, "TICKETS", "in-time", 2_990, "2026-11-01T00:00:00Z").await;
        orgdesk::operate::discount(&app.app, "acme", "desk", Some(10), None).await.unwrap();
        app.go_to("2026-12-01T00:10:00+09:00");
        app.run_due().await;
        let november = charge(app.owner(), &desk, "2026-11").await;

        // Ten of these are still free of November's 3,000, ten cost 50 won less ten percent.
        used(app.owner(), &desk, "TICKETS", "late", 20, "2026-11-20T00:00:00Z").await;
        let estimate = charge(app.owner(), &desk, "2026-12").await;
        app.go_to("2027-01-05T00:10:00+09:00");
        app.run_due().await;
        let december = charge(app.owner(), &desk, "2026-12").await;
        used(app.owner(), &desk, "TICKETS", "later", 10, "2026-11-30T14:59:59Z").await;
        let january = charge(app.owner(), &desk, "2027-01").await;
        app.go_to("2027-02-01T00:10:00+09:00");
        app.run_due().await;

        assert_eq!(lines(&november), ["LICENCE TICKET 10000", "USAGE TICKET 0", "DISCOUNT -1000", "VAT 900"]);
        let expected = ["LICENCE TICKET 10000", "DISCOUNT -1000", "CORRECTION TICKET 2026-11 450", "VAT 945"];
        assert_eq!(lines(&december), expected);
        assert_eq!(lines(&january)[2..], ["CORRECTION TICKET 2026-11 450", "VAT 945"]);
        assert_eq!(sums(&estimate), sums(&december));
        assert_eq!(sums(&january), sums(&charge(app.owner(), &desk, "2027-01").await));
        assert_eq!(charge(app.owner(), &desk, "2026-11").await, november, "a closed month never changes");
        for bill in [&november, &december, &january] {
            balanced(bill);
        }
    }

    async fn b3_a_terminated_service_is_charged_what_comes_late(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        make::suspend(app.owner(), &desk).await;
        make::terminate(app.owner(), &desk).await;
        app.go_to("2026-12-05T00:00:00+09:00");
        app.run_due().await;

        used(app.owner(), &desk, "TICKETS", "late", 3_002, "2026-11-10T00:30:00Z").await;
        let december = charge(app.owner(), &desk, "2026-12").await;

        assert_eq!(lines(&december), ["CORRECTION TICKET 2026-11 100", "VAT 10"]);
        balanced(&december);
    }

    // case: F2
    async fn b3_months_that_ended_while_the_server_was_down_are_closed_in_order(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;
        app.go_to("2027-02-01T00:10:00+09:00");
        let before = closed(&app).await;
        let (open, ..) = charges(app.owner(), "2026-10", "2027-12").await;

        let begun = app.run_due().await;

        assert!(before.is_empty());
        assert!(open.iter().all(|node| node["status"] == "ESTIMATED"));
        assert_eq!(open.len(), 4, "November to February are open");
        assert_eq!(begun, 6, "three months of two organizations");
        assert_eq!(closed(&app).await, ["2027-01", "2026-12", "2026-11"]);
        let log = "{ auditEntries(first: 20) { nodes { action target { label } } } }";
        let log = app.owner().ask(log, json!({})).await;
        assert!(log.text.contains("MONTH_CLOSE"), "{}", log.text);
        assert_eq!(
            jobs(&app, "acme").await,
            ["2026-11 DONE 1", "2026-12 DONE 1", "2027-01 DONE 1", "2027-02 WAITING 0"]
        );
        for month in ["2026-12", "2027-01"] {
            assert_eq!(total(&charge(app.owner(), &desk, month).await), 33_000);
        }
    }

    async fn b3_months_begin_and_end_in_the_organizations_zone(app) {
        organization(&app, "york", "America/New_York").await;
        let owner = app.someone("york", "owner");
        let desk = make::in_use(owner, "desk", 1).await;
        app.go_to("2026-12-01T05:09:59Z");
        // 23:59:59 on the 30th and 00:00 on the 1st in New York.
        used(owner, &desk, "TICKETS", "november", 3_001, "2026-12-01T04:59:59Z").await;
        used(owner, &desk, "TICKETS", "december", 3_002, "2026-12-01T05:00:00Z").await;

        app.run_due().await;
        let open = charge(owner, &desk, "2026-11").await;
        app.go_to("2026-12-01T05:10:00Z");
        app.run_due().await;
        let november = charge(owner, &desk, "2026-11").await;
        // Clocks went forward on the 14th of March.
        app.go_to("2027-04-01T04:09:59Z");
        app.run_due().await;
        let march_open = charge(owner, &desk, "2027-03").await;
        app.go_to("2027-04-01T04:10:00Z");
        app.run_due().await;
        let march = charge(owner, &desk, "2027-03").await;

        assert_eq!((&open["status"], &november["status"]), (&json!("ESTIMATED"), &json!("CLOSED")));
        assert!(lines(&november).contains(&"USAGE TICKET 50".to_owned()));
        assert!(lines(&charge(owner, &desk, "2026-12").await).contains(&"USAGE TICKET 100".to_owned()));
        assert_eq!((&march_open["status"], &march["status"]), (&json!("ESTIMATED"), &json!("CLOSED")));
    }

    async fn b3_a_zone_that_changes_before_the_close_moves_it(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;
        move_to(app.owner(), "America/New_York").await;

        app.go_to("2026-12-01T00:10:00+09:00");
        app.run_due().await;
        let open = charge(app.owner(), &desk, "2026-11").await;
        app.go_to("2026-12-01T00:09:00-05:00");
        app.run_due().await;
        let still_open = charge(app.owner(), &desk, "2026-11").await;
        app.go_to("2026-12-01T00:10:00-05:00");
        app.run_due().await;

        assert_eq!((&open["status"], &still_open["status"]), (&json!("ESTIMATED"), &json!("ESTIMATED")));
        assert_eq!(charge(app.owner(), &desk, "2026-11").await["status"], "CLOSED");
    }

    async fn b3_a_zone_that_moves_west_opens_no_month_again(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;
        app.go_to("2026-12-01T00:10:00+09:00");
        app.run_due().await;
        let bill = charge(app.owner(), &desk, "2026-11").await;

        // It is the 30th of November again.
        move_to(app.owner(), "America/New_York").await;
        let (listed, count, sum) = charges(app.owner(), "2026-10", "2027-01").await;
        let input = json!({ "expectedVersion": make::versions(app.owner(), &desk).await.0, "acknowledgeCharges": true });
        let field = format!("serviceSuspend(id: $id, input: $input) => charge {{ status {} }}", ledger::SUMS);
        let told = app.owner().deed(&field, json!({ "id": desk.id, "input": input })).await;

        assert_eq!((listed.len(), count, sum), (1, 1, total(&bill)), "{listed:#?}");
        assert_eq!(charge(app.owner(), &desk, "2026-11").await, bill);
        assert_eq!((&told["charge"]["status"], sums(&told["charge"])), (&json!("CLOSED"), sums(&bill)));
    }

    async fn b3_versions_of_days_that_a_zone_went_back_to_are_charged_once(app) {
        app.go_to("2026-11-01T09:00:00+09:00");
        make::in_use(app.owner(), "desk", 3).await;
        app.go_to("2026-11-11T00:30:00+09:00");
        orgdesk::operate::discount(&app.app, "acme", "desk", Some(10), None).await.unwrap();

        // It is the 10th again, and the versions of the contract are no longer in the order of their days.
        move_to(app.owner(), "America/New_York").await;
        orgdesk::operate::discount(&app.app, "acme", "desk", Some(20), None).await.unwrap();
        app.go_to("2026-12-01T00:10:00-05:00");
        app.run_due().await;

        let (bills, ..) = charges(app.owner(), "2026-11", "2026-11").await;
        assert_eq!(lines(&bills[0]), ["LICENCE TICKET 30000", "DISCOUNT -6000", "VAT 2400"]);
        assert_eq!(bills[0]["status"], "CLOSED");
    }

    async fn s12_a_closed_month_keeps_its_prices(app) {
        app.go_to("2026-11-01T09:00:00+09:00");
        let desk = make::in_use(app.owner(), "desk", 3).await;
        app.go_to("2026-11-20T09:00:00+09:00");
        used(app.owner(), &desk, "TICKETS", "a", 3_001, "2026-11-19T00:00:00Z").await;
        let changes = [("base = \"10000\"", "base = \"20000\""), ("unit1 = \"50\"", "unit1 = \"70\"")];
        orgdesk::operate::load_prices(&app.app, &price_list("2026-12-01", &changes)).await.unwrap();
        app.wait(chrono::Duration::minutes(2));
        let estimate = charge(app.owner(), &desk, "2026-11").await;
        app.go_to("2026-12-10T00:10:00+09:00");
        app.run_due().await;
        let november = charge(app.owner(), &desk, "2026-11").await;

        used(app.owner(), &desk, "TICKETS", "late", 2, "2026-11-20T00:00:00Z").await;
        used(app.owner(), &desk, "TICKETS", "new", 3_001, "2026-12-09T00:00:00Z").await;
        app.go_to("2027-01-01T00:10:00+09:00");
        app.run_due().await;

        assert_eq!(lines(&november), ["LICENCE TICKET 30000", "USAGE TICKET 50", "VAT 3005"]);
        assert_eq!(sums(&estimate), sums(&november));
        let december = charge(app.owner(), &desk, "2026-12").await;
        let expected = ["LICENCE TICKET 60000", "USAGE TICKET 70", "CORRECTION TICKET 2026-11 100", "VAT 6017"];
        assert_eq!(lines(&december), expected, "late usage has the prices of its month");
        assert_eq!(charge(app.owner(), &desk, "2026-11").await, november);
    }

    async fn s12_a_list_that_holds_from_today_prices_what_begins_after_it(app) {
        app.go_to("2026-11-01T09:00:00+09:00");
        let running = make::in_use(app.owner(), "running", 3).await;
        app.go_to("2026-11-21T09:00:00+09:00");
        let sold = make::in_use(app.owner(), "sold", 3).await;

        app.wait(chrono::Duration::hours(1));
        let list = price_list("2026-11-21", &[("day = \"333\"", "day = \"444\"")]);
        orgdesk::operate::load_prices(&app.app, &list).await.unwrap();
        let new = make::in_use(app.owner(), "new", 3).await;
        app.go_to("2026-12-01T00:10:00+09:00");
        app.run_due().await;

        let november = async |made| total(&charge(app.owner(), made, "2026-11").await);
        assert_eq!(november(&running).await, 33_000, "a month that began keeps its prices");
        assert_eq!(november(&sold).await, 10_989, "so does what was sold before the list came");
        assert_eq!(november(&new).await, 3 * 10 * 444 * 11 / 10);
    }

    async fn s12_a_list_is_loaded_for_today_at_the_earliest_and_once_a_day(app) {
        let load = async |text: String| orgdesk::operate::load_prices(&app.app, &text).await.map(drop);

        let past = load(price_list("2026-11-01", &[])).await;
        let future = load(price_list("2026-12-01", &[])).await;
        let twice = load(price_list("2026-12-01", &[("base = \"10000\"", "base = \"9990\"")])).await;
        let broken = load(price_list("2026-12-02", &[("[items.CHAT]", "[items.CHATS]")])).await;

        assert!(past.unwrap_err().to_string().contains("past"));
        future.unwrap();
        assert!(twice.unwrap_err().to_string().contains("already"));
        broken.unwrap_err();
    }
}
