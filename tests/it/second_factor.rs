//! 2차 인증: an authenticator's codes beside the password, each good once, and recovery codes for who has lost it.

use std::sync::atomic::Ordering;

use chrono::Duration;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        account::{access, is_in, sign_in, sign_in_from},
        app::{PASSWORD, TestApp, codes},
        authenticator::{self, Authenticator},
        raw::Raw,
    },
};

const CONFIRM: &str = "mutation M($input: SessionConfirmInput!) { sessionConfirm(input: $input) {
    confirmedUntil userErrors { code field message availableAt } } }";
const REQUIRED: [&str; 1] = ["SECOND_FACTOR_REQUIRED at input.code"];
const REFUSED: [&str; 1] = ["SECOND_FACTOR_REFUSED at input.code"];
const BLOCKED: [&str; 1] = ["SIGN_IN_BLOCKED at input.code"];

async fn confirm(app: &TestApp, token: &str, password: &str, code: Option<&str>) -> Value {
    let input = json!({ "password": password, "code": code });
    let answer = app.ask(Some(token), CONFIRM, json!({ "input": input })).await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    answer.json["data"]["sessionConfirm"].clone()
}

async fn own(app: &TestApp) -> Value {
    let query = "{ viewer { secondFactor { isActive activatedAt recoveryCodesLeft isDemanded } } }";
    app.member().data(query, json!({})).await["viewer"]["secondFactor"].clone()
}

/// One that is in use, at an instant at which its next code was not used.
async fn ready(app: &TestApp) -> Authenticator {
    let authenticator = authenticator::activated(app, app.member()).await;
    app.wait(Duration::seconds(30));
    authenticator
}

both! {
    async fn a10_a_second_factor_is_asked_for_once_it_is_proved(app) {
        let none = own(&app).await;
        let payload = app.member().deed("secondFactorEnroll => secret uri", json!({})).await;
        let secret = payload["secret"].as_str().unwrap().to_owned();
        let authenticator = Authenticator { secret: secret.clone(), recovery_codes: Vec::new() };
        let unproved = sign_in(&app, "member", PASSWORD, None).await;
        let wrong = json!({ "input": { "code": authenticator.wrong_code(&app) } });
        let wrong = app.member().problems("secondFactorActivate(input: $input)", wrong).await;
        let right = json!({ "input": { "code": authenticator.code(&app) } });
        let proved = app.member().deed("secondFactorActivate(input: $input) => recoveryCodes", right).await;
        app.run_due().await;

        let without = sign_in(&app, "member", PASSWORD, None).await;
        let blank = sign_in(&app, "member", PASSWORD, Some("  ")).await;
        app.wait(Duration::seconds(30));
        let with = sign_in(&app, "member", PASSWORD, Some(&authenticator.code(&app))).await;

        assert_eq!(none, json!({ "isActive": false, "activatedAt": null, "recoveryCodesLeft": 0, "isDemanded": false }));
        assert_eq!((secret.len(), authenticator.bytes().len()), (32, 20));
        assert_eq!(payload["uri"], format!("otpauth://totp/Orgdesk:member@acme?secret={secret}&issuer=Orgdesk&algorithm=SHA1&digits=6&period=30"));
        access(&unproved);
        assert_eq!(wrong, REFUSED);
        let recovery = proved["recoveryCodes"].as_array().unwrap();
        assert_eq!(recovery.len(), 10);
        assert!(recovery.iter().all(|code| code.as_str().unwrap().split('-').map(str::len).eq([6; 4])), "{recovery:?}");
        assert_eq!(codes(&without), REQUIRED);
        assert_eq!(codes(&blank), REQUIRED);
        assert_eq!(without["tokens"], Value::Null);
        access(&with);
        assert_eq!(own(&app).await, json!({ "isActive": true, "activatedAt": "2026-11-10T01:00:00.000Z", "recoveryCodesLeft": 10, "isDemanded": false }));
        let letters = app.letters();
        assert!(letters.len() == 1 && letters[0].text.contains("2단계 인증이 등록되었습니다"), "{letters:?}");
    }

    async fn a10_a_code_says_nothing_without_the_password(app) {
        let authenticator = ready(&app).await;
        let hashes = app.app.hashes.load(Ordering::Relaxed);

        let wrong = sign_in(&app, "member", "a wrong password 123", Some(&authenticator.code(&app))).await;
        let neither = sign_in(&app, "member", "a wrong password 123", Some("000000")).await;
        let nobody = sign_in(&app, "nobody", "a wrong password 123", Some(&authenticator.code(&app))).await;
        let right = sign_in(&app, "member", PASSWORD, Some(&authenticator.code(&app))).await;

        for payload in [&wrong, &neither, &nobody] {
            assert_eq!(payload, &wrong);
            assert_eq!(codes(payload), ["CREDENTIALS_REFUSED at input.password"]);
        }
        access(&right);
        assert_eq!(app.app.hashes.load(Ordering::Relaxed) - hashes, 4, "each costs one hash");
    }

    async fn a10_a_code_is_good_once_and_a_step_early_or_late(app) {
        let authenticator = ready(&app).await;
        let now = app.app.clock.now().0;
        let at = |seconds| authenticator.code_at(now + Duration::seconds(seconds));
        let mut told = Vec::new();

        for code in [at(-60), at(60), at(0), at(0), at(-30), at(30), at(30)] {
            app.wait(Duration::milliseconds(1));
            told.push(sign_in_from(&app, [127, 6, 0, u8::try_from(told.len()).unwrap()], "member", PASSWORD, Some(&code)).await["tokens"].is_object());
        }

        assert_eq!(told, [false, false, true, false, false, true, false]);
    }

    // case: D8
    async fn a10_of_twenty_who_sign_in_with_one_code_at_once_one_gets_in(app) {
        let authenticator = ready(&app).await;
        let code = authenticator.code(&app);
        let tries = (0..20_u8).map(|address| sign_in_from(&app, [127, 7, 0, address], "member", PASSWORD, Some(&code)));

        let answers = join_all(tries).await;

        let inside = answers.iter().filter(|answer| answer["tokens"].is_object()).count();
        assert_eq!(inside, 1, "{answers:?}");
        let outside = answers.iter().filter(|answer| codes(answer) == REFUSED || codes(answer) == BLOCKED);
        assert_eq!(outside.count(), 19, "{answers:?}");
    }

    async fn a10_a_recovery_code_is_good_once_however_it_is_typed(app) {
        let authenticator = ready(&app).await;
        let [first, second] = [0, 1].map(|place| authenticator.recovery_codes[place].clone());

        let typed = format!(" {} ", first.to_uppercase().replace('-', " "));
        let right = sign_in(&app, "member", PASSWORD, Some(&typed)).await;
        let again = sign_in(&app, "member", PASSWORD, Some(&first)).await;
        let other = sign_in(&app, "member", PASSWORD, Some(&second)).await;
        let garbage = ["000000000000000000000000", &"x".repeat(101), &second[..20], "é", "\0", "１２３４５６"];
        let mut refused = Vec::new();
        for (number, code) in garbage.into_iter().enumerate() {
            app.wait(Duration::seconds(20));
            refused.push(sign_in_from(&app, [127, 8, 0, u8::try_from(number).unwrap()], "member", PASSWORD, Some(code)).await);
        }

        access(&right);
        assert_eq!(codes(&again), REFUSED);
        access(&other);
        assert!(refused.iter().all(|payload| codes(payload) == REFUSED), "{refused:?}");
        assert_eq!(own(&app).await["recoveryCodesLeft"], 8);
    }

    // case: D2
    async fn a10_wrong_codes_are_counted_like_wrong_passwords(app) {
        let authenticator = ready(&app).await;
        for _ in 0..5 {
            assert_eq!(codes(&sign_in(&app, "member", PASSWORD, Some(&authenticator.wrong_code(&app))).await), REFUSED);
        }

        let blocked = sign_in(&app, "member", PASSWORD, Some(&authenticator.code(&app))).await;
        app.wait(Duration::minutes(1));
        let later = sign_in(&app, "member", PASSWORD, Some(&authenticator.code(&app))).await;

        assert_eq!(codes(&blocked), ["SIGN_IN_BLOCKED at input.password"]);
        access(&later);
    }

    // case: D2
    async fn a10_parallel_guesses_of_a_code_are_counted_one_by_one(app) {
        let authenticator = ready(&app).await;
        let wrong = authenticator.wrong_code(&app);
        let token = app.member().token().await;

        let tries = (0..20).map(|_| confirm(&app, &token, PASSWORD, Some(&wrong)));
        let answers = join_all(tries).await;

        let looked_at = answers.iter().filter(|answer| codes(answer) == REFUSED).count();
        assert!(looked_at <= 5, "{answers:?}");
    }

    // case: D12
    async fn a10_a_confirmation_takes_the_code_too(app) {
        let authenticator = ready(&app).await;
        let token = access(&sign_in(&app, "member", PASSWORD, Some(&authenticator.code(&app))).await);
        app.wait(Duration::minutes(6));

        let without = confirm(&app, &token, PASSWORD, None).await;
        let wrong = confirm(&app, &token, PASSWORD, Some(&authenticator.wrong_code(&app))).await;
        let alone = confirm(&app, &token, "a wrong password 123", Some(&authenticator.code(&app))).await;
        let right = confirm(&app, &token, PASSWORD, Some(&authenticator.code(&app))).await;

        assert_eq!(codes(&without), REQUIRED);
        assert_eq!(codes(&wrong), REFUSED);
        assert_eq!(codes(&alone), ["CREDENTIALS_REFUSED at input.password"]);
        assert_eq!(right["confirmedUntil"], "2026-11-10T01:11:30.000Z");
    }

    // case: D2
    async fn a10_a_right_password_buys_no_more_guesses_of_the_code(app) {
        let authenticator = ready(&app).await;
        let token = access(&sign_in(&app, "member", PASSWORD, Some(&authenticator.code(&app))).await);
        let wrong = authenticator.wrong_code(&app);
        let mut looked_at = 0;

        for round in 0..8 {
            looked_at += usize::from(codes(&confirm(&app, &token, PASSWORD, Some(&wrong)).await) == REFUSED);
            // Letting go of the password's brakes is no way around.
            confirm(&app, &token, PASSWORD, None).await;
            let other = json!({ "input": { "code": wrong } });
            let other = app.member().problems("recoveryCodesRenew(input: $input)", other).await;
            looked_at += usize::from(other == REFUSED);
            assert!(other == REFUSED || other == BLOCKED, "{round}: {other:?}");
        }

        assert_eq!(looked_at, 5);
    }

    // case: D20
    async fn a10_a_second_factor_is_given_up_with_a_code(app) {
        let authenticator = ready(&app).await;
        let ask = |code: &str| json!({ "input": { "code": code } });

        let wrong = app.member().problems("secondFactorRemove(input: $input)", ask(&authenticator.wrong_code(&app))).await;
        let right = app.member().deed("secondFactorRemove(input: $input) => isRemoved", ask(&authenticator.code(&app))).await;
        app.run_due().await;
        let again = app.member().problems("secondFactorRemove(input: $input)", ask("000000")).await;
        let alone = sign_in(&app, "member", PASSWORD, None).await;

        assert_eq!(wrong, REFUSED);
        assert_eq!(right["isRemoved"], true);
        assert_eq!(again, ["SECOND_FACTOR_ABSENT at -"]);
        access(&alone);
        let letters = app.letters();
        assert!(letters.len() == 2 && letters[1].text.contains("2단계 인증이 해제되었습니다"), "{letters:?}");
        let mut raw = Raw::admin(&app).await;
        assert_eq!((raw.count("second_factor").await, raw.count("recovery_code").await), (0, 0));
    }

    async fn a10_recovery_codes_are_renewed_all_at_once(app) {
        let authenticator = ready(&app).await;
        let input = json!({ "input": { "code": authenticator.recovery_codes[3] } });

        let renewed = app.member().deed("recoveryCodesRenew(input: $input) => recoveryCodes", input).await;
        let newer: Vec<&str> = renewed["recoveryCodes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
        let old = sign_in(&app, "member", PASSWORD, Some(&authenticator.recovery_codes[0])).await;
        let new = sign_in(&app, "member", PASSWORD, Some(newer[0])).await;

        assert_eq!(newer.len(), 10);
        assert!(newer.iter().all(|code| !authenticator.recovery_codes.iter().any(|old| old == code)));
        assert_eq!(codes(&old), REFUSED);
        access(&new);
        assert_eq!(own(&app).await["recoveryCodesLeft"], 9);
    }

    async fn a10_a_factor_in_use_is_not_enrolled_again_and_one_unproved_is(app) {
        let first = authenticator::enrolled(app.member()).await;
        let second = authenticator::enrolled(app.member()).await;
        let ask = |code: String| json!({ "input": { "code": code } });
        let old = app.member().problems("secondFactorActivate(input: $input)", ask(first.code(&app))).await;
        let none = app.administrator().problems("secondFactorActivate(input: $input)", ask(first.code(&app))).await;
        app.member().deed("secondFactorActivate(input: $input)", ask(second.code(&app))).await;

        let again = app.member().problems("secondFactorEnroll", json!({})).await;
        app.wait(Duration::seconds(30));
        let twice = app.member().problems("secondFactorActivate(input: $input)", ask(second.code(&app))).await;

        assert_ne!(first.secret, second.secret);
        assert_eq!(old, REFUSED);
        assert_eq!(none, ["SECOND_FACTOR_ABSENT at -"]);
        assert_eq!(again, ["SECOND_FACTOR_ACTIVE at -"]);
        assert_eq!(twice, ["SECOND_FACTOR_ACTIVE at -"]);
    }

    // case: D12
    async fn a10_every_verb_of_it_takes_a_recent_confirmation(app) {
        let token = app.member().token().await;
        app.wait(Duration::minutes(6));

        for verb in ["secondFactorEnroll", "secondFactorActivate(input: { code: \"1\" })", "secondFactorRemove(input: { code: \"1\" })", "recoveryCodesRenew(input: { code: \"1\" })"] {
            let answer = app.ask(Some(&token), &format!("mutation {{ {verb} {{ userErrors {{ code }} }} }}"), json!({})).await;

            assert_eq!(answer.code(), "CONFIRMATION_REQUIRED", "{verb}: {}", answer.text);
        }
        assert!(is_in(&app, &token).await);
    }
}
