//! What can be done with a thing, and why not: the reasons are those with which the mutations refuse.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::Who,
        grants, make,
        partner::{UPDATE, key},
        people, staff,
    },
};

/// The actions of a thing as `NAME` or `NAME: REASON`.
async fn actions(who: Who<'_>, kind: &str, id: &str) -> Vec<String> {
    let query = format!(
        "query Q($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ actions {{ name isAllowed reasonCode availableAt }} }} }} }}"
    );
    let data = who.data(&query, json!({ "id": id })).await;
    let told = data["node"]["actions"]
        .as_array()
        .unwrap_or_else(|| panic!("{kind}: {data}"));
    let one = |action: &Value| {
        let name = action["name"].as_str().unwrap();
        assert_eq!(action["isAllowed"], action["reasonCode"].is_null(), "{action}");
        match action["reasonCode"].as_str() {
            Some(reason) => format!("{name}: {reason}"),
            None => name.to_owned(),
        }
    };
    told.iter().map(one).collect()
}

both! {
    async fn s9_a_key_says_what_can_be_done_with_it(app) {
        let owner = app.owner();
        let first = key(owner, &["SERVICE_READ"]).await;
        let alone = actions(owner, "OrganizationKey", &first.id).await;
        let second = key(owner, &["SERVICE_READ"]).await;
        let together = actions(owner, "OrganizationKey", &first.id).await;
        let revoke = json!({ "id": second.id, "input": { "expectedVersion": 1 } });
        owner.deed("organizationKeyRevoke(id: $id, input: $input)", revoke).await;
        let dead = actions(owner, "OrganizationKey", &second.id).await;

        assert_eq!(alone, ["ORGANIZATION_KEY_UPDATE", "ORGANIZATION_KEY_ROTATE", "ORGANIZATION_KEY_REVOKE: LAST_KEY"]);
        assert_eq!(together, ["ORGANIZATION_KEY_UPDATE", "ORGANIZATION_KEY_ROTATE", "ORGANIZATION_KEY_REVOKE"]);
        assert_eq!(dead, ["ORGANIZATION_KEY_UPDATE: KEY_NOT_LIVE", "ORGANIZATION_KEY_ROTATE: KEY_NOT_LIVE", "ORGANIZATION_KEY_REVOKE: KEY_NOT_LIVE"]);
        assert_eq!(owner.problems(UPDATE, json!({ "id": second.id, "input": { "expectedVersion": 2 } })).await, ["KEY_NOT_LIVE at id"]);
    }

    async fn s9_a_contract_says_what_can_be_done_with_it(app) {
        let owner = app.owner();
        let draft = make::draft(owner, "draft").await;
        let signed = make::in_use(owner, "signed", 1).await;

        assert_eq!(actions(owner, "Contract", &draft.contract).await, ["CONTRACT_DRAFT", "CONTRACT_SIGN", "CONTRACT_UPDATE: CONTRACT_NOT_COMPLETED"]);
        assert_eq!(actions(owner, "Contract", &signed.contract).await, ["CONTRACT_DRAFT: CONTRACT_ALREADY_SIGNED", "CONTRACT_SIGN: CONTRACT_ALREADY_SIGNED", "CONTRACT_UPDATE"]);
        make::suspend(owner, &signed).await;
        make::terminate(owner, &signed).await;
        assert_eq!(actions(owner, "Contract", &signed.contract).await, ["CONTRACT_DRAFT: CONTRACT_ENDED", "CONTRACT_SIGN: CONTRACT_ENDED", "CONTRACT_UPDATE: CONTRACT_ENDED"]);
    }

    async fn s9_a_grant_says_what_can_be_done_with_it(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 1).await;
        staff::add(owner, &desk, &people::member(owner, "admin").await, json!({})).await;
        let grant = grants::give(owner, "admin", json!({ "isForAllServices": true })).await;
        let id = grant["id"].as_str().unwrap();

        assert_eq!(actions(owner, "PiiGrant", id).await, ["PII_GRANT_UPDATE", "PII_GRANT_REVOKE"]);
        assert_eq!(actions(app.administrator(), "PiiGrant", id).await[0], "PII_GRANT_UPDATE: NOT_ONESELF");
        owner.deed("piiGrantRevoke(id: $id, input: $input)", people::on(&grant, json!({}))).await;
        assert_eq!(actions(owner, "PiiGrant", id).await, ["PII_GRANT_UPDATE: PII_GRANT_ENDED", "PII_GRANT_REVOKE: PII_GRANT_ENDED"]);
    }

    async fn s9_a_webhook_and_its_messages_say_what_can_be_done_with_them(app) {
        let owner = app.owner();
        let create = r#"webhookCreate(input: { name: "w", url: "https://hooks.example.com/", events: [SERVICE_CREATE] }) => webhook { id }"#;
        let made = owner.deed(create, json!({})).await;
        let id = made["webhook"]["id"].as_str().unwrap();
        let test = owner.data("{ webhookDeliveries { nodes { id } } }", json!({})).await;
        let message = test["webhookDeliveries"]["nodes"][0]["id"].as_str().unwrap();

        assert_eq!(actions(owner, "Webhook", id).await, ["WEBHOOK_UPDATE", "WEBHOOK_ROTATE", "WEBHOOK_TEST", "WEBHOOK_REMOVE"]);
        assert_eq!(actions(owner, "WebhookDelivery", message).await, ["WEBHOOK_REPLAY: DELIVERY_PENDING"]);
        owner.deed("webhookRemove(id: $id, input: $input)", json!({ "id": id, "input": { "expectedVersion": 1 } })).await;
        assert_eq!(actions(owner, "Webhook", id).await[0], "WEBHOOK_UPDATE: NOT_FOUND");
        assert_eq!(actions(owner, "WebhookDelivery", message).await, ["WEBHOOK_REPLAY: NOT_FOUND"]);
    }

    async fn s9_company_information_and_its_footer_say_what_can_be_done_with_them(app) {
        let owner = app.owner();
        let desk = make::in_use(owner, "desk", 1).await;
        let issue = staff::issue(owner, "issue").await;
        let made = owner.deed(&make::company("c"), json!({})).await;
        let id = made["company"]["id"].as_str().unwrap();
        let footer = "query Q($id: ID!) { companyFooter(serviceId: $id) { actions { name reasonCode } } }";
        let publish = json!({ "id": desk.id, "input": { "expectedVersion": 0, "companyId": id, "isOnPc": true, "isOnMobile": false } });
        const PUBLISH: &str = "companyPublish(id: $id, input: $input) => footer { version }";

        assert_eq!(actions(owner, "Company", id).await, ["COMPANY_UPDATE", "COMPANY_REMOVE"]);
        owner.deed(PUBLISH, publish).await;
        assert_eq!(actions(owner, "Company", id).await, ["COMPANY_UPDATE", "COMPANY_REMOVE: COMPANY_IN_USE"]);
        let shown = owner.data(footer, json!({ "id": desk.id })).await;
        assert_eq!(shown["companyFooter"]["actions"], json!([{ "name": "COMPANY_PUBLISH", "reasonCode": null }]));
        make::suspend(owner, &desk).await;
        make::terminate(owner, &desk).await;
        let shown = owner.data(footer, json!({ "id": desk.id })).await;
        assert_eq!(shown["companyFooter"]["actions"], json!([{ "name": "COMPANY_PUBLISH", "reasonCode": "SERVICE_TERMINATED" }]));
        assert_eq!(actions(owner, "Company", id).await[1], "COMPANY_REMOVE", "a service that is over shows nothing");
        let refused = json!({ "id": issue.id, "input": { "expectedVersion": 0, "companyId": id, "isOnPc": true, "isOnMobile": false } });
        assert_eq!(owner.problems(PUBLISH, refused).await, ["NOT_AVAILABLE_FOR_KIND at id"]);
        owner.deed("companyRemove(id: $id, input: $input) => company { version }", json!({ "id": id, "input": { "expectedVersion": 1 } })).await;
        assert_eq!(actions(owner, "Company", id).await, ["COMPANY_UPDATE: NOT_FOUND", "COMPANY_REMOVE: NOT_FOUND"]);
    }

    async fn s9_the_fields_of_a_service_say_who_may_add_and_order_them(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let query = "query Q($id: ID!) { fieldComposition(serviceId: $id) { actions { name reasonCode } } }";
        let ask = async |who: Who<'_>| {
            let data = who.data(query, json!({ "id": desk.id })).await;
            let actions = data["fieldComposition"]["actions"].as_array().unwrap().clone();
            actions.iter().map(|action| format!("{} {}", action["name"].as_str().unwrap(), action["reasonCode"].as_str().unwrap_or("-"))).collect::<Vec<_>>()
        };

        assert_eq!(ask(app.owner()).await, ["FIELD_ADD -", "FIELD_REORDER -"]);
        assert_eq!(ask(app.administrator()).await, ["FIELD_ADD FORBIDDEN", "FIELD_REORDER FORBIDDEN"]);
        people::employ(&app, "desk", "member", true).await;
        assert_eq!(ask(app.member()).await, ["FIELD_ADD -", "FIELD_REORDER -"]);
        make::suspend(app.owner(), &desk).await;
        make::terminate(app.owner(), &desk).await;
        assert_eq!(ask(app.owner()).await, ["FIELD_ADD SERVICE_TERMINATED", "FIELD_REORDER SERVICE_TERMINATED"]);
    }
}
