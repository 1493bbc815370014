//! CTI Log: what a phone widget reports is kept once, on its day, while the log is on, and nothing of a customer's number
//! that is not needed.

use chrono::Duration;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, codes, instant},
        ledger::texts,
        make, people,
        phone::{RECORD, agent, call, monitor, monitored, outcomes, record, waiting},
        raw::Raw,
        staff,
    },
};

/// A minute before the tests begin.
const AT: &str = "2026-11-10T00:59:00Z";

const ROWS: &str = "SELECT external_id || ' ' || kind || ' ' || coalesce(state, '-') FROM cti_event ORDER BY 1";

async fn rows(app: &TestApp) -> Vec<String> {
    texts(app, ROWS).await
}

fn many(count: usize) -> Vec<Value> {
    (0..count).map(|number| waiting(&format!("e{number:03}"), AT)).collect()
}

both! {
    async fn t8_an_event_is_kept_once_however_often_it_comes(app) {
        monitored(&app).await;
        let events = [waiting("a", AT), call("b", "CALL_RANG", AT), call("c", "CALL_CONNECTED", AT), waiting("a", AT)];

        let first = record(app.member(), &events).await;
        app.wait(Duration::seconds(2));
        let second = record(app.member(), &events).await;
        let mixed = record(app.member(), &[waiting("d", AT), waiting("a", AT)]).await;

        assert_eq!(first["userErrors"], json!([]));
        assert_eq!((&first["isMonitored"], outcomes(&first).as_str()), (&json!(true), "KEPT KEPT KEPT KEPT"));
        assert_eq!(first["results"][1], json!({ "externalId": "b", "outcome": "KEPT" }));
        assert_eq!(first, second, "a repeated batch answers the same");
        assert_eq!(outcomes(&mixed), "KEPT KEPT");
        assert_eq!(rows(&app).await, ["a STATE_CHANGED WAITING", "b CALL_RANG -", "c CALL_CONNECTED -", "d STATE_CHANGED WAITING"]);
    }

    async fn t8_an_id_that_comes_with_something_else_is_a_conflict_of_that_event_alone(app) {
        monitored(&app).await;
        record(app.member(), &[waiting("a", AT), call("b", "CALL_RANG", AT)]).await;

        let later = record(app.member(), &[waiting("new", AT), waiting("a", "2026-11-10T00:59:01Z"), call("b", "CALL_ENDED", AT)]).await;
        let mut other = call("n", "CALL_RANG", AT);
        let first = record(app.member(), &[other.clone()]).await;
        other["customerNumber"] = json!("010-9999-0000");
        let number = record(app.member(), &[other]).await;
        let within = record(app.member(), &[waiting("w", AT), waiting("w", "2026-11-10T00:58:00Z"), waiting("w", AT)]).await;
        monitor(&app, false).await;
        let off = record(app.member(), &[waiting("a", "2026-11-10T00:59:01Z")]).await;

        assert_eq!(outcomes(&later), "KEPT REFUSED REFUSED");
        assert_eq!(codes(&later), ["EVENT_CONFLICT at input.events.1.externalId", "EVENT_CONFLICT at input.events.2.externalId"]);
        assert_eq!((outcomes(&first).as_str(), outcomes(&number).as_str()), ("KEPT", "REFUSED"));
        assert_eq!((outcomes(&within).as_str(), codes(&within)), ("KEPT REFUSED KEPT", vec!["EVENT_CONFLICT at input.events.1.externalId".to_owned()]));
        assert_eq!(outcomes(&off), "REFUSED");
        assert_eq!(rows(&app).await, ["a STATE_CHANGED WAITING", "b CALL_RANG -", "n CALL_RANG -", "new STATE_CHANGED WAITING", "w STATE_CHANGED WAITING"]);
    }

    async fn t8_what_is_wrong_with_an_event_loses_no_other(app) {
        monitored(&app).await;
        let with = |id: &str, more: Value| {
            let mut event = call(id, "CALL_RANG", AT);
            event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            event
        };
        let events = [
            with("good", json!({})),
            with("ahead", json!({ "occurredAt": "2026-11-10T01:00:01Z" })),
            with("future", json!({ "occurredAt": "2026-11-10T01:00:01.001Z" })),
            with("late", json!({ "occurredAt": "2026-11-03T01:00:00Z" })),
            with("old", json!({ "occurredAt": "2026-11-03T00:59:59.999Z" })),
            with("", json!({})),
            with(&"x".repeat(65), json!({})),
            with("한글", json!({})),
            with("no call", json!({})),
            with("nameless", json!({ "callReference": null })),
            with("state", json!({ "state": "WAITING" })),
            with("stateless", json!({ "kind": "STATE_CHANGED" })),
            with("number", json!({ "customerNumber": "=1+1" })),
            with("short", json!({ "customerNumber": "12" })),
            with("result", json!({ "resultCode": "x".repeat(41) })),
            with("withheld", json!({ "customerNumber": null, "resultCode": "486/Busy" })),
            with("mine", json!({ "callReference": "sip:01023456789@pbx" })),
            with("abroad", json!({ "customerNumber": "+82 10-2345-6789", "callReference": "out-01023456789-7" })),
            json!({ "externalId": "login", "kind": "LOGGED_IN", "occurredAt": AT }),
        ];

        let told = record(app.member(), &events).await;

        let expected = [
            "EVENT_IN_FUTURE at input.events.2.occurredAt",
            "EVENT_TOO_OLD at input.events.4.occurredAt",
            "INVALID at input.events.5.externalId",
            "INVALID at input.events.6.externalId",
            "INVALID at input.events.7.externalId",
            "INVALID at input.events.8.externalId",
            "BLANK at input.events.9.callReference",
            "INVALID at input.events.10.state",
            "BLANK at input.events.11.state",
            "INVALID at input.events.12.customerNumber",
            "INVALID at input.events.13.customerNumber",
            "INVALID at input.events.14.resultCode",
            "INVALID at input.events.16.callReference",
            "INVALID at input.events.17.callReference",
        ];
        assert_eq!(codes(&told), expected);
        let kept: Vec<_> = rows(&app).await.iter().map(|row| row.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(kept, ["ahead", "good", "late", "login", "withheld"]);
        assert_eq!(outcomes(&told).matches("KEPT").count(), 5);
    }

    async fn t8_a_request_has_one_to_five_hundred_events(app) {
        monitored(&app).await;

        let none = record(app.member(), &[]).await;
        let too_many = record(app.member(), &many(501)).await;
        let five_hundred = record(app.member(), &many(500)).await;

        assert_eq!((codes(&none), codes(&too_many)), (vec!["BLANK at input.events".to_owned()], vec!["TOO_MANY at input.events".to_owned()]));
        assert_eq!((&none["results"], &none["isMonitored"]), (&json!([]), &Value::Null));
        assert_eq!(outcomes(&five_hundred).split(' ').filter(|word| *word == "KEPT").count(), 500);
        assert_eq!(rows(&app).await.len(), 500);
    }

    async fn t8_while_the_log_is_off_nothing_is_kept_and_that_is_said(app) {
        agent(&app, "desk", "member").await;

        let never = record(app.member(), &[waiting("a", AT), waiting("b", "2027-01-01T00:00:00Z")]).await;
        monitor(&app, true).await;
        let on = record(app.member(), &[waiting("a", AT)]).await;
        monitor(&app, false).await;
        let off = record(app.member(), &[waiting("a", AT), waiting("c", AT)]).await;

        assert_eq!((&never["isMonitored"], outcomes(&never).as_str()), (&json!(false), "NOT_KEPT REFUSED"));
        assert_eq!((&on["isMonitored"], outcomes(&on).as_str()), (&json!(true), "KEPT"));
        assert_eq!((&off["isMonitored"], outcomes(&off).as_str()), (&json!(false), "KEPT NOT_KEPT"), "what was kept stays kept");
        assert_eq!(rows(&app).await, ["a STATE_CHANGED WAITING"]);
    }

    async fn t8_only_who_handles_calls_where_they_are_contracted_adds_to_the_log(app) {
        monitored(&app).await;
        let tickets = make::in_use(app.owner(), "tickets", 2).await;
        let admin = people::member(app.owner(), "admin").await;
        staff::add(app.owner(), &tickets, &admin, json!({})).await;
        let query = "mutation M($input: CtiEventsRecordInput!) { ctiEventsRecord(input: $input) { results { outcome } userErrors { code } } }";
        let input = json!({ "input": { "events": [waiting("a", AT)] } });

        let silent = record(app.administrator(), &[waiting("a", AT)]).await;
        let nobody = app.ask(None, query, input).await;
        let rival = record(app.rival(), &[waiting("a", AT)]).await;
        let good = record(app.member(), &[waiting("a", AT)]).await;

        assert_eq!(codes(&silent), ["AGENT_HAS_NO_PHONE_RIGHT at -"]);
        assert_eq!(nobody.code(), "UNAUTHENTICATED");
        assert_eq!(codes(&rival), ["AGENT_HAS_NO_PHONE_RIGHT at -"]);
        assert_eq!(outcomes(&good), "KEPT");
        assert_eq!(rows(&app).await.len(), 1);
    }

    async fn t8_two_agents_may_give_the_same_id(app) {
        monitored(&app).await;
        agent(&app, "hotline", "admin").await;

        let one = record(app.member(), &[waiting("a", AT)]).await;
        let other = record(app.administrator(), &[waiting("a", "2026-11-10T00:58:00Z")]).await;

        assert_eq!((outcomes(&one), outcomes(&other)), ("KEPT".to_owned(), "KEPT".to_owned()));
        assert_eq!(rows(&app).await.len(), 2);
    }

    async fn t8_no_customers_number_is_kept_whole(app) {
        monitored(&app).await;
        let numbers = ["010-2345-6789", "01023456789", "+82-10-2345-6789", "+821023456789", "02-234-5678", "1588-2345", "119"];
        let events: Vec<_> = numbers.iter().enumerate().map(|(place, number)| {
            let mut event = call(&format!("e{place}"), "CALL_RANG", AT);
            event["customerNumber"] = json!(number);
            event
        }).collect();

        let told = record(app.member(), &events).await;

        assert_eq!(codes(&told), Vec::<String>::new());
        let kept = texts(&app, "SELECT customer_number FROM cti_event ORDER BY external_id").await;
        assert_eq!(kept, ["010-****-6789", "010****6789", "+82-10-****-6789", "+8210****6789", "02-***-5678", "1588-****", "1**"]);
        let everything = Raw::admin(&app).await.dump().await;
        for number in numbers.iter().take(6) {
            assert!(everything.values().flatten().all(|row| !row.contains(number)), "{number} is somewhere");
        }
    }

    async fn t8_the_same_batch_twenty_times_at_once_leaves_each_event_once(app) {
        monitored(&app).await;
        let second = app.second_server().await;
        let query = format!("mutation M($input: CtiEventsRecordInput!) {{ {} userErrors {{ code }} }} }}", RECORD.replace("=>", "{"));
        let mut backwards = many(60);
        backwards.reverse();
        let token = app.member().token().await;
        let asks = (0..20).map(|number| {
            let (server, events) = (if number % 2 == 0 { &app } else { &second }, if number % 3 == 0 { &backwards } else { &many(60) });
            let input = json!({ "input": { "events": events } });
            let (query, token) = (query.clone(), token.clone());
            async move { server.ask(Some(&token), &query, input).await }
        });

        let answers = join_all(asks).await;

        for answer in answers {
            assert_eq!(answer.code(), "none", "{}", answer.text);
            let payload = &answer.json["data"]["ctiEventsRecord"];
            assert_eq!(outcomes(payload).split(' ').filter(|word| *word == "KEPT").count(), 60, "{}", answer.text);
        }
        assert_eq!(rows(&app).await.len(), 60);
        assert_eq!(texts(&app, "SELECT CAST(count(*) AS text) FROM cti_log_day").await, ["1"]);
    }

    async fn t8_a_batch_takes_the_same_few_statements_whatever_its_size(app) {
        monitored(&app).await;
        let query = format!("mutation M($input: CtiEventsRecordInput!) {{ {} userErrors {{ code }} }} }}", RECORD.replace("=>", "{"));
        let token = app.member().token().await;
        let count = async |events: Vec<Value>| {
            let before = app.app.database.statements();
            let answer = app.ask(Some(&token), &query, json!({ "input": { "events": events } })).await;
            assert_eq!(answer.code(), "none", "{}", answer.text);
            // The check of the session is two more: at the door, and inside the write.
            app.app.database.statements() - before - 2
        };
        let on = |number: i64| (instant(AT) - Duration::days(number)).to_rfc3339();
        let days: Vec<_> = (0..7).map(|number| waiting(&format!("d{number}"), &on(number))).collect();

        let first = count(many(1)).await;
        let again = count(many(1)).await;
        let more = count(many(500)).await;
        let all_there = count(many(500)).await;
        let seven_days = count(days).await;

        assert_eq!((first, again, more, all_there, seven_days), (5, 5, 5, 5, 5));
    }

    async fn t8_the_log_is_its_own_log_and_refusals_stand_in_that_of_access(app) {
        monitored(&app).await;
        let entries = "SELECT action || ' ' || outcome FROM audit_entry WHERE action LIKE 'CTI_EVENTS%'";
        let mut raw = Raw::admin(&app).await;

        record(app.member(), &many(3)).await;
        let none = raw.texts(entries).await;
        raw.must("UPDATE organization SET requires_second_factor = TRUE WHERE domain = 'acme'").await;
        let query = "mutation M($input: CtiEventsRecordInput!) { ctiEventsRecord(input: $input) { isMonitored } }";
        let refused = app.member().ask(query, json!({ "input": { "events": many(1) } })).await;

        assert_eq!(none, Vec::<String>::new());
        assert_eq!(refused.code(), "SECOND_FACTOR_REQUIRED");
        assert_eq!(raw.texts(entries).await, ["CTI_EVENTS_RECORD DENIED"]);
    }
}
