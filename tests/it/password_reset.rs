//! 비밀번호 재설정: a letter, a link that is good once, a new password; and what strangers learn of it, which is nothing.

use std::sync::atomic::Ordering;

use chrono::Duration;
use futures_util::{StreamExt, stream};
use orgdesk::kernel::Undelivered;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        account::{access, is_in, last_token, request_reset, reset, reset_from, reset_token, sign_in, sign_in_from},
        app::{PASSWORD, TestApp, codes},
        authenticator,
        raw::Raw,
    },
};

const NEW: &str = "another password for tests";
const PREVIEW: &str = "query Q($token: String!) { passwordResetPreview(token: $token) {
    organizationName organizationDomain login expiresAt needsSecondFactor } }";
const REFUSED: [&str; 1] = ["LINK_REFUSED at input.token"];

async fn preview(app: &TestApp, token: &str) -> Value {
    let answer = app.ask(None, PREVIEW, json!({ "token": token })).await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    answer.json["data"]["passwordResetPreview"].clone()
}

/// How many letters with a link have come.
fn links(app: &TestApp) -> usize {
    let letters = app.letters();
    letters
        .iter()
        .filter(|letter| letter.text.contains("/password-reset#"))
        .count()
}

/// How attempts to set a password by a link stand in the logs, in the order of their letters.
async fn attempts(app: &TestApp) -> Vec<String> {
    let query = "{ auditEntries(last: 100, filter: { action: [PASSWORD_RESET] }) { nodes { outcome reasonCode target { label } } } }";
    let data = app.owner().data(query, json!({})).await;
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |entry: &Value| {
        let (outcome, reason) = (text(&entry["outcome"]), text(&entry["reasonCode"]));
        format!("{outcome} {reason} {}", text(&entry["target"]["label"]))
    };
    let mut lines: Vec<_> = data["auditEntries"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(line)
        .collect();
    lines.sort();
    lines
}

both! {
    async fn a1_a_forgotten_password_is_set_anew_by_a_link(app) {
        let before = access(&sign_in(&app, "member", PASSWORD, None).await);
        let token = reset_token(&app, "member").await;

        let looked = [preview(&app, &token).await, preview(&app, &token).await];
        let done = reset(&app, &token, NEW, None).await;
        let again = reset(&app, &token, "a third password for tests", None).await;
        app.run_due().await;

        let told = json!({ "organizationName": "Acme", "organizationDomain": "acme", "login": "member",
            "expiresAt": "2026-11-10T01:30:00.000Z", "needsSecondFactor": false });
        assert_eq!(looked, [told.clone(), told]);
        assert_eq!(done, json!({ "organizationDomain": "acme", "login": "member", "userErrors": [] }));
        assert_eq!(codes(&again), REFUSED);
        assert_eq!(preview(&app, &token).await, Value::Null);
        assert!(!is_in(&app, &before).await, "all sessions have ended");
        assert_eq!(codes(&sign_in(&app, "member", PASSWORD, None).await), ["CREDENTIALS_REFUSED at input.password"]);
        access(&sign_in(&app, "member", NEW, None).await);
        let letters = app.letters();
        assert_eq!(letters.len(), 2);
        assert!(letters.iter().all(|letter| letter.to.email == "member@example.com"));
        assert!(letters[0].text.contains(&format!("https://desk.example.com/password-reset#{token}")), "{}", letters[0].text);
        assert!(letters[1].text.contains("비밀번호가 바뀌었습니다"), "{}", letters[1].text);
    }

    async fn a1_the_address_does_for_the_login_id_in_any_case(app) {
        request_reset(&app, " ACME ", " Member@Example.com ").await;
        app.run_due().await;

        assert_eq!(preview(&app, &last_token(&app)).await["login"], "member");
    }

    // case: D1
    async fn a1_a_request_tells_nobody_whether_there_is_such_a_member(app) {
        Raw::admin(&app).await.must("UPDATE member SET status = 'LEFT' WHERE login = 'admin'").await;
        let tries = [
            ("acme", "member"), ("acme", "member"), ("acme", "nobody"), ("acme", "nobody@example.com"), ("acme", "admin"),
            ("acme", "admin@example.com"), ("nowhere", "member"), ("acme", "nul\0"), ("", ""), ("acme", "' OR 1=1 --"),
        ];
        let mut answers = Vec::new();

        for (organization, login) in tries {
            let before = app.app.hashes.load(Ordering::Relaxed);
            let answer = request_reset(&app, organization, login).await;
            answers.push((answer.status, answer.json, app.app.hashes.load(Ordering::Relaxed) - before));
        }
        app.run_due().await;

        for (try_, answer) in tries.iter().zip(&answers) {
            assert_eq!(answer, &answers[0], "{try_:?}");
        }
        assert_eq!(answers[0].1["data"]["passwordResetRequest"], json!({ "isTaken": true, "userErrors": [] }));
        assert_eq!(answers[0].2, 1, "each costs one hash");
        assert_eq!(app.letters().len(), 1);
    }

    // case: D3
    async fn a1_requests_are_braked_by_address_whoever_they_are_for(app) {
        let mut taken = 0;
        for account in 0..30 {
            taken += usize::from(request_reset(&app, "acme", &format!("account{account}")).await.text.contains("isTaken\":true"));
        }
        let blocked = request_reset(&app, "acme", "member").await;
        app.wait(Duration::minutes(10));
        for _ in 0..5 {
            assert!(request_reset(&app, "nowhere", "x").await.text.contains("isTaken\":true"));
        }
        let sixth = request_reset(&app, "nowhere", "x").await;

        assert_eq!(taken, 20);
        assert_eq!(codes(&blocked.json["data"]["passwordResetRequest"]), ["SIGN_IN_BLOCKED at input.login"]);
        assert_eq!(codes(&sixth.json["data"]["passwordResetRequest"]), ["SIGN_IN_BLOCKED at input.login"]);
    }

    async fn a1_an_account_gets_a_letter_every_ten_minutes_and_three_an_hour(app) {
        let mut at = Vec::new();
        for minute in 0..75 {
            let before = links(&app);
            request_reset(&app, "acme", "member").await;
            app.run_due().await;
            if links(&app) > before {
                at.push(minute);
            }
            app.wait(Duration::minutes(1));
        }

        assert_eq!(at, [0, 10, 20, 60, 70]);
    }

    async fn a1_a_link_is_good_for_half_an_hour_from_its_sending(app) {
        app.let_mail_fail(Some(Undelivered::Later("SMTP 450".to_owned())));
        request_reset(&app, "acme", "member").await;
        app.run_due().await;
        app.let_mail_fail(None);
        app.wait(Duration::minutes(20));
        app.run_due().await;
        let token = last_token(&app);

        app.wait(Duration::seconds(1_799));
        let last = preview(&app, &token).await;
        app.wait(Duration::seconds(1));
        let over = preview(&app, &token).await;
        let late = reset(&app, &token, NEW, None).await;

        assert_eq!(last["expiresAt"], "2026-11-10T01:50:00.000Z");
        assert_eq!(over, Value::Null);
        assert_eq!(codes(&late), REFUSED);
    }

    async fn a1_a_newer_link_replaces_the_older_one(app) {
        let older = reset_token(&app, "member").await;
        app.wait(Duration::minutes(10));
        request_reset(&app, "acme", "member").await;
        let until_it_goes = preview(&app, &older).await;
        app.run_due().await;
        let newer = last_token(&app);

        let refused = reset(&app, &older, NEW, None).await;
        let done = reset(&app, &newer, NEW, None).await;

        assert_eq!(until_it_goes["login"], "member");
        assert_ne!(older, newer);
        assert_eq!(codes(&refused), REFUSED);
        assert_eq!(done["login"], "member");
    }

    // case: J2
    async fn a1_a_letter_that_failed_goes_again_with_another_link(app) {
        app.let_mail_fail(Some(Undelivered::Later("SMTP 450".to_owned())));
        request_reset(&app, "acme", "member").await;
        app.run_due().await;
        let first = app.letters_tried()[0].text.clone();
        app.let_mail_fail(None);
        app.wait(Duration::minutes(1));
        app.run_due().await;

        let token = last_token(&app);
        let done = reset(&app, &token, NEW, None).await;

        assert!(!first.contains(&token), "the link of the first attempt is another one");
        assert_eq!(app.letters_tried()[0].message_id, app.letters_tried()[1].message_id);
        assert_eq!(done["login"], "member");
    }

    async fn a1_a_changed_password_or_address_makes_links_worthless(app) {
        let token = reset_token(&app, "member").await;
        let input = json!({ "input": { "currentPassword": PASSWORD, "newPassword": NEW } });
        app.member().deed("passwordChange(input: $input)", input).await;
        let after_change = reset(&app, &token, "a third password for tests", None).await;
        app.wait(Duration::minutes(10));
        let token = reset_token(&app, "member").await;
        let version = app.member().data("{ viewer { member { version } } }", json!({})).await["viewer"]["member"]["version"].clone();
        app.member().deed("viewerUpdate(input: $input)", json!({ "input": { "expectedVersion": version, "email": "new@example.com" } })).await;
        let after_move = reset(&app, &token, "a third password for tests", None).await;

        assert_eq!(codes(&after_change), REFUSED);
        assert_eq!(codes(&after_move), REFUSED);
    }

    // case: D14
    async fn a1_a_bad_password_leaves_the_link_good(app) {
        let token = reset_token(&app, "member").await;
        let hashes = app.app.hashes.load(Ordering::Relaxed);

        for (password, code) in [
            ("14 characters.", "TOO_SHORT at input.password"), ("passwordpassword", "PASSWORD_TOO_COMMON at input.password"),
            (&"x".repeat(1_025), "TOO_LONG at input.password"), ("acme acme 2026 2026", "PASSWORD_TOO_COMMON at input.password"),
        ] {
            assert_eq!(codes(&reset(&app, &token, password, None).await), [code]);
        }

        assert_eq!(app.app.hashes.load(Ordering::Relaxed), hashes);
        assert_eq!(reset(&app, &token, NEW, None).await["login"], "member");
    }

    // case: D8
    async fn a1_of_fifty_who_use_a_link_at_once_one_does(app) {
        let token = reset_token(&app, "member").await;
        let tries = (0..50_u8).map(|try_| {
            let (app, token) = (&app, &token);
            async move { (try_, reset_from(app, [127, 3, 0, try_], token, &format!("{NEW} number {try_}"), None).await) }
        });

        // No more at once than the hasher's queue takes beside another test.
        let answers: Vec<_> = stream::iter(tries).buffer_unordered(30).collect().await;

        let won: Vec<u8> = answers.iter().filter(|(_, answer)| answer["login"] == "member").map(|(try_, _)| *try_).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        assert!(answers.iter().all(|(try_, answer)| *try_ == won[0] || codes(answer) == REFUSED));
        access(&sign_in(&app, "member", &format!("{NEW} number {}", won[0]), None).await);
    }

    async fn a10_a_link_alone_is_not_enough_beside_a_second_factor(app) {
        let authenticator = authenticator::activated(&app, app.member()).await;
        let token = reset_token(&app, "member").await;
        app.wait(Duration::seconds(30));

        let looked = preview(&app, &token).await;
        let without = reset(&app, &token, "7-chars", None).await;
        let wrong = reset(&app, &token, NEW, Some(&authenticator.wrong_code(&app))).await;
        let right = reset(&app, &token, "kite-fig-7", Some(&authenticator.code(&app))).await;
        app.wait(Duration::seconds(30));
        let inside = sign_in(&app, "member", "kite-fig-7", Some(&authenticator.code(&app))).await;

        assert_eq!(looked["needsSecondFactor"], true);
        assert_eq!(codes(&without), ["TOO_SHORT at input.password", "SECOND_FACTOR_REQUIRED at input.code"]);
        assert_eq!(codes(&wrong), ["SECOND_FACTOR_REFUSED at input.code"]);
        assert_eq!(right["login"], "member");
        access(&inside);
        assert_eq!(attempts(&app).await, ["DONE - 구성원", "FAILED SECOND_FACTOR_REFUSED 구성원"]);
    }

    // case: D2
    async fn a10_codes_beside_a_link_are_braked(app) {
        let authenticator = authenticator::activated(&app, app.member()).await;
        let token = reset_token(&app, "member").await;
        app.wait(Duration::seconds(30));
        for address in 0..5 {
            let wrong = reset_from(&app, [127, 4, 0, address], &token, NEW, Some("000000")).await;
            assert_eq!(codes(&wrong), ["SECOND_FACTOR_REFUSED at input.code"]);
        }

        let blocked = reset_from(&app, [127, 4, 0, 9], &token, NEW, Some(&authenticator.code(&app))).await;
        reset_from(&app, [127, 4, 0, 9], &token, NEW, Some(&authenticator.code(&app))).await;
        let log = attempts(&app).await;
        app.wait(Duration::minutes(1));
        let later = reset_from(&app, [127, 4, 0, 9], &token, NEW, Some(&authenticator.code(&app))).await;

        assert_eq!(codes(&blocked), ["SIGN_IN_BLOCKED at input.code"]);
        assert_eq!(later["login"], "member");
        assert_eq!(log[..5], [(); 5].map(|()| "FAILED SECOND_FACTOR_REFUSED 구성원".to_owned()));
        assert_eq!(log[5..], ["FAILED SIGN_IN_BLOCKED 구성원"], "that somebody guesses is told, and once");
    }

    // case: D4
    async fn a1_whom_others_lock_out_gets_in_by_a_letter(app) {
        for address in 0..21 {
            for _ in 0..5 {
                sign_in_from(&app, [127, 1, 0, address], "member", "wrong", None).await;
            }
        }
        let home = [127, 2, 0, 1];
        let locked = sign_in_from(&app, home, "member", PASSWORD, None).await;

        let token = reset_token(&app, "member").await;
        reset_from(&app, home, &token, NEW, None).await;
        for address in 21..42 {
            for _ in 0..5 {
                sign_in_from(&app, [127, 1, 0, address], "member", "wrong", None).await;
            }
        }
        let stranger = sign_in_from(&app, [127, 2, 0, 2], "member", NEW, None).await;
        let inside = sign_in_from(&app, home, "member", NEW, None).await;

        assert_eq!(codes(&locked), ["SIGN_IN_BLOCKED at input.password"]);
        access(&inside);
        assert_eq!(codes(&stranger), ["SIGN_IN_BLOCKED at input.password"]);
    }

    async fn a1_garbage_is_no_link(app) {
        let token = reset_token(&app, "member").await;
        let (head, secret) = token.rsplit_once('_').unwrap();
        let rival = app.rival().data("{ organization { id } }", json!({})).await["organization"]["id"].clone();
        let rival = rival.as_str().unwrap().trim_start_matches("org_").to_owned();
        let garbage = [
            String::new(), "pwr_".into(), "pwr__".into(), "x".repeat(30_000), token.to_uppercase(), format!("{token} "),
            head.to_owned(), format!("{head}_"), format!("pwr_{rival}_{secret}"), format!("pwr_00000000000000000000000000_{secret}"),
            "pwr_7zzzzzzzzzzzzzzzzzzzzzzzzz_x".into(), "pwr_\0_x".into(), token.replacen("pwr_", "inv_", 1), token.replacen("pwr_", "rt_", 1),
        ];

        for (number, text) in garbage.iter().enumerate() {
            let address = [127, 5, 0, u8::try_from(number).unwrap()];
            assert_eq!(codes(&reset_from(&app, address, text, NEW, None).await), REFUSED, "{text:.60}");
            assert_eq!(preview(&app, text).await, Value::Null, "{text:.60}");
        }

        assert_eq!(reset(&app, &token, NEW, None).await["login"], "member");
    }

    async fn a1_thirty_links_a_minute_are_looked_at(app) {
        let token = reset_token(&app, "member").await;
        for _ in 0..30 {
            assert_eq!(codes(&reset(&app, "pwr_x", NEW, None).await), REFUSED);
        }

        let blocked = reset(&app, &token, NEW, None).await;

        assert_eq!(codes(&blocked), ["SIGN_IN_BLOCKED at input.token"]);
    }
}
