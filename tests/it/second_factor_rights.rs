//! Who can demand a second factor of whom, what those can do who lack one, and who can take one away.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        account::{access, is_in, sign_in},
        app::{PASSWORD, TestApp, Who, codes},
        authenticator,
        raw::Raw,
    },
};

async fn demand(who: Who<'_>, demand: bool) -> Vec<String> {
    let data = who.data("{ organization { id version } }", json!({})).await;
    let input = json!({ "expectedVersion": data["organization"]["version"], "requiresSecondFactor": demand });
    let variables = json!({ "id": data["organization"]["id"], "input": input });
    who.problems("organizationUpdate(id: $id, input: $input)", variables)
        .await
}

async fn myself(who: Who<'_>) -> Value {
    who.data("{ viewer { member { id version } } }", json!({})).await["viewer"]["member"].clone()
}

async fn take_from(app: &TestApp, who: Who<'_>, whose: &str) -> Vec<String> {
    let member = myself(app.someone("acme", whose)).await;
    let variables = json!({ "id": member["id"], "input": { "expectedVersion": member["version"] } });
    who.problems("secondFactorReset(id: $id, input: $input)", variables)
        .await
}

both! {
    async fn a10_an_owner_demands_only_what_he_has_himself(app) {
        let without = demand(app.owner(), true).await;
        let administrator = demand(app.administrator(), true).await;
        authenticator::activated(&app, app.owner()).await;
        let token = app.owner().token().await;
        let with = demand(app.owner(), true).await;
        let data = app.owner().data("{ organization { id version requiresSecondFactor } }", json!({})).await;

        app.wait(Duration::minutes(6));
        let off = format!(
            "mutation {{ organizationUpdate(id: {}, input: {{ expectedVersion: {}, requiresSecondFactor: false }}) {{ userErrors {{ code }} }} }}",
            data["organization"]["id"], data["organization"]["version"],
        );
        let stale = app.ask(Some(&token), &off, json!({})).await;

        assert_eq!(without, ["SECOND_FACTOR_ABSENT at input.requiresSecondFactor"]);
        assert_eq!(administrator, ["OWNER_REQUIRED at input.requiresSecondFactor"]);
        assert_eq!(with, Vec::<String>::new());
        assert_eq!(data["organization"]["requiresSecondFactor"], true);
        assert_eq!(stale.code(), "CONFIRMATION_REQUIRED", "{}", stale.text);
    }

    async fn a10_whoever_lacks_a_demanded_factor_can_enroll_one_and_nothing_else(app) {
        authenticator::activated(&app, app.owner()).await;
        let token = access(&sign_in(&app, "admin", PASSWORD, None).await);
        let organization = "{ organization { name } }";
        let before = app.ask(Some(&token), organization, json!({})).await;
        demand(app.owner(), true).await;

        let after = app.ask(Some(&token), organization, json!({})).await;
        let create = app.ask(Some(&token), "mutation { serviceCreate(input: { kind: ISSUE, code: \"a1\", name: \"x\" }) { service { id } } }", json!({})).await;
        let viewer = app.ask(Some(&token), "{ viewer { permissions member { login } secondFactor { isDemanded } } }", json!({})).await;
        let again = access(&sign_in(&app, "admin", PASSWORD, None).await);
        let is_again = is_in(&app, &again).await;
        let confirmed = json!({ "input": { "password": PASSWORD } });
        app.administrator().deed("sessionConfirm(input: $input)", confirmed).await;
        let authenticator = authenticator::activated(&app, app.administrator()).await;
        let free = app.administrator().ask(organization, json!({})).await;
        app.wait(Duration::seconds(30));
        let remove = json!({ "input": { "code": authenticator.code(&app) } });
        let remove = app.administrator().problems("secondFactorRemove(input: $input)", remove).await;

        assert_eq!(before.code(), "none");
        assert_eq!((after.status, after.code()), (200, "SECOND_FACTOR_REQUIRED"), "{}", after.text);
        assert!(after.json["errors"][0]["message"].as_str().unwrap().starts_with("A second factor is needed"), "{}", after.text);
        assert_eq!(create.code(), "SECOND_FACTOR_REQUIRED", "{}", create.text);
        assert_eq!(viewer.json["data"]["viewer"]["member"]["login"], "admin");
        assert_eq!(viewer.json["data"]["viewer"]["secondFactor"]["isDemanded"], true);
        let permissions = viewer.json["data"]["viewer"]["permissions"].as_array().unwrap();
        assert!(permissions.contains(&json!("SECOND_FACTOR_ENROLL")) && !permissions.contains(&json!("ORGANIZATION_READ")), "{permissions:?}");
        assert!(is_again);
        assert_eq!(free.code(), "none", "{}", free.text);
        assert_eq!(remove, ["SECOND_FACTOR_DEMANDED at -"]);
        let log = "{ auditEntries(filter: { action: [SERVICE_CREATE] }) { nodes { outcome reasonCode } } }";
        let log = app.owner().data(log, json!({})).await;
        assert_eq!(log["auditEntries"]["nodes"], json!([{ "outcome": "DENIED", "reasonCode": "SECOND_FACTOR_REQUIRED" }]));
    }

    async fn a10_a_demand_changes_nothing_in_another_organization(app) {
        authenticator::activated(&app, app.owner()).await;
        demand(app.owner(), true).await;

        let rival = app.rival().ask("{ organization { requiresSecondFactor } }", json!({})).await;

        assert_eq!(rival.json["data"]["organization"]["requiresSecondFactor"], false, "{}", rival.text);
    }

    // case: D10
    // case: D20
    async fn a10_a_lost_factor_is_taken_away_and_its_member_told(app) {
        authenticator::activated(&app, app.member()).await;
        let inside = app.member().token().await;
        app.run_due().await;

        let done = take_from(&app, app.administrator(), "member").await;
        let out = is_in(&app, &inside).await;
        app.run_due().await;
        let again = take_from(&app, app.owner(), "member").await;
        let alone = sign_in(&app, "member", PASSWORD, None).await;

        assert_eq!(done, Vec::<String>::new());
        assert!(!out);
        assert_eq!(again, ["SECOND_FACTOR_ABSENT at id"]);
        access(&alone);
        let letters = app.letters();
        assert!(letters.len() == 2 && letters[1].text.contains("2단계 인증이 해제되었습니다"), "{letters:?}");
        assert!(!letters[1].text.contains("127.0.0.1"), "the administrator's address is his own business");
        assert_eq!(letters[1].to.email, "member@example.com");
        let log = "{ auditEntries(first: 1, filter: { action: [SECOND_FACTOR_RESET] }) { nodes { log outcome target { label } } } }";
        let log = app.owner().data(log, json!({})).await["auditEntries"]["nodes"][0].clone();
        assert_eq!(log, json!({ "log": "PERMISSION", "outcome": "DONE", "target": { "label": "구성원" } }));
    }

    async fn a10_nobody_takes_a_factor_from_whom_he_may_not(app) {
        authenticator::activated(&app, app.owner()).await;
        authenticator::activated(&app, app.administrator()).await;
        Raw::admin(&app).await.must("UPDATE member SET status = 'LEFT' WHERE login = 'member' AND organization_id = (SELECT id FROM organization WHERE domain = 'rival')").await;
        let theirs = myself(app.rival()).await;
        let left = app.rival().data("{ organization { members(first: 9) { nodes { id login version } } } }", json!({})).await;
        let left = left["organization"]["members"]["nodes"].as_array().unwrap().iter().find(|node| node["login"] == "member").unwrap().clone();

        let own = take_from(&app, app.owner(), "owner").await;
        let own_administrator = take_from(&app, app.administrator(), "admin").await;
        let above = take_from(&app, app.administrator(), "owner").await;
        let below = take_from(&app, app.owner(), "admin").await;
        let absent = app.owner().problems("secondFactorReset(id: $id, input: $input)", json!({ "id": theirs["id"], "input": { "expectedVersion": 1 } })).await;
        let member = myself(app.member()).await;
        let stale = app.owner().problems("secondFactorReset(id: $id, input: $input)", json!({ "id": member["id"], "input": { "expectedVersion": 7 } })).await;
        let gone = app.rival().problems("secondFactorReset(id: $id, input: $input)", json!({ "id": left["id"], "input": { "expectedVersion": left["version"] } })).await;
        let query = "mutation M($id: ID!) { secondFactorReset(id: $id, input: { expectedVersion: 1 }) { userErrors { code } } }";
        let forbidden = app.member().ask(query, json!({ "id": member["id"] })).await;

        assert_eq!(own, ["NOT_ONESELF at id"]);
        assert_eq!(own_administrator, ["NOT_ONESELF at id"]);
        assert_eq!(above, ["ABOVE_OWN_RANK at id"]);
        assert_eq!(below, Vec::<String>::new());
        assert_eq!(absent, ["NOT_FOUND at id"]);
        assert_eq!(stale, ["STALE_VERSION at input.expectedVersion"]);
        assert_eq!(gone, ["MEMBER_LEFT at id"]);
        assert_eq!(forbidden.code(), "FORBIDDEN");
    }

    async fn a10_a_token_of_the_command_line_needs_no_code(app) {
        authenticator::activated(&app, app.member()).await;

        let token = app.member().token().await;

        assert!(is_in(&app, &token).await);
        assert_eq!(codes(&sign_in(&app, "member", PASSWORD, None).await), ["SECOND_FACTOR_REQUIRED at input.code"]);
    }
}
