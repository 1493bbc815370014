//! 요금 현황: lists of charges, their lines, discounts and free trials, and what suspending and terminating costs.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who},
        ledger::{self, balanced, charge, charges, issue, lines, sums, total, used, won},
        make::{self, Made},
    },
};

/// Two closed months and an open one with five services: fifteen charges.
async fn three_months(app: &TestApp) -> Vec<Made> {
    let mut made = Vec::new();
    for (place, code) in ["anna", "bora", "cora"].into_iter().enumerate() {
        made.push(make::in_use(app.owner(), code, place as i32 + 1).await);
        // Services of one instant have no order among themselves.
        app.wait(Duration::seconds(1));
    }
    for (place, code) in ["dora", "emma"].into_iter().enumerate() {
        made.push(issue(app.owner(), code, place as i32 + 7).await);
        app.wait(Duration::seconds(1));
    }
    make::in_use(app.rival(), "rival", 50).await;
    app.go_to("2027-01-05T10:00:00+09:00");
    app.run_due().await;
    made
}

/// One page: `month total` of each node, the list's count and total, and the page info.
async fn page(who: Who<'_>, arguments: &str, filter: &str) -> (Vec<Value>, Value) {
    let query = format!(
        "{{ charges({arguments} filter: {{ {filter} }}) {{ totalCount total {{ amount }}
            edges {{ cursor node {{ id month status total {{ amount }} service {{ id code kind status }} }} }}
            pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
    );
    let data = who.data(&query, json!({})).await;
    let list = data["charges"].clone();
    (list["edges"].as_array().unwrap().clone(), list)
}

const ALL: &str = "from: \"2026-11\", to: \"2027-01\"";

fn nodes(edges: &[Value]) -> Vec<Value> {
    edges.iter().map(|edge| edge["node"].clone()).collect()
}

both! {
    async fn b1_charges_are_of_all_services_of_a_type_or_of_one(app) {
        let made = three_months(&app).await;
        let owner = app.owner();

        let (all, whole) = page(owner, "", ALL).await;
        let (issues, of_type) = page(owner, "", &format!("{ALL}, serviceKind: ISSUE")).await;
        let (desks, _) = page(owner, "", &format!("{ALL}, serviceKind: CONSULTATION")).await;
        let (one, of_one) = page(owner, "", &format!("{ALL}, serviceId: \"{}\"", made[1].id)).await;
        let (none, _) = page(owner, "", &format!("{ALL}, serviceKind: ISSUE, serviceId: \"{}\"", made[1].id)).await;
        let (strange, _) = page(app.rival(), "", &format!("{ALL}, serviceId: \"{}\"", made[1].id)).await;
        let (december, _) = page(owner, "", "from: \"2026-12\", to: \"2026-12\"").await;

        let of = |edges: &[Value]| -> Vec<(String, String)> {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            nodes(edges).iter().map(|node| (text(&node["month"]), text(&node["service"]["code"]))).collect()
        };
        let expected: Vec<_> = ["2027-01", "2026-12", "2026-11"]
            .into_iter()
            .flat_map(|month| {
                ["emma", "dora", "cora", "bora", "anna"].map(|code| (month.to_owned(), code.to_owned()))
            })
            .collect();
        assert_eq!(of(&all), expected, "newest month first");
        assert_eq!((issues.len(), desks.len(), one.len(), none.len(), december.len()), (6, 9, 3, 0, 5));
        assert!(issues.iter().all(|edge| edge["node"]["service"]["kind"] == "ISSUE"));
        assert!(one.iter().all(|edge| edge["node"]["service"]["status"] == "IN_USE"));
        assert!(strange.is_empty());
        let statuses = |edges: &[Value]| nodes(edges).iter().map(|node| node["status"].clone()).collect::<Vec<_>>();
        assert_eq!(statuses(&one), ["ESTIMATED", "CLOSED", "CLOSED"]);
        for (edges, list) in [(&all, &whole), (&issues, &of_type), (&one, &of_one)] {
            let sum: i64 = edges.iter().map(|edge| total(&edge["node"])).sum();
            assert_eq!((total(list), &list["totalCount"]), (sum, &json!(edges.len())));
        }
    }

    async fn b1_pages_join_across_the_seam_between_open_and_closed_months(app) {
        three_months(&app).await;
        let owner = app.owner();
        let (all, whole) = page(owner, "first: 40,", ALL).await;
        assert_eq!(all.len(), 15);

        for size in [1, 2, 4, 5, 7, 14, 15] {
            let (mut forward, mut arguments) = (Vec::new(), String::new());
            loop {
                let (edges, list) = page(owner, &format!("first: {size}, {arguments}"), ALL).await;
                let info = &list["pageInfo"];
                assert_eq!((&list["totalCount"], &list["total"]), (&whole["totalCount"], &whole["total"]), "{size}");
                assert_eq!(info["hasPreviousPage"], !arguments.is_empty(), "{size}");
                forward.extend(edges);
                assert_eq!(info["hasNextPage"], forward.len() < 15, "{size}: {forward:?}");
                if info["hasNextPage"] == false {
                    break;
                }
                arguments = format!("after: {},", info["endCursor"]);
            }
            let (mut backward, mut arguments) = (Vec::new(), String::new());
            loop {
                let (edges, list) = page(owner, &format!("last: {size}, {arguments}"), ALL).await;
                let info = &list["pageInfo"];
                assert_eq!((&list["totalCount"], &list["total"]), (&whole["totalCount"], &whole["total"]), "{size}");
                assert_eq!(info["hasNextPage"], !arguments.is_empty(), "{size}");
                backward.splice(0..0, edges);
                assert_eq!(info["hasPreviousPage"], backward.len() < 15, "{size}: {backward:?}");
                if info["hasPreviousPage"] == false {
                    break;
                }
                arguments = format!("before: {},", info["startCursor"]);
            }
            assert_eq!(nodes(&forward), nodes(&all), "{size} at a time");
            assert_eq!(nodes(&backward), nodes(&all), "{size} at a time, from the end");
        }
    }

    async fn b1_a_page_lies_between_two_cursors(app) {
        three_months(&app).await;
        let owner = app.owner();
        let (all, _) = page(owner, "first: 40,", ALL).await;
        for (after, before) in [(0, 4), (3, 7), (4, 6), (6, 14), (0, 14), (4, 5)] {
            let ends = format!("after: {}, before: {},", all[after]["cursor"], all[before]["cursor"]);
            let between = nodes(&all[after + 1..before]);

            let (first, _) = page(owner, &format!("first: 40, {ends}"), ALL).await;
            let (last, _) = page(owner, &format!("last: 40, {ends}"), ALL).await;
            let (two, _) = page(owner, &format!("first: 2, {ends}"), ALL).await;
            let (last_two, _) = page(owner, &format!("last: 2, {ends}"), ALL).await;

            assert_eq!((nodes(&first), nodes(&last)), (between.clone(), between.clone()), "{after} {before}");
            assert_eq!(nodes(&two), between[..2.min(between.len())], "{after} {before}");
            assert_eq!(nodes(&last_two), between[between.len().saturating_sub(2)..], "{after} {before}");
        }
    }

    async fn b1_a_range_is_at_most_36_months_in_their_order(app) {
        let asked = async |from: &str, to: &str| {
            let query = format!("{{ charges(filter: {{ from: \"{from}\", to: \"{to}\" }}) {{ totalCount }} }}");
            app.owner().ask(&query, json!({})).await.code().to_owned()
        };

        assert_eq!(asked("2024-01", "2026-12").await, "none");
        assert_eq!(asked("2024-01", "2027-01").await, "BAD_USER_INPUT");
        assert_eq!(asked("2026-12", "2026-11").await, "BAD_USER_INPUT");
        assert_eq!(asked("2000-01", "2200-12").await, "BAD_USER_INPUT");
        assert_eq!(asked("2100-01", "2100-02").await, "none");
    }

    async fn b1_a_charge_is_found_by_its_id(app) {
        let made = three_months(&app).await;
        let query = "query Q($id: ID!) { node(id: $id) { id ... on Charge { month status total { amount } } } }";

        for month in ["2026-11", "2027-01"] {
            let listed = charge(app.owner(), &made[0], month).await;
            let found = app.owner().data(query, json!({ "id": listed["id"] })).await;
            let hidden = app.rival().data(query, json!({ "id": listed["id"] })).await;

            for name in ["id", "month", "status", "total"] {
                assert_eq!(found["node"][name], listed[name], "{month}");
            }
            assert_eq!(hidden["node"], Value::Null, "{month}");
        }
    }

    async fn b2_what_changes_within_a_month_is_charged_by_day(app) {
        app.go_to("2026-11-01T09:00:00+09:00");
        let desk = make::in_use(app.owner(), "desk", 3).await;
        let other = make::in_use(app.owner(), "other", 1).await;
        app.go_to("2026-11-11T09:00:00+09:00");
        ledger::update(app.owner(), &desk, json!([{ "code": "TICKET", "userCount": 5 }])).await;
        app.go_to("2026-11-21T09:00:00+09:00");
        let less = json!([{ "code": "TICKET", "userCount": 2 }, { "code": "KNOWLEDGE", "isOn": true }]);
        ledger::update(app.owner(), &desk, less).await;
        used(app.owner(), &desk, "TICKETS", "a", 3_010, "2026-11-21T00:00:00Z").await;

        app.go_to("2026-12-01T00:10:00+09:00");
        app.run_due().await;

        // Two seats for the month, one for 20 days, two for 10 days; knowledge for 10 days; ten tickets above 3,000.
        let bill = charge(app.owner(), &desk, "2026-11").await;
        let licence = 2 * 10_000 + 20 * 333 + 2 * 10 * 333;
        let expected = [
            format!("LICENCE TICKET {licence}"),
            "LICENCE KNOWLEDGE 16670".to_owned(),
            "USAGE TICKET 500".to_owned(),
            "VAT 5049".to_owned(),
        ];
        assert_eq!(lines(&bill), expected);
        let ticket = &bill["lines"][0];
        assert_eq!((&ticket["seatCount"], &ticket["dayCount"]), (&json!(5), &json!(30)));
        let usage = &bill["lines"][2];
        let counts = ["usedCount", "freeCount", "chargedCount"].map(|name| usage[name].as_i64().unwrap());
        assert_eq!(counts, [3_010, 3_000, 10]);
        balanced(&bill);
        let (all, count, sum) = charges(app.owner(), "2026-11", "2026-11").await;
        assert_eq!((all.len(), count), (2, 2));
        assert_eq!(sum, total(&bill) + total(&charge(app.owner(), &other, "2026-11").await));
    }

    async fn b6_discount_and_free_trial_are_lines(app) {
        app.go_to("2026-11-01T09:00:00+09:00");
        let desk = make::in_use(app.owner(), "desk", 3).await;
        let day = |text: &str| orgdesk::kernel::Day(text.parse().unwrap());
        let free = Some((day("2026-11-01"), day("2026-11-10")));
        orgdesk::operate::discount(&app.app, "acme", "desk", Some(30), free).await.unwrap();
        app.go_to("2026-11-15T12:00:00+09:00");
        used(app.owner(), &desk, "TICKETS", "free", 3_100, "2026-11-05T00:00:00Z").await;
        used(app.owner(), &desk, "TICKETS", "paid", 3_010, "2026-11-14T00:00:00Z").await;

        let estimate = charge(app.owner(), &desk, "2026-11").await;
        app.go_to("2026-12-01T00:10:00+09:00");
        app.run_due().await;
        let bill = charge(app.owner(), &desk, "2026-11").await;

        // Without the free days: three seats for 20 days and ten tickets above 3,000.
        let net = 3 * 20 * 333 + 10 * 50;
        let gross = 30_000 + 3_110 * 50;
        let expected = [
            "LICENCE TICKET 30000".to_owned(),
            "USAGE TICKET 155500".to_owned(),
            format!("FREE_TRIAL {}", net - gross),
            "DISCOUNT -6144".to_owned(),
            "VAT 1433".to_owned(),
        ];
        assert_eq!(lines(&bill), expected);
        assert_eq!(["subtotal", "discount", "supply"].map(|name| won(&bill[name])), [20_480, 6_144, 14_336]);
        assert_eq!(sums(&bill), sums(&estimate));
        balanced(&bill);
    }

    async fn s7_a_suspended_month_costs_the_same(app) {
        app.go_to("2026-11-01T09:00:00+09:00");
        let (desk, twin) = (make::in_use(app.owner(), "desk", 3).await, make::in_use(app.owner(), "twin", 3).await);
        let before = charge(app.owner(), &desk, "2026-11").await;
        let input = json!({ "expectedVersion": make::versions(app.owner(), &desk).await.0, "acknowledgeCharges": true });
        let field = format!("serviceSuspend(id: $id, input: $input) => charge {{ {} }}", ledger::SUMS);

        let told = app.owner().deed(&field, json!({ "id": desk.id, "input": input })).await;
        app.go_to("2027-01-01T00:10:00+09:00");
        app.run_due().await;

        assert_eq!(sums(&told["charge"]), sums(&before));
        for month in ["2026-11", "2026-12"] {
            let (suspended, other) =
                (charge(app.owner(), &desk, month).await, charge(app.owner(), &twin, month).await);
            assert_eq!(suspended["status"], "CLOSED");
            assert_eq!(sums(&suspended), sums(&other), "{month}");
            assert_eq!(total(&suspended), 33_000, "{month}");
        }
    }

    async fn s8_the_preview_of_the_last_month_is_its_bill(app) {
        app.go_to("2026-11-01T09:00:00+09:00");
        let desk = make::in_use(app.owner(), "desk", 3).await;
        app.go_to("2026-11-17T09:00:00+09:00");
        used(app.owner(), &desk, "TICKETS", "a", 3_100, "2026-11-16T00:00:00Z").await;
        make::suspend(app.owner(), &desk).await;
        let query = format!(
            "query Q($id: ID!) {{ service(by: {{ id: $id }}) {{ status terminationPreview {{ {} }} }} }}",
            ledger::SUMS
        );
        let asked = async || app.owner().data(&query, json!({ "id": desk.id })).await["service"].clone();

        let preview = asked().await["terminationPreview"].clone();
        let input = json!({ "expectedVersion": make::versions(app.owner(), &desk).await.0 });
        let field = format!("serviceTerminate(id: $id, input: $input) => charge {{ {} }}", ledger::SUMS);
        let told = app.owner().deed(&field, json!({ "id": desk.id, "input": input })).await;
        app.go_to("2026-11-20T09:00:00+09:00");
        let estimate = charge(app.owner(), &desk, "2026-11").await;
        app.go_to("2027-01-01T00:10:00+09:00");
        app.run_due().await;

        let bill = charge(app.owner(), &desk, "2026-11").await;
        let licence = 3 * 17 * 333;
        let expected = [format!("LICENCE TICKET {licence}"), "USAGE TICKET 5000".into(), "VAT 2198".into()];
        assert_eq!(lines(&bill), expected, "the day of termination is charged, the day after is not");
        assert_eq!(bill["status"], "CLOSED");
        for earlier in [&preview, &told["charge"], &estimate] {
            assert_eq!(sums(earlier), sums(&bill));
        }
        assert_eq!(charge(app.owner(), &desk, "2026-12").await, Value::Null);
        let service = asked().await;
        assert_eq!((&service["status"], &service["terminationPreview"]), (&json!("TERMINATED"), &Value::Null));
    }
}
