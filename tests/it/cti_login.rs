//! CTI 로그인 확인: everything that an agent lacks to log in to the telephony, to himself and to who looks after him.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who},
        cti::{self, SAVE, all, entry},
        make,
        people::{self, EXPEL, member, on},
        staff,
    },
};

const SETTING: &str = "ctiSettingUpdate(input: $input) => setting { version }";

/// What is asked about oneself, or about another.
async fn lacks(who: Who<'_>, about: Option<&Value>) -> Vec<String> {
    let query = "query Q($id: ID) { ctiLoginCheck(memberId: $id) { isAllowed obstacles member { id } } }";
    let data = who
        .data(query, json!({ "id": about.map(|member| &member["id"]) }))
        .await;
    let check = &data["ctiLoginCheck"];
    let obstacles: Vec<_> = check["obstacles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(check["isAllowed"], obstacles.is_empty());
    obstacles
}

async fn set(app: &TestApp, version: i64, more: Value) {
    let mut input = json!({ "expectedVersion": version });
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    app.owner().deed(SETTING, json!({ "input": input })).await;
}

both! {
    async fn t9_whatever_is_missing_is_named_until_nothing_is(app) {
        people::join(&app, "kim", false).await;
        let person = member(app.owner(), "kim").await;
        let kim = app.someone("acme", "kim");
        let both = async |expected: &[&str]| {
            assert_eq!(lacks(kim, None).await, expected);
            assert_eq!(lacks(app.owner(), Some(&person)).await, expected);
        };

        both(&["NO_PHONE_RIGHT", "NOT_CONTRACTED", "NO_NUMBER", "VERSION_NOT_CHOSEN"]).await;
        let desk = staff::full(app.owner(), "desk").await;
        both(&["NO_PHONE_RIGHT", "NO_NUMBER", "VERSION_NOT_CHOSEN"]).await;
        cti::phone(&app, &desk, &person).await;
        both(&["NO_NUMBER", "VERSION_NOT_CHOSEN"]).await;
        app.owner().deed(SAVE, all(vec![entry(&person, 0, "kim", "0101")])).await;
        both(&["VERSION_NOT_CHOSEN"]).await;
        cti::approve(&app).await;
        set(&app, 0, json!({ "ctiVersion": "MOBILE_CONTACT", "tenantId": "t-1", "tenantName": "n", "isMobileContactEnabled": true })).await;
        both(&[]).await;
        make::suspend(app.owner(), &desk).await;
        both(&["SERVICE_SUSPENDED"]).await;
        let second = staff::full(app.owner(), "second").await;
        cti::phone(&app, &second, &person).await;
        both(&[]).await;
        crate::support::raw::Raw::admin(&app).await.must("UPDATE cti_setting SET tenant_id = NULL").await;
        both(&["SETTING_INCOMPLETE"]).await;
        orgdesk::operate::approve(&app.app, "acme", orgdesk::operate::Approvable::MobileContact, false).await.unwrap();
        both(&["VERSION_NOT_APPROVED", "SETTING_INCOMPLETE"]).await;
    }

    async fn t9_the_widget_gets_what_it_logs_in_with(app) {
        let (_, people) = cti::desk(&app, "desk", &["kim"]).await;
        app.owner().deed(SAVE, all(vec![entry(&people[0], 0, "Kim.01", "００４２")])).await;
        cti::approve(&app).await;
        set(&app, 0, json!({ "ctiVersion": "IPCC_PRIVATE", "tenantId": "t-1", "tenantName": "n", "representativeIvrNumber": "15881234" })).await;

        let query = "{ ctiLoginCheck { isAllowed ctiId ctiNumber ctiVersion tenantId services { code status } member { login } } }";
        let data = app.someone("acme", "kim").data(query, json!({})).await;

        assert_eq!(data["ctiLoginCheck"], json!({ "isAllowed": true, "ctiId": "Kim.01", "ctiNumber": "0042", "ctiVersion": "IPCC_PRIVATE", "tenantId": "t-1",
            "services": [{ "code": "desk", "status": "IN_USE" }], "member": { "login": "kim" } }));
    }

    async fn t9_nobody_but_who_looks_after_agents_asks_about_another(app) {
        let (desk, people) = cti::desk(&app, "desk", &["kim", "lee"]).await;
        staff::add(app.owner(), &desk, &member(app.owner(), "member").await, json!({ "role": "MANAGER" })).await;
        let query = "query Q($id: ID) { ctiLoginCheck(memberId: $id) { ctiNumber } }";
        let about = |member: &Value| json!({ "id": member["id"] });

        for who in [app.member(), app.someone("acme", "lee")] {
            assert_eq!(who.ask(query, about(&people[0])).await.code(), "FORBIDDEN");
        }
        assert_eq!(app.someone("acme", "kim").ask(query, about(&people[0])).await.code(), "none");
        assert_eq!(app.administrator().ask(query, about(&people[0])).await.code(), "none");
        assert_eq!(app.rival().data(query, about(&people[0])).await["ctiLoginCheck"], Value::Null);
        assert_eq!(app.owner().data(query, json!({ "id": "mbr_x" })).await["ctiLoginCheck"], Value::Null);
        app.owner().deed(EXPEL, on(&people[0], json!({}))).await;
        assert_eq!(lacks(app.owner(), Some(&people[0])).await[0], "MEMBER_LEFT");
    }
}
