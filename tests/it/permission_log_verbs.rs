//! 권한 변경 로그: each mutation that gives or takes a right, as a client sends it, and what then stands in the log.

use std::collections::BTreeSet;

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    permission_log::{log, told},
    support::{
        app::TestApp,
        invite,
        people::{self, ADD, EXPEL, LEAVE, REMOVE, TRANSFER, member, of, on, own},
        staff,
    },
};

/// From now on.
fn from_now(app: &TestApp) -> String {
    app.wait(Duration::seconds(1));
    format!("occurredAt: {{ from: \"{}\" }}", app.app.clock.now().to_text())
}

/// What stands there since then, in short, and by which mutation each came.
async fn since(app: &TestApp, filter: &str) -> Vec<String> {
    let rows = log(app, filter).await;
    let deeds = rows.iter().rev().map(|row| row["action"].as_str().unwrap().to_owned());
    deeds
        .zip(told(&rows))
        .map(|(deed, line)| format!("{deed}: {line}"))
        .collect()
}

both! {
    async fn l1_the_verbs_of_administrators_and_ownership_leave_their_rows(app) {
        let owner = app.owner();
        let start = from_now(&app);

        owner.deed(ADD, of(&member(owner, "member").await)).await;
        app.wait(Duration::seconds(1));
        owner.deed(REMOVE, on(&member(owner, "member").await, json!({}))).await;
        app.wait(Duration::seconds(1));
        owner.deed(TRANSFER, on(&member(owner, "admin").await, json!({}))).await;
        let rows = since(&app, &start).await;

        assert_eq!(rows[..2], [
            "ADMIN_ADD: ORG_ADMIN_ADDED member - [] > [ORGANIZATION_ADMIN]",
            "ADMIN_REMOVE: ORG_ADMIN_REMOVED member - [ORGANIZATION_ADMIN] > []",
        ]);
        let moved: BTreeSet<_> = rows[2..].iter().map(String::as_str).collect();
        assert_eq!(moved, BTreeSet::from([
            "OWNERSHIP_TRANSFER: OWNERSHIP_TRANSFERRED owner - [OWNER] > []",
            "OWNERSHIP_TRANSFER: OWNERSHIP_TRANSFERRED admin - [] > [OWNER]",
            "OWNERSHIP_TRANSFER: ORG_ADMIN_REMOVED admin - [ORGANIZATION_ADMIN] > []",
            "OWNERSHIP_TRANSFER: ORG_ADMIN_ADDED owner - [] > [ORGANIZATION_ADMIN]",
        ]));
    }

    async fn l1_the_verbs_of_agents_leave_their_rows_one_by_one_and_many_at_once(app) {
        let owner = app.owner();
        let desk = staff::full(owner, "desk").await;
        people::join(&app, "second", false).await;
        let (first, second) = (member(owner, "member").await, member(owner, "second").await);
        let start = from_now(&app);

        let one = staff::add(owner, &desk, &first, json!({ "channels": ["TICKET", "PHONE"] })).await;
        app.wait(Duration::seconds(1));
        let two = staff::add(owner, &desk, &second, json!({ "role": "MANAGER", "viewsAccessLogs": false })).await;
        app.wait(Duration::seconds(1));
        let one = staff::update(owner, &one, json!({ "channels": ["TICKET"], "forwardsTickets": true })).await;
        app.wait(Duration::seconds(1));
        let entries = json!([staff::entry(&one, json!({ "controlsAssignment": true })), staff::entry(&two, json!({ "role": "AGENT" }))]);
        owner.deed("agentUpdateMany(input: $input)", json!({ "input": { "entries": entries } })).await;
        app.wait(Duration::seconds(1));
        let one = staff::seen(owner, &one).await;
        assert_eq!(staff::update_problems(owner, &one, json!({ "forwardsTickets": true })).await, Vec::<String>::new(), "nothing new");
        assert_eq!(staff::remove(owner, &one).await, Vec::<String>::new());
        let rows = since(&app, &start).await;

        let line = |deed: &str, rest: &str| format!("{deed}: {rest}");
        assert_eq!(rows[..4], [
            line("AGENT_ADD", "AGENT_ADDED member Desk desk [] > [AGENT HANDLES_TICKETS HANDLES_CALLS RECEIVES_TICKETS]"),
            line("AGENT_ADD", "AGENT_ADDED second Desk desk [] > [MANAGER HANDLES_TICKETS ASSIGNS_CALLBACKS RECEIVES_TICKETS]"),
            line("AGENT_UPDATE", "CHANNEL_RIGHTS_CHANGED member Desk desk [HANDLES_TICKETS HANDLES_CALLS] > [HANDLES_TICKETS]"),
            line("AGENT_UPDATE", "TICKET_FORWARD_CHANGED member Desk desk [] > [FORWARDS_TICKETS]"),
        ]);
        let many: BTreeSet<_> = rows[4..rows.len() - 1].iter().map(String::as_str).collect();
        assert_eq!(many, BTreeSet::from([
            "AGENT_UPDATE_MANY: ASSIGNMENT_CHANGED member Desk desk [RECEIVES_TICKETS] > [RECEIVES_TICKETS CONTROLS_ASSIGNMENT]",
            "AGENT_UPDATE_MANY: BASE_ROLE_CHANGED second Desk desk [MANAGER] > [AGENT]",
            "AGENT_UPDATE_MANY: CALLBACK_ASSIGN_CHANGED second Desk desk [ASSIGNS_CALLBACKS] > []",
        ]));
        assert_eq!(rows.last().unwrap(), "AGENT_REMOVE: AGENT_REMOVED member Desk desk [AGENT HANDLES_TICKETS FORWARDS_TICKETS RECEIVES_TICKETS CONTROLS_ASSIGNMENT] > []");
    }

    async fn l1_who_accepts_gains_his_rights_and_who_goes_loses_all_of_them(app) {
        let owner = app.owner();
        let desk = staff::full(owner, "desk").await;
        let start = from_now(&app);

        let token = invite::sent(&app, "fresh").await;
        assert_eq!(invite::accepted(&app, &token).await, Ok("fresh".to_owned()));
        app.wait(Duration::seconds(1));
        let fresh = member(owner, "fresh").await;
        owner.deed(ADD, of(&fresh)).await;
        app.wait(Duration::seconds(1));
        staff::add(owner, &desk, &fresh, json!({})).await;
        let leaver = member(owner, "member").await;
        app.wait(Duration::seconds(1));
        app.member().deed(LEAVE, own(&leaver)).await;
        app.wait(Duration::seconds(1));
        owner.deed(EXPEL, on(&member(owner, "fresh").await, json!({}))).await;
        let rows = since(&app, &start).await;

        assert_eq!(rows[..4], [
            "INVITATION_ACCEPT: MEMBER_ADDED fresh - [] > [MEMBER]",
            "ADMIN_ADD: ORG_ADMIN_ADDED fresh - [] > [ORGANIZATION_ADMIN]",
            "AGENT_ADD: AGENT_ADDED fresh Desk desk [] > [AGENT HANDLES_TICKETS RECEIVES_TICKETS]",
            "MEMBER_LEAVE: MEMBER_LEFT member - [MEMBER] > []",
        ]);
        let gone: BTreeSet<_> = rows[4..].iter().map(String::as_str).collect();
        assert_eq!(gone, BTreeSet::from([
            "MEMBER_REMOVE: AGENT_REMOVED fresh Desk desk [AGENT HANDLES_TICKETS RECEIVES_TICKETS] > []",
            "MEMBER_REMOVE: ORG_ADMIN_REMOVED fresh - [ORGANIZATION_ADMIN] > []",
            "MEMBER_REMOVE: MEMBER_LEFT fresh - [MEMBER] > []",
        ]));
        let by_owner = log(&app, &format!("login: \"fresh\", kind: [ORG_ADMIN_ADDED, MEMBER_LEFT], {start}")).await;
        let parties = |row: &Value| (row["actor"]["login"].clone(), row["target"]["login"].clone());
        assert_eq!(by_owner.iter().map(parties).collect::<Vec<_>>(), vec![(json!("owner"), json!("fresh")); 2]);
    }

    async fn l1_what_is_refused_tried_out_or_repeated_leaves_none(app) {
        let owner = app.owner();
        let desk = staff::full(owner, "desk").await;
        let person = member(owner, "member").await;
        let key = json!({ "idempotencyKey": "once" });
        let start = from_now(&app);

        let mut tried = of(&person);
        tried["input"]["dryRun"] = json!(true);
        owner.deed(ADD, tried).await;
        let refused = app.member().ask("mutation M($input: AdminAddInput!) { adminAdd(input: $input) { userErrors { code } } }", of(&person)).await;
        let oneself = owner.problems(ADD, of(&member(owner, "owner").await)).await;
        assert_eq!(log(&app, &start).await, Vec::<Value>::new());
        for _ in 0..2 {
            staff::add(owner, &desk, &person, key.clone()).await;
        }

        assert_eq!((refused.code(), oneself), ("FORBIDDEN", vec!["NOT_ONESELF at input.memberId".to_owned()]));
        assert_eq!(since(&app, &start).await, ["AGENT_ADD: AGENT_ADDED member Desk desk [] > [AGENT HANDLES_TICKETS RECEIVES_TICKETS]"]);
    }
}
