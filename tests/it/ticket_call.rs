//! 아웃바운드 티켓 자동 생성: a call that an agent begins becomes a ticket, once; with the switch off only when somebody
//! answered it.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::TestApp,
        make, people,
        phone::{agent, call, monitor, record},
        raw::Raw,
        staff, ticket,
    },
};

const AT: &str = "2026-11-10T00:59:00Z";

/// Turns the switch on or off.
async fn switch(app: &TestApp, makes_all: bool) {
    let data = app.owner().data("{ ctiSetting { version } }", json!({})).await;
    let input = json!({ "expectedVersion": data["ctiSetting"]["version"], "isOutboundTicketAutoCreated": makes_all });
    app.owner()
        .deed("ctiSettingUpdate(input: $input)", json!({ "input": input }))
        .await;
}

/// An event of a call of this name.
fn of(name: &str, kind: &str, at: &str) -> Value {
    let mut event = call(&format!("{name}-{kind}"), kind, at);
    event["callReference"] = json!(name);
    event
}

/// The calls that are tickets, in their order.
async fn called(app: &TestApp) -> Vec<String> {
    app.run_due().await;
    Raw::admin(app)
        .await
        .texts("SELECT call_reference FROM ticket WHERE call_reference IS NOT NULL ORDER BY 1")
        .await
}

both! {
    async fn t10_with_the_switch_on_each_call_that_an_agent_begins_becomes_one_ticket(app) {
        agent(&app, "desk", "member").await;
        for (is_monitored, names) in [(false, ["a", "b"]), (true, ["c", "d"])] {
            monitor(&app, is_monitored).await;
            switch(&app, true).await;
            let events = [of(names[0], "CALL_DIALED", AT), of(names[0], "CALL_MISSED", AT), of(names[1], "CALL_DIALED", AT), of(names[1], "CALL_CONNECTED", AT), of("in", "CALL_RANG", AT), of("in", "CALL_CONNECTED", AT)];
            for _ in 0..2 {
                record(app.member(), &events).await;
                app.run_due().await;
            }
            record(app.member(), &events[3..4]).await;
        }

        assert_eq!(called(&app).await, ["a", "b", "c", "d"]);
        let desk = app.owner().data("{ service(by: { code: \"desk\" }) { id } }", json!({})).await;
        let query = "query Q($id: ID!) { tickets(serviceId: $id) { nodes { channel status receivedAt callReference assignee { login } values { code text } } } }";
        let data = app.member().data(query, json!({ "id": desk["service"]["id"] })).await;
        let nodes = data["tickets"]["nodes"].as_array().unwrap();
        let a = nodes.iter().find(|node| node["callReference"] == "a").unwrap();
        assert_eq!(*a, json!({
            "channel": "PHONE", "status": "OPEN", "receivedAt": "2026-11-10T00:59:00.000Z", "callReference": "a", "assignee": { "login": "member" },
            "values": [{ "code": "subject", "text": "발신 전화 010-****-6789" }],
        }));
        let mut raw = Raw::admin(&app).await;
        assert_eq!(raw.count("usage_entry WHERE meter = 'TICKETS'").await, 4, "each is counted once");
        let made = app.owner().data("{ auditEntries(filter: { action: [TICKET_FROM_CALL] }) { totalCount nodes { actor { kind } } } }", json!({})).await;
        assert_eq!((&made["auditEntries"]["totalCount"], &made["auditEntries"]["nodes"][0]["actor"]["kind"]), (&json!(4), &json!("SYSTEM")));
        for (table, rows) in raw.dump().await {
            assert!(!rows.iter().any(|row| row.contains("2345-6789") || row.contains("23456789")), "{table} has the customer's number");
        }
    }

    async fn t10_with_the_switch_off_a_call_becomes_a_ticket_when_it_is_answered(app) {
        agent(&app, "desk", "member").await;
        monitor(&app, false).await;

        record(app.member(), &[of("a", "CALL_DIALED", AT), of("a", "CALL_MISSED", AT), of("b", "CALL_DIALED", AT)]).await;
        let none = called(&app).await;
        record(app.member(), &[of("b", "CALL_CONNECTED", AT)]).await;
        // What comes in the wrong order is one call all the same.
        record(app.member(), &[of("c", "CALL_CONNECTED", AT)]).await;
        let one = called(&app).await;
        record(app.member(), &[of("c", "CALL_DIALED", AT), of("in", "CALL_RANG", AT), of("in", "CALL_CONNECTED", AT)]).await;

        assert_eq!((none, one, called(&app).await), (vec![], vec!["b".to_owned()], vec!["b".to_owned(), "c".to_owned()]));
    }

    async fn t10_a_call_is_a_ticket_of_the_service_in_which_its_agent_telephones(app) {
        let chat = make::in_use(app.owner(), "chat", 2).await;
        let member = people::member(app.owner(), "member").await;
        staff::add(app.owner(), &chat, &member, json!({})).await;
        agent(&app, "first", "member").await;
        app.wait(chrono::Duration::seconds(1));
        agent(&app, "second", "member").await;
        monitor(&app, false).await;
        switch(&app, true).await;
        let at = "2026-11-10T01:00:00Z";

        record(app.member(), &[of("a", "CALL_DIALED", at)]).await;
        app.run_due().await;
        let first = app.owner().data("{ service(by: { code: \"first\" }) { id } }", json!({})).await;
        make::suspend(app.owner(), &make::Made { id: first["service"]["id"].as_str().unwrap().to_owned(), contract: String::new() }).await;
        record(app.member(), &[of("b", "CALL_DIALED", at)]).await;
        app.run_due().await;

        let codes = Raw::admin(&app).await.texts("SELECT t.call_reference || ' ' || s.code FROM ticket t JOIN service s ON s.id = t.service_id ORDER BY 1").await;
        assert_eq!(codes, ["a first", "b second"]);
        let found = ticket::search(app.member(), &chat, json!({})).await;
        assert_eq!(found, [0_i64; 0]);
    }

    async fn t10_what_is_known_of_calls_goes_with_the_log_of_their_day(app) {
        agent(&app, "desk", "member").await;
        monitor(&app, false).await;
        record(app.member(), &[of("a", "CALL_DIALED", AT), of("b", "CALL_DIALED", AT), of("b", "CALL_CONNECTED", AT)]).await;
        app.run_due().await;
        let mut raw = Raw::admin(&app).await;
        let before = raw.count("cti_call").await;
        assert!(raw.run("DELETE FROM cti_call").await.is_err(), "none goes before its time");

        app.go_to("2028-01-10T01:00:00Z");
        for _ in 0..3 {
            app.run_due().await;
        }

        assert_eq!((before, raw.count("cti_call").await, raw.count("ticket").await), (3, 0, 1));
    }
}
