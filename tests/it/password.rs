//! 비밀번호: which are taken, how they are changed, and how their hashes keep up.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        account::{access, is_in, sign_in, sign_in_from},
        app::{PASSWORD, TestApp, codes},
        authenticator,
        raw::Raw,
    },
};

const CHANGE: &str = "mutation M($input: PasswordChangeInput!) { passwordChange(input: $input) {
    member { login } userErrors { code field message availableAt } } }";
const NEW: &str = "another password for tests";

async fn change(app: &TestApp, token: &str, current: &str, new: &str) -> Value {
    let input = json!({ "currentPassword": current, "newPassword": new });
    let answer = app.ask(Some(token), CHANGE, json!({ "input": input })).await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    answer.json["data"]["passwordChange"].clone()
}

async fn hash_of(app: &TestApp, login: &str) -> String {
    let sql = format!(
        "SELECT password_hash FROM member WHERE login = '{login}' AND organization_id =
           (SELECT id FROM organization WHERE domain = 'acme')"
    );
    Raw::admin(app).await.texts(&sql).await.remove(0)
}

both! {
    // case: D10
    // case: D20
    async fn a1_a_changed_password_ends_the_other_sessions_and_is_told(app) {
        let here = access(&sign_in(&app, "member", PASSWORD, None).await);
        let there = access(&sign_in(&app, "member", PASSWORD, None).await);
        let other = access(&sign_in(&app, "admin", PASSWORD, None).await);

        let changed = change(&app, &here, PASSWORD, NEW).await;
        app.run_due().await;
        app.run_due().await;

        assert_eq!(codes(&changed), Vec::<String>::new());
        assert_eq!(changed["member"]["login"], "member");
        assert!(is_in(&app, &here).await && !is_in(&app, &there).await && is_in(&app, &other).await);
        assert_eq!(codes(&sign_in(&app, "member", PASSWORD, None).await), ["CREDENTIALS_REFUSED at input.password"]);
        access(&sign_in(&app, "member", NEW, None).await);
        let letters = app.letters();
        assert_eq!(letters.len(), 1, "{letters:?}");
        assert_eq!(letters[0].to.email, "member@example.com");
        assert!(letters[0].text.contains("비밀번호가 바뀌었습니다") && letters[0].text.contains("127.0.0.1"), "{}", letters[0].text);
        let log = "{ auditEntries(first: 1, filter: { action: [PASSWORD_CHANGE] }) { nodes { outcome actor { name } changes { field before after } } } }";
        let log = app.owner().data(log, json!({})).await["auditEntries"]["nodes"][0].clone();
        assert_eq!((&log["outcome"], &log["actor"]["name"]), (&json!("DONE"), &json!("구성원 (member)")));
        assert!(log["changes"].as_array().unwrap().contains(&json!({ "field": "passwordHash", "before": "\"***\"", "after": "\"***\"" })), "{log}");
    }

    async fn a1_a_password_is_changed_by_whoever_knows_the_one_that_holds(app) {
        let token = app.member().token().await;

        let wrong = change(&app, &token, "a wrong password 123", NEW).await;
        let short = change(&app, &token, PASSWORD, "14 characters.").await;
        let common = change(&app, &token, PASSWORD, "passwordpassword").await;
        let own = change(&app, &token, PASSWORD, "member@example.com").await;
        let same = change(&app, &token, PASSWORD, PASSWORD).await;
        let long = change(&app, &token, &"x".repeat(1_025), &"y".repeat(1_025)).await;

        assert_eq!(codes(&wrong), ["CREDENTIALS_REFUSED at input.currentPassword"]);
        assert_eq!(codes(&short), ["TOO_SHORT at input.newPassword"]);
        assert_eq!(short["userErrors"][0]["message"], "At least 15 characters are needed.");
        assert_eq!(codes(&common), ["PASSWORD_TOO_COMMON at input.newPassword"]);
        assert_eq!(codes(&own), ["PASSWORD_TOO_COMMON at input.newPassword"]);
        assert_eq!(codes(&same), ["PASSWORD_UNCHANGED at input.newPassword"]);
        assert_eq!(codes(&long), ["TOO_LONG at input.currentPassword", "TOO_LONG at input.newPassword"]);
        access(&sign_in(&app, "member", PASSWORD, None).await);
        let failed = "{ auditEntries(filter: { action: [PASSWORD_CHANGE] }) { nodes { outcome reasonCode } } }";
        let failed = app.owner().data(failed, json!({})).await["auditEntries"]["nodes"].clone();
        assert_eq!(failed, json!([{ "outcome": "FAILED", "reasonCode": "CREDENTIALS_REFUSED" }]));
    }

    // case: D2
    async fn a1_guessing_the_password_by_changing_it_is_braked(app) {
        let token = app.member().token().await;
        for _ in 0..5 {
            assert_eq!(codes(&change(&app, &token, "wrong", NEW).await), ["CREDENTIALS_REFUSED at input.currentPassword"]);
        }

        let blocked = change(&app, &token, PASSWORD, NEW).await;

        assert_eq!(codes(&blocked), ["SIGN_IN_BLOCKED at input.currentPassword"]);
        assert_eq!(blocked["userErrors"][0]["availableAt"], "2026-11-10T01:01:00.000Z");
    }

    // case: D14
    async fn a1_what_looks_the_same_opens_and_the_last_character_counts(app) {
        let token = app.member().token().await;
        let composed = "한글 비밀구절 하나 더 그리고 café";
        let decomposed = "한글 비밀구절 하나 더 그리고 cafe\u{301}".replace('한', "\u{1112}\u{1161}\u{11ab}");
        let long = |last: &str| "quite a long sentence ".repeat(4)[..72].to_owned() + last;

        change(&app, &token, PASSWORD, composed).await;
        let same = sign_in(&app, "member", &decomposed, None).await;
        let other = sign_in(&app, "member", &composed.to_uppercase(), None).await;
        let changed = change(&app, &token, &decomposed, &long("1")).await;
        let tail = sign_in(&app, "member", &long("2"), None).await;
        let right = sign_in(&app, "member", &long("1"), None).await;

        access(&same);
        assert_eq!(codes(&other), ["CREDENTIALS_REFUSED at input.password"]);
        assert_eq!(codes(&changed), Vec::<String>::new());
        assert_eq!(codes(&tail), ["CREDENTIALS_REFUSED at input.password"]);
        access(&right);
    }

    // case: D14
    async fn a1_a_short_password_stands_beside_a_second_factor_only(app) {
        let token = app.member().token().await;
        let alone = change(&app, &token, PASSWORD, "kite-fig-7").await;
        let authenticator = authenticator::activated(&app, app.member()).await;
        let token = app.member().token().await;

        let beside = change(&app, &token, PASSWORD, "kite-fig-7").await;
        let seven = change(&app, &token, "kite-fig-7", "7-chars").await;
        app.wait(chrono::Duration::seconds(30));
        let code = json!({ "input": { "code": authenticator.code(&app) } });
        let remove = app.member().problems("secondFactorRemove(input: $input)", code).await;
        let demanded = app.member().data("{ viewer { secondFactor { isActive isDemanded } } }", json!({})).await;

        assert_eq!(codes(&alone), ["TOO_SHORT at input.newPassword"]);
        assert_eq!(codes(&beside), Vec::<String>::new());
        assert_eq!(codes(&seven), ["TOO_SHORT at input.newPassword"]);
        assert_eq!(remove, ["SECOND_FACTOR_DEMANDED at -"]);
        assert_eq!(demanded["viewer"]["secondFactor"], json!({ "isActive": true, "isDemanded": true }));
    }

    // case: D14
    async fn a1_whoever_lost_the_factor_beside_his_short_password_gets_another_or_a_longer_one(app) {
        authenticator::activated(&app, app.member()).await;
        let token = app.member().token().await;
        change(&app, &token, PASSWORD, "kite-fig-7").await;
        let member = app.member().data("{ viewer { member { id version } } }", json!({})).await["viewer"]["member"].clone();
        let input = json!({ "id": member["id"], "input": { "expectedVersion": member["version"] } });
        app.owner().deed("secondFactorReset(id: $id, input: $input)", input).await;

        let token = access(&sign_in(&app, "member", "kite-fig-7", None).await);
        let update = format!("mutation {{ viewerUpdate(input: {{ expectedVersion: {}, name: \"x\" }}) {{ userErrors {{ code }} }} }}", member["version"]);
        let before = app.ask(Some(&token), &update, json!({})).await;
        let short = change(&app, &token, "kite-fig-7", "kite-fig-8").await;
        let long = change(&app, &token, "kite-fig-7", NEW).await;
        let after = app.ask(Some(&token), &update, json!({})).await;

        assert_eq!(before.code(), "SECOND_FACTOR_REQUIRED", "{}", before.text);
        assert_eq!(codes(&short), ["TOO_SHORT at input.newPassword"]);
        assert_eq!(codes(&long), Vec::<String>::new());
        assert_eq!(after.code(), "none", "{}", after.text);
    }

    // case: D16
    async fn a1_a_hash_of_weaker_parameters_is_made_anew_at_the_next_sign_in(app) {
        for (memory, passes) in [(8_192, 1), (19_456, 1)] {
            let params = Params::new(memory, passes, 1, None).unwrap();
            let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let weak = weak.hash_password_with_salt(PASSWORD.as_bytes(), &[7; 16]).unwrap().to_string();
            Raw::admin(&app).await.must(&format!("UPDATE member SET password_hash = '{weak}' WHERE login = 'member'")).await;

            let wrong = sign_in(&app, "member", "a wrong password 123", None).await;
            let untouched = hash_of(&app, "member").await;
            access(&sign_in(&app, "member", PASSWORD, None).await);
            let renewed = hash_of(&app, "member").await;
            access(&sign_in(&app, "member", PASSWORD, None).await);

            assert_eq!(codes(&wrong), ["CREDENTIALS_REFUSED at input.password"]);
            assert_eq!(untouched, weak);
            assert!(renewed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{renewed}");
            assert_eq!(hash_of(&app, "member").await, renewed, "a strong hash stays");
        }
    }

    async fn a1_a_stronger_hash_than_todays_stays(app) {
        let params = Params::new(19_456, 3, 1, None).unwrap();
        let strong = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let strong = strong.hash_password_with_salt(PASSWORD.as_bytes(), &[7; 16]).unwrap().to_string();
        Raw::admin(&app).await.must(&format!("UPDATE member SET password_hash = '{strong}' WHERE login = 'member'")).await;

        access(&sign_in_from(&app, [127, 0, 0, 9], "member", PASSWORD, None).await);

        assert_eq!(hash_of(&app, "member").await, strong);
    }
}
