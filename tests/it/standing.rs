//! A right is what it is at the moment of the deed: whoever loses it while his request waits, or by its own first
//! field, does nothing more.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::json;

use crate::{
    both,
    support::{
        app::TestApp,
        people::{self, EXPEL, REMOVE, member, on},
        raw::Raw,
    },
};

const MAKE_KEY: &str = "mutation M($input: OrganizationKeyCreateInput!) { organizationKeyCreate(input: $input) { key { id } userErrors { code } } }";
const INVITE: &str =
    "mutation M($input: MemberInviteInput!) { memberInvite(input: $input) { invitation { id } userErrors { code } } }";

/// What was done of these two, in the order of their log.
async fn done(app: &TestApp, actions: [&str; 2]) -> Vec<String> {
    let [first, second] = actions;
    let sql = format!(
        "SELECT log || ' ' || action FROM audit_entry WHERE action IN ('{first}', '{second}') AND outcome = 'DONE' ORDER BY sequence"
    );
    let rows = Raw::admin(app).await.texts(&sql).await;
    let logs: BTreeSet<_> = rows.iter().filter_map(|row| row.split(' ').next()).collect();
    assert_eq!(logs.len(), 1, "one log, one order: {rows:?}");
    rows
}

both! {
    async fn a9_a_field_can_take_the_right_from_the_next_one(app) {
        let heir = member(app.owner(), "admin").await;
        let version = app.owner().data("{ organization { id version } }", json!({})).await["organization"].clone();
        let query = "mutation M($id: ID!, $transfer: OwnershipTransferInput!, $own: ID!, $update: OrganizationUpdateInput!) {
            a: ownershipTransfer(id: $id, input: $transfer) { userErrors { code } }
            b: organizationUpdate(id: $own, input: $update) { userErrors { code } } }";
        let given = app.owner().ask(query, json!({ "id": heir["id"], "transfer": { "expectedVersion": heir["version"] },
            "own": version["id"], "update": { "expectedVersion": version["version"], "domain": "stolen" } })).await;
        let own = member(app.administrator(), "member").await;
        let query = "mutation M($leave: MemberLeaveInput!, $update: ViewerUpdateInput!) {
            a: memberLeave(input: $leave) { userErrors { code } } b: viewerUpdate(input: $update) { userErrors { code } } }";
        let left = app.member().ask(query, json!({ "leave": { "expectedVersion": own["version"] }, "update": { "expectedVersion": own["version"], "name": "x" } })).await;
        let query = "mutation M($input: MemberInviteInput!) {
            a: sessionEnd { userErrors { code } } b: memberInvite(input: $input) { userErrors { code } } }";
        let input = json!({ "login": "late", "name": "Late", "email": "late@example.com", "language": "KOREAN" });
        let ended = app.administrator().ask(query, json!({ "input": input })).await;

        assert_eq!(given.json["data"]["a"]["userErrors"], json!([]), "{}", given.text);
        assert_eq!(given.json["data"]["b"]["userErrors"], json!([{ "code": "OWNER_REQUIRED" }]), "{}", given.text);
        for answer in [&left, &ended] {
            let error = &answer.json["errors"][0];
            assert_eq!((answer.code(), &error["path"]), ("UNAUTHENTICATED", &json!(["b"])), "{}", answer.text);
        }
        assert_eq!(member(app.owner(), "member").await["status"], "LEFT", "what came first was done");
    }

    // case: A9
    async fn a9_whoever_is_removed_while_his_requests_wait_does_nothing_more(app) {
        let app = Arc::new(app);
        people::join(&app, "lee", true).await;
        let token = app.someone("acme", "lee").token().await;
        let lee = member(app.owner(), "lee").await;
        let asking = (0..30).map(|number| {
            let (app, token) = (app.clone(), token.clone());
            let input = json!({ "input": { "name": format!("k{number}"), "scopes": ["SERVICE_READ"] } });
            tokio::spawn(async move { app.ask(Some(&token), MAKE_KEY, input).await })
        });
        let asking: Vec<_> = asking.collect();
        app.owner().deed(REMOVE, on(&lee, json!({}))).await;
        for one in asking {
            one.await.unwrap();
        }

        let log = done(&app, ["ORGANIZATION_KEY_CREATE", "ADMIN_REMOVE"]).await;
        assert!(log.last().unwrap().ends_with("ADMIN_REMOVE"), "{log:?}");
    }

    // case: A9
    async fn a9_nobody_invites_after_he_was_expelled(app) {
        let app = Arc::new(app);
        people::join(&app, "lee", true).await;
        let token = app.someone("acme", "lee").token().await;
        let lee = member(app.owner(), "lee").await;
        let asking = (0..30).map(|number| {
            let (app, token) = (app.clone(), token.clone());
            let input = json!({ "login": format!("n{number}"), "name": "N", "email": format!("n{number}@example.com"), "language": "KOREAN" });
            tokio::spawn(async move { app.ask(Some(&token), INVITE, json!({ "input": input })).await })
        });
        let asking: Vec<_> = asking.collect();
        app.owner().deed(EXPEL, on(&lee, json!({}))).await;
        for one in asking {
            one.await.unwrap();
        }

        let log = done(&app, ["MEMBER_INVITE", "MEMBER_REMOVE"]).await;
        assert!(log.last().unwrap().ends_with("MEMBER_REMOVE"), "{log:?}");
    }
}
