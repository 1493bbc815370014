//! CTI 설정: which telephony, what each version needs, and that there is CTI only with the telephone in a contract.

use orgdesk::operate::{self, Approvable};
use serde_json::{Value, json};

use crate::{
    both,
    support::{app::Who, cti, make, staff},
};

const SAVE: &str = "ctiSettingUpdate(input: $input) => warnings setting { ctiVersion tenantId tenantName representativeIvrNumber isMobileContactEnabled
    isCtiLogMonitored hasBulkWaitState isOutboundTicketAutoCreated isInboundAutoAnswered version obstacles }";
const READ: &str = "{ ctiSetting { ctiVersion tenantId tenantName representativeIvrNumber isMobileContactEnabled version obstacles } }";

fn on(version: i64, more: Value) -> Value {
    let mut input = json!({ "expectedVersion": version });
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    json!({ "input": input })
}

async fn is_in_menu(who: Who<'_>) -> bool {
    let data = who.data("{ menu { name isVisible } }", json!({})).await;
    let entries = data["menu"].as_array().unwrap();
    entries.iter().find(|entry| entry["name"] == "CTI").unwrap()["isVisible"] == true
}

/// Turns the telephone of a service's contract on or off, tomorrow: contracts change once a day.
async fn telephone(app: &crate::support::app::TestApp, desk: &make::Made, is_on: bool) {
    app.wait(chrono::Duration::days(1));
    let (_, version) = make::versions(app.owner(), desk).await;
    let item = if is_on {
        json!({ "code": "TELTICKET", "isOn": true, "userCount": 2 })
    } else {
        json!({ "code": "TELTICKET", "isOn": false })
    };
    let input = json!({ "expectedVersion": version, "items": [item] });
    app.owner()
        .deed(
            "contractUpdate(id: $id, input: $input)",
            json!({ "id": desk.contract, "input": input }),
        )
        .await;
}

both! {
    async fn t1_there_is_cti_only_with_the_telephone_in_a_contract_and_what_was_set_stays(app) {
        let owner = app.owner();
        make::in_use(owner, "tickets", 2).await;
        let save = on(0, json!({ "isCtiLogMonitored": true, "tenantId": "t-1" }));

        assert_eq!(owner.data(READ, json!({})).await["ctiSetting"], Value::Null);
        assert_eq!(owner.problems(SAVE, save.clone()).await, ["CTI_NOT_CONTRACTED at -"]);
        assert_eq!(owner.data("{ ctiAgents { totalCount } ctiAgentSheet { url } }", json!({})).await, json!({ "ctiAgents": null, "ctiAgentSheet": null }));
        assert!(!is_in_menu(owner).await);

        let (desk, people) = cti::desk(&app, "desk", &["kim"]).await;
        assert!(is_in_menu(owner).await);
        let unset = owner.data(READ, json!({})).await["ctiSetting"].clone();
        assert_eq!((&unset["version"], &unset["ctiVersion"], &unset["obstacles"]), (&json!(0), &Value::Null, &json!(["VERSION_NOT_CHOSEN"])));
        owner.deed(SAVE, save).await;
        owner.deed(cti::SAVE, cti::all(vec![cti::entry(&people[0], 0, "kim", "0101")])).await;

        telephone(&app, &desk, false).await;
        assert_eq!(owner.data(READ, json!({})).await["ctiSetting"], Value::Null, "hidden");
        assert_eq!(owner.data("{ ctiAgents { totalCount } }", json!({})).await["ctiAgents"], Value::Null);
        assert_eq!(owner.problems(cti::SAVE, cti::all(vec![cti::cleared(&people[0], 1)])).await, ["CTI_NOT_CONTRACTED at -"]);
        assert_eq!(cti::holder(owner, "0101", None).await, ["kim"], "the history stays to be read");

        telephone(&app, &desk, true).await;
        let back = owner.data(READ, json!({})).await["ctiSetting"].clone();
        assert_eq!((&back["tenantId"], &back["version"]), (&json!("t-1"), &json!(1)), "and kept");
        assert_eq!(cti::lines(owner).await, ["kim kim 0101 v1"]);
    }

    async fn t2_each_version_needs_what_it_needs(app) {
        let owner = app.owner();
        staff::full(owner, "desk").await;
        cti::approve(&app).await;
        let ipcc = json!({ "ctiVersion": "IPCC_PRIVATE", "tenantId": "t-1", "tenantName": "센터", "representativeIvrNumber": "1588-1234" });
        let mobile = json!({ "ctiVersion": "MOBILE_CONTACT", "tenantId": "t-1", "tenantName": "센터", "isMobileContactEnabled": true });
        let without = |whole: &Value, field: &str| {
            let mut some = whole.clone();
            some.as_object_mut().unwrap().remove(field);
            some["dryRun"] = json!(true);
            some
        };
        let with = |whole: &Value, field: &str, value: Value| {
            let mut other = without(whole, field);
            other[field] = value;
            other
        };
        let required = |field: &str| vec![format!("CTI_FIELD_REQUIRED at input.{field}")];
        let wrong = |code: &str, field: &str| vec![format!("{code} at input.{field}")];

        for (input, expected) in [
            (with(&ipcc, "isMobileContactEnabled", json!(false)), vec![]),
            (without(&ipcc, "tenantId"), required("tenantId")),
            (without(&ipcc, "tenantName"), required("tenantName")),
            (without(&ipcc, "representativeIvrNumber"), required("representativeIvrNumber")),
            (with(&ipcc, "tenantId", json!("  ")), required("tenantId")),
            (with(&ipcc, "tenantId", json!("a b/c")), wrong("INVALID", "tenantId")),
            (with(&ipcc, "tenantId", json!("a".repeat(41))), wrong("TOO_LONG", "tenantId")),
            (with(&ipcc, "tenantName", json!("가".repeat(51))), wrong("TOO_LONG", "tenantName")),
            (with(&ipcc, "representativeIvrNumber", json!("1588")), wrong("INVALID", "representativeIvrNumber")),
            (with(&mobile, "representativeIvrNumber", json!("070-1234-5678")), vec![]),
            (with(&mobile, "representativeIvrNumber", json!("1588-1234")), wrong("INVALID", "representativeIvrNumber")),
            (without(&mobile, "tenantId"), required("tenantId")),
            (without(&mobile, "isMobileContactEnabled"), required("isMobileContactEnabled")),
            (with(&json!({}), "tenantName", json!("nothing chosen")), vec![]),
        ] {
            assert_eq!(owner.problems(SAVE, on(0, input.clone())).await, expected, "{input}");
        }
        let all = owner.problems(SAVE, on(0, json!({ "ctiVersion": "IPCC_PRIVATE" }))).await;
        assert_eq!(all, ["tenantId", "tenantName", "representativeIvrNumber"].map(|field| format!("CTI_FIELD_REQUIRED at input.{field}")), "all at once");
        let done = owner.deed(SAVE, on(0, ipcc)).await;
        assert_eq!((&done["setting"]["obstacles"], &done["setting"]["version"], &done["warnings"]), (&json!([]), &json!(1), &json!([])));
    }

    async fn t2_each_switch_stands_as_it_was_put_and_the_rest_as_it_was(app) {
        let owner = app.owner();
        staff::full(owner, "desk").await;
        let switches = ["isCtiLogMonitored", "hasBulkWaitState", "isOutboundTicketAutoCreated", "isInboundAutoAnswered"];
        let mut version = 0;

        for switch in switches {
            for is_on in [true, false, true] {
                let done = owner.deed(SAVE, on(version, json!({ switch: is_on }))).await["setting"].clone();
                version += 1;
                assert_eq!((&done[switch], &done["version"]), (&json!(is_on), &json!(version)), "{switch}");
            }
        }
        let same = owner.deed(SAVE, on(version, json!({ "hasBulkWaitState": true }))).await["setting"].clone();
        assert!(switches.iter().all(|switch| same[switch] == true), "{same}");
        assert_eq!(same["version"], version, "what changes nothing is no change");
        assert_eq!(owner.problems(SAVE, on(version - 1, json!({ "hasBulkWaitState": false }))).await, ["STALE_VERSION at input.expectedVersion"]);
        assert_eq!(owner.problems(SAVE, on(version, json!({ "isMobileContactEnabled": true }))).await, ["CTI_VERSION_NOT_APPROVED at input.isMobileContactEnabled"]);
    }

    async fn t2_a_version_takes_the_operators_word_and_what_is_withdrawn_serves_nobody(app) {
        let owner = app.owner();
        let (_, people) = cti::desk(&app, "desk", &["kim"]).await;
        owner.deed(cti::SAVE, cti::all(vec![cti::entry(&people[0], 0, "kim", "0101")])).await;
        let ipcc = json!({ "ctiVersion": "IPCC_PRIVATE", "tenantId": "t-1", "tenantName": "센터", "representativeIvrNumber": "1588-1234" });
        let refused = vec!["CTI_VERSION_NOT_APPROVED at input.ctiVersion".to_owned()];
        assert_eq!(owner.problems(SAVE, on(0, ipcc.clone())).await, refused);
        operate::approve(&app.app, "acme", Approvable::MobileContact, true).await.unwrap();
        assert_eq!(owner.problems(SAVE, on(0, ipcc.clone())).await, refused, "one is not the other");
        operate::approve(&app.app, "acme", Approvable::Ipcc, true).await.unwrap();
        owner.deed(SAVE, on(0, ipcc)).await;
        let check = "{ ctiLoginCheck { isAllowed obstacles } }";
        let kim = app.someone("acme", "kim");
        assert_eq!(kim.data(check, json!({})).await["ctiLoginCheck"], json!({ "isAllowed": true, "obstacles": [] }));

        operate::approve(&app.app, "acme", Approvable::Ipcc, false).await.unwrap();

        let setting = owner.data(READ, json!({})).await["ctiSetting"].clone();
        assert_eq!((&setting["ctiVersion"], &setting["obstacles"]), (&json!("IPCC_PRIVATE"), &json!(["VERSION_NOT_APPROVED"])), "it stays, and is of no use");
        assert_eq!(kim.data(check, json!({})).await["ctiLoginCheck"], json!({ "isAllowed": false, "obstacles": ["VERSION_NOT_APPROVED"] }));
        let other = owner.deed(SAVE, on(1, json!({ "hasBulkWaitState": true, "ctiVersion": "IPCC_PRIVATE" }))).await;
        assert_eq!(other["setting"]["version"], 2, "the rest can be put in order meanwhile");
        let moved = owner.deed(SAVE, on(2, json!({ "ctiVersion": "MOBILE_CONTACT", "isMobileContactEnabled": true, "representativeIvrNumber": null }))).await;
        assert_eq!((&moved["warnings"], &moved["setting"]["obstacles"]), (&json!(["NUMBERS_OF_OTHER_VERSION"]), &json!([])));
        assert_eq!(owner.problems(SAVE, on(3, json!({ "ctiVersion": "IPCC_PRIVATE", "representativeIvrNumber": "1588-1234" }))).await, refused, "there is no way back");
        let log = "{ auditEntries(filter: { action: [ORGANIZATION_APPROVE] }) { nodes { actor { kind } changes { field before after } } } }";
        let told = owner.data(log, json!({})).await["auditEntries"]["nodes"].clone();
        assert_eq!(told.as_array().unwrap().len(), 3);
        let withdrawn = json!([{ "field": "isIpccApproved", "before": "true", "after": "false" }]);
        assert!(told.as_array().unwrap().iter().any(|entry| entry["changes"] == withdrawn), "{told}");
        assert_eq!(cti::lines(owner).await, ["kim kim 0101 v1"], "nobody lost what he holds");
    }

    // case: A11
    async fn t1_only_owner_and_administrators_reach_cti_and_from_an_issue_service_nobody_is_led_there(app) {
        let owner = app.owner();
        let (desk, people) = cti::desk(&app, "desk", &["kim"]).await;
        let issue = staff::issue(owner, "issue").await;
        staff::add(owner, &desk, &crate::support::people::member(owner, "member").await, json!({ "role": "MANAGER" })).await;

        for (who, code) in [(app.administrator(), "none"), (app.member(), "FORBIDDEN"), (app.someone("acme", "kim"), "FORBIDDEN")] {
            assert_eq!(who.ask(READ, json!({})).await.code(), code);
            assert_eq!(who.ask("{ ctiAgents { totalCount } }", json!({})).await.code(), code);
            let save = "mutation M($input: CtiAgentUpdateManyInput!) { ctiAgentUpdateMany(input: $input) { userErrors { code } } }";
            assert_eq!(who.ask(save, cti::all(vec![cti::cleared(&people[0], 0)])).await.code(), code);
        }
        let menu = "query Q($id: ID) { menu(viaServiceId: $id) { name isVisible reason helpUrl } }";
        for (via, visible) in [(&desk.id, true), (&issue.id, false)] {
            let data = owner.data(menu, json!({ "id": via })).await;
            let cti = data["menu"].as_array().unwrap().iter().find(|entry| entry["name"] == "CTI").unwrap().clone();
            assert_eq!((&cti["isVisible"], &cti["reason"]), (&json!(visible), &if visible { Value::Null } else { json!("NOT_FROM_ISSUE_SERVICE") }));
        }
    }
}
