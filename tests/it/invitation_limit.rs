//! How often letters go: three an hour to an address, a hundred a day from an organization, and ten minutes between two
//! of one invitation; exactly, by the clock that the test sets.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, codes},
        invite::{self, invite as ask, made, on, read},
    },
};

/// The first user error as `CODE at path until when`, or nothing.
fn told(payload: &Value) -> Option<String> {
    let error = payload["userErrors"].get(0)?;
    Some(format!(
        "{} until {}",
        codes(payload)[0],
        error["availableAt"].as_str().unwrap_or("-")
    ))
}

/// Fills the organization's day up to so many letters.
async fn fill(app: &TestApp, first: usize, count: usize) {
    let entries: Vec<Value> = (first..first + count)
        .map(|place| invite::input(&format!("agent.{place}")))
        .collect();
    let field = "memberInviteMany(input: $input) => results { userErrors { code } }";
    let payload = app
        .owner()
        .deed(field, json!({ "input": { "entries": entries } }))
        .await;
    assert!(
        payload["results"]
            .as_array()
            .unwrap()
            .iter()
            .all(|result| result["userErrors"] == json!([]))
    );
}

both! {
    // case: D18
    async fn a5_an_invitation_goes_again_after_ten_minutes(app) {
        let invitation = made(app.owner(), "new.agent").await;
        app.wait(Duration::minutes(10) - Duration::milliseconds(1));
        let too_soon = on(app.owner(), "invitationResend", &invitation, json!({})).await;
        let action = read(app.owner(), &invitation).await["actions"][0].clone();
        let renamed = on(app.owner(), "invitationUpdate", &invitation, json!({ "name": "Other", "email": "NEW.agent@example.com" })).await;
        app.wait(Duration::milliseconds(1));
        let allowed = on(app.owner(), "invitationResend", &invitation, json!({})).await;

        let until = "until 2026-11-10T01:10:00.000Z";
        assert_eq!(told(&too_soon), Some(format!("RESEND_TOO_SOON at id {until}")));
        assert_eq!(action, json!({ "name": "INVITATION_RESEND", "isAllowed": false, "reasonCode": "RESEND_TOO_SOON", "availableAt": "2026-11-10T01:10:00.000Z" }));
        assert_eq!(told(&renamed), Some(format!("RESEND_TOO_SOON at input.email {until}")), "a correction that keeps the address is a letter to it");
        assert_eq!(told(&allowed), None);
    }

    // case: D18
    async fn a5_three_letters_an_hour_go_to_an_address_whatever_way_they_are_asked_for(app) {
        let mut invitation = made(app.owner(), "new.agent").await;
        for _ in 0..2 {
            app.wait(Duration::minutes(10));
            invitation = on(app.owner(), "invitationResend", &invitation, json!({})).await["invitation"].clone();
        }
        app.wait(Duration::minutes(10));
        let again = on(app.owner(), "invitationResend", &invitation, json!({})).await;
        on(app.owner(), "invitationRevoke", &invitation, json!({})).await;
        let mut other = invite::input("other.agent");
        other["email"] = json!("New.Agent@example.com");
        let anew = ask(app.owner(), other.clone()).await;
        let field = "memberInviteMany(input: $input) => results { userErrors { code availableAt } }";
        let many = app.owner().deed(field, json!({ "input": { "entries": [other] } })).await;
        let third = made(app.owner(), "third").await;
        let moved = on(app.owner(), "invitationUpdate", &third, json!({ "email": "new.agent@example.com" })).await;
        let rivals = ask(app.rival(), invite::input("new.agent")).await;
        app.go_to("2026-11-10T01:59:59.999Z");
        let just_before = ask(app.owner(), other.clone()).await;
        app.go_to("2026-11-10T02:00:00Z");
        let allowed = ask(app.owner(), other.clone()).await;

        let until = "until 2026-11-10T02:00:00.000Z";
        assert_eq!(told(&again), Some(format!("MAIL_LIMIT_REACHED at id {until}")));
        for payload in [anew, moved, just_before] {
            assert_eq!(told(&payload), Some(format!("MAIL_LIMIT_REACHED at input.email {until}")));
        }
        assert_eq!(many["results"][0]["userErrors"], json!([{ "code": "MAIL_LIMIT_REACHED", "availableAt": "2026-11-10T02:00:00.000Z" }]));
        assert_eq!((told(&rivals), told(&allowed)), (None, None), "another organization learns nothing");
        let next = on(app.owner(), "invitationUpdate", &third, json!({ "email": "new.agent@example.com" })).await;
        assert_eq!(codes(&next), ["ALREADY_INVITED at input.email"]);
    }

    // case: D18
    async fn a5_a_hundred_letters_a_day_go_from_an_organization(app) {
        fill(&app, 0, 99).await;
        let last = made(app.owner(), "last").await;
        let beyond = ask(app.owner(), invite::input("beyond")).await;
        let tried = { let mut input = invite::input("beyond"); input["dryRun"] = json!(true); ask(app.owner(), input).await };
        app.wait(Duration::minutes(10));
        let again = on(app.owner(), "invitationResend", &last, json!({})).await;
        let actions = read(app.owner(), &last).await["actions"].clone();
        let rivals = ask(app.rival(), invite::input("beyond")).await;
        // The organization's day ends at midnight in Seoul.
        app.go_to("2026-11-10T14:59:59.999Z");
        let tonight = ask(app.owner(), invite::input("beyond")).await;
        app.go_to("2026-11-10T15:00:00Z");
        let tomorrow = ask(app.owner(), invite::input("beyond")).await;

        let until = "until 2026-11-10T15:00:00.000Z";
        for payload in [beyond, tried, tonight] {
            assert_eq!(told(&payload), Some(format!("MAIL_LIMIT_REACHED at input.email {until}")));
        }
        assert_eq!(told(&again), Some(format!("MAIL_LIMIT_REACHED at id {until}")));
        let reasons: Vec<_> = actions.as_array().unwrap().iter().map(|action| (action["reasonCode"].as_str(), action["availableAt"].as_str())).collect();
        let full = (Some("MAIL_LIMIT_REACHED"), Some("2026-11-10T15:00:00.000Z"));
        assert_eq!(reasons, [full, full, (None, None)]);
        assert_eq!((told(&rivals), told(&tomorrow)), (None, None));
        fill(&app, 200, 99).await;
        assert_eq!(told(&ask(app.owner(), invite::input("beyond.too")).await), Some("MAIL_LIMIT_REACHED at input.email until 2026-11-11T15:00:00.000Z".to_owned()));
    }

    // case: D18
    async fn a5_a_list_that_goes_beyond_the_day_is_kept_up_to_there(app) {
        fill(&app, 0, 98).await;
        let entries: Vec<Value> = (200..204).map(|place| invite::input(&format!("agent.{place}"))).collect();
        let field = "memberInviteMany(input: $input) => results { index invitation { login } userErrors { code field } }";
        let payload = app.owner().deed(field, json!({ "input": { "entries": entries } })).await;

        let results = payload["results"].as_array().unwrap();
        let kept: Vec<_> = results.iter().filter_map(|result| result["invitation"]["login"].as_str()).collect();
        assert_eq!(kept, ["agent.200", "agent.201"]);
        assert_eq!(results[3]["userErrors"], json!([{ "code": "MAIL_LIMIT_REACHED", "field": ["input", "entries", "3", "email"] }]));
        assert_eq!(app.run_due().await, 100);
    }
}
