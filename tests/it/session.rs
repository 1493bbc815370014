//! 로그인: signing in and out, refreshing and confirming; and what guessing, replaying and hurrying get out of it.

use std::sync::atomic::Ordering;

use chrono::Duration;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{Answer, PASSWORD, TestApp, codes},
        raw::Raw,
    },
};

const START: &str = "mutation M($input: SessionStartInput!) { sessionStart(input: $input) {
    tokens { accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt }
    userErrors { code field message availableAt } } }";
const REFRESH: &str = "mutation M($input: SessionRefreshInput!) { sessionRefresh(input: $input) {
    tokens { accessToken refreshToken } userErrors { code field message availableAt } } }";
const CONFIRM: &str = "mutation M($input: SessionConfirmInput!) { sessionConfirm(input: $input) {
    confirmedUntil userErrors { code field message availableAt } } }";
const KEY: &str = r#"mutation { organizationKeyCreate(input: { name: "k", scopes: [SERVICE_READ] }) {
    key { id } userErrors { code } } }"#;
const VIEWER: &str = "{ viewer { roles isRecentlyConfirmed member { login } } }";

struct Tokens {
    access: String,
    refresh: String,
}

async fn sign_in(app: &TestApp, organization: &str, login: &str, password: &str) -> Answer {
    let input = json!({ "organization": organization, "login": login, "password": password });
    app.ask(None, START, json!({ "input": input })).await
}

async fn signed_in(app: &TestApp, login: &str) -> Tokens {
    let answer = sign_in(app, "acme", login, PASSWORD).await;
    tokens(&answer.json["data"]["sessionStart"]).unwrap_or_else(|| panic!("{}", answer.text))
}

fn tokens(payload: &Value) -> Option<Tokens> {
    let tokens = &payload["tokens"];
    Some(Tokens {
        access: tokens["accessToken"].as_str()?.to_owned(),
        refresh: tokens["refreshToken"].as_str()?.to_owned(),
    })
}

async fn refresh(app: &TestApp, token: &str) -> Value {
    let answer = app
        .ask(None, REFRESH, json!({ "input": { "refreshToken": token } }))
        .await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    answer.json["data"]["sessionRefresh"].clone()
}

async fn is_in(app: &TestApp, access: &str) -> bool {
    let answer = app.ask(Some(access), VIEWER, json!({})).await;
    assert!([200, 401].contains(&answer.status), "{}", answer.text);
    answer.status == 200
}

both! {
    // case: D1
    async fn a1_what_was_wrong_is_not_told(app) {
        let tries = [
            ("acme", "owner", "a wrong password 123"),
            ("acme", "nobody", PASSWORD),
            ("nowhere", "owner", PASSWORD),
            ("acme", "nul\0", PASSWORD),
            ("no such / place", "owner' OR 1=1 --", "x"),
            ("", "", ""),
        ];
        let mut answers = Vec::new();

        for (organization, login, password) in tries {
            let before = app.app.hashes.load(Ordering::Relaxed);
            let answer = sign_in(&app, organization, login, password).await;
            answers.push((answer.status, answer.json, app.app.hashes.load(Ordering::Relaxed) - before));
        }

        for (try_, answer) in tries.iter().zip(&answers) {
            assert_eq!(answer, &answers[0], "{try_:?}");
        }
        assert_eq!(answers[0].2, 1, "each costs one hash");
        assert_eq!(codes(&answers[0].1["data"]["sessionStart"]), ["CREDENTIALS_REFUSED at input.password"]);
        assert_eq!(answers[0].1["data"]["sessionStart"]["tokens"], Value::Null);
    }

    async fn a1_a_sign_in_gives_an_access_token_of_ten_minutes(app) {
        let answer = sign_in(&app, " ACME ", "Owner", PASSWORD).await;
        let told = &answer.json["data"]["sessionStart"]["tokens"];
        let access = told["accessToken"].as_str().unwrap().to_owned();

        app.wait(Duration::seconds(599));
        let before = is_in(&app, &access).await;
        app.wait(Duration::seconds(1));
        let after = is_in(&app, &access).await;

        assert_eq!(told["accessTokenExpiresAt"], "2026-11-10T01:10:00.000Z");
        assert_eq!(told["refreshTokenExpiresAt"], "2026-11-10T13:00:00.000Z");
        assert!(before && !after);
    }

    // case: D2
    async fn a1_the_sixth_try_of_a_minute_is_blocked_for_this_address_only(app) {
        for _ in 0..5 {
            let payload = sign_in(&app, "acme", "owner", "wrong").await.json["data"]["sessionStart"].clone();
            assert_eq!(codes(&payload), ["CREDENTIALS_REFUSED at input.password"]);
        }
        let hashes = app.app.hashes.load(Ordering::Relaxed);

        let blocked = sign_in(&app, "acme", "owner", PASSWORD).await.json["data"]["sessionStart"].clone();
        let absent = sign_in(&app, "acme", "admin", PASSWORD).await;
        let elsewhere = start_from(&app, [127, 0, 5, 7], "owner", PASSWORD).await;
        app.wait(Duration::seconds(60));
        let later = sign_in(&app, "acme", "owner", PASSWORD).await;

        assert_eq!(codes(&blocked), ["SIGN_IN_BLOCKED at input.password"]);
        assert_eq!(blocked["userErrors"][0]["availableAt"], "2026-11-10T01:01:00.000Z");
        for answer in [absent, elsewhere, later] {
            assert!(tokens(&answer.json["data"]["sessionStart"]).is_some(), "{}", answer.text);
        }
        assert_eq!(app.app.hashes.load(Ordering::Relaxed) - hashes, 3, "a blocked try is not hashed");
    }

    // case: D2
    async fn a1_a_blocked_sign_in_stands_once_a_window_in_the_log(app) {
        let mut raw = Raw::admin(&app).await;
        for window in 1..=2 {
            for organization in ["acme", "nowhere"] {
                for _ in 0..12 {
                    sign_in(&app, organization, "owner", "wrong").await;
                }
            }
            let blocked = "action = 'SESSION_START' AND outcome = 'FAILED' AND reason = 'SIGN_IN_BLOCKED' AND target_label = '소유자'";
            assert_eq!(raw.count(&format!("audit_entry WHERE log = 'ACCESS' AND {blocked}")).await, window);
            assert_eq!(raw.count("security_event WHERE kind = 'SIGN_IN_BLOCKED'").await, window);
            app.wait(Duration::seconds(60));
        }
        let token = app.owner().token().await;
        for _ in 0..12 {
            app.ask(Some(&token), CONFIRM, json!({ "input": { "password": "wrong" } })).await;
        }

        let blocked = "audit_entry WHERE action = 'SESSION_CONFIRM' AND outcome = 'FAILED' AND reason = ";
        assert_eq!(raw.count(&format!("{blocked} 'SIGN_IN_BLOCKED'")).await, 1);
        assert_eq!(raw.count(&format!("{blocked} 'CREDENTIALS_REFUSED'")).await, 5);
    }

    // case: D2
    async fn a1_a_bad_token_stands_once_a_minute_in_the_log_of_nobody(app) {
        let mut raw = Raw::admin(&app).await;
        let ended = signed_in(&app, "owner").await;
        app.ask(Some(&ended.access), "mutation { sessionEnd { endedCount } }", json!({})).await;
        let before = raw.count("audit_entry").await;
        let ask = async |address: [u8; 4], token: &str| app.ask_from(address, "en", Some(token), VIEWER, json!({})).await.status;

        for minute in 1..=2 {
            for token in ["garbage", ended.access.as_str(), "garbage"] {
                assert_eq!(ask([127, 3, 0, 1], token).await, 401);
                assert_eq!(ask([127, 3, 0, 2], token).await, 401);
            }
            assert_eq!(raw.count("security_event WHERE kind = 'ACCESS_TOKEN_REFUSED'").await, 2 * minute);
            app.wait(Duration::seconds(60));
        }
        for address in 0..=255 {
            ask([127, 4, 0, address], "garbage").await;
        }

        assert_eq!(raw.count("security_event").await, 4 + 100, "a flood fills no table");
        assert_eq!(raw.count("audit_entry").await, before);
    }

    // case: D2
    async fn a1_an_account_that_does_not_exist_is_blocked_like_one_that_does(app) {
        let mut told = Vec::new();
        for (organization, login) in [("acme", "owner"), ("acme", "ghost"), ("nowhere", "owner")] {
            for _ in 0..6 {
                told.push(sign_in(&app, organization, login, "wrong").await.json);
            }
        }

        assert_eq!(told[0..6], told[6..12]);
        assert_eq!(told[0..6], told[12..18]);
    }

    // case: D2
    async fn a1_parallel_guesses_are_counted_one_by_one(app) {
        let guesses = (0..20).map(|guess| {
            let app = &app;
            async move { sign_in(app, "acme", "owner", &format!("guess {guess}")).await }
        });

        let answers = join_all(guesses).await;

        let looked_at = answers.iter().filter(|answer| answer.text.contains("CREDENTIALS_REFUSED")).count();
        let blocked = answers.iter().filter(|answer| answer.text.contains("SIGN_IN_BLOCKED")).count();
        assert_eq!((looked_at, blocked), (5, 15), "{answers:#?}");
    }

    // case: D3
    async fn a1_one_address_tries_thirty_accounts_a_minute(app) {
        let mut looked_at = 0;
        for account in 0..40 {
            let answer = sign_in(&app, "acme", &format!("account{account}"), "Password1234567").await;
            looked_at += usize::from(answer.text.contains("CREDENTIALS_REFUSED"));
        }

        let known = start_from(&app, [127, 0, 0, 2], "owner", PASSWORD).await;

        assert_eq!(looked_at, 30);
        assert!(known.text.contains("accessToken\":\"ey"), "{}", known.text);
    }

    // case: D4
    async fn a1_a_member_gets_in_from_where_he_has_been_whatever_others_try(app) {
        signed_in(&app, "owner").await;
        for address in 0..25 {
            for _ in 0..4 {
                start_from(&app, [127, 1, 0, address], "owner", "wrong").await;
            }
        }

        let stranger = start_from(&app, [127, 2, 0, 1], "owner", PASSWORD).await;
        let victim = sign_in(&app, "acme", "owner", PASSWORD).await;

        assert!(stranger.text.contains("SIGN_IN_BLOCKED"), "{}", stranger.text);
        assert!(tokens(&victim.json["data"]["sessionStart"]).is_some(), "{}", victim.text);
    }

    // case: D4
    async fn a1_a_neighbour_at_the_same_address_has_a_hundred_guesses_a_day(app) {
        signed_in(&app, "owner").await;
        let mut looked_at = 0;
        for _ in 0..25 {
            for _ in 0..5 {
                let answer = sign_in(&app, "acme", "owner", "wrong").await;
                looked_at += usize::from(answer.text.contains("CREDENTIALS_REFUSED"));
            }
            app.wait(Duration::minutes(1));
        }

        assert_eq!(looked_at, 100);
    }

    // case: D2
    async fn a1_one_document_tries_one_password(app) {
        let one = |alias: usize| {
            format!(r#"a{alias}: sessionStart(input: {{ organization: "acme", login: "owner", password: "{alias}" }}) {{ tokens {{ accessToken }} }} "#)
        };
        let hashes = app.app.hashes.load(Ordering::Relaxed);

        for count in [2, 100] {
            let query = format!("mutation {{ {} }}", (0..count).map(one).collect::<String>());
            let answer = app.ask(None, &query, json!({})).await;
            assert!(answer.json.get("data").is_none_or(Value::is_null), "{}", answer.text);
        }
        let mixed = r#"mutation { sessionStart(input: { organization: "acme", login: "owner", password: "1" }) { userErrors { code } }
            sessionRefresh(input: { refreshToken: "x" }) { userErrors { code } } }"#;
        let answer = app.ask(None, mixed, json!({})).await;

        assert!(answer.json.get("data").is_none_or(Value::is_null), "{}", answer.text);
        assert_eq!(app.app.hashes.load(Ordering::Relaxed), hashes);
    }

    // case: D5
    async fn a1_a_giant_password_is_refused_before_it_is_hashed(app) {
        let owner = app.owner().token().await;
        let hashes = app.app.hashes.load(Ordering::Relaxed);

        let long = sign_in(&app, "acme", "owner", &"x".repeat(1_025)).await;
        let giant = sign_in(&app, "acme", "owner", &"x".repeat(1_000_000)).await;
        let confirm = json!({ "input": { "password": "x".repeat(1_025) } });
        let confirm = app.ask(Some(&owner), CONFIRM, confirm).await;

        assert_eq!(codes(&long.json["data"]["sessionStart"]), ["TOO_LONG at input.password"]);
        assert_eq!(giant.status, 413, "{}", giant.text);
        assert_eq!(codes(&confirm.json["data"]["sessionConfirm"]), ["TOO_LONG at input.password"]);
        assert_eq!(app.app.hashes.load(Ordering::Relaxed), hashes);
    }

    // case: D11
    async fn a1_a_refresh_token_is_good_once_and_again_within_ten_seconds(app) {
        let first = signed_in(&app, "owner").await;
        let second = tokens(&refresh(&app, &first.refresh).await).unwrap();
        app.wait(Duration::seconds(10));
        let tab = tokens(&refresh(&app, &first.refresh).await).expect("two tabs refresh together");

        app.wait(Duration::milliseconds(1));
        let stolen = refresh(&app, &first.refresh).await;

        assert_eq!(codes(&stolen), ["REFRESH_TOKEN_REFUSED at input.refreshToken"]);
        for access in [&first.access, &second.access, &tab.access] {
            assert!(!is_in(&app, access).await, "the session has ended with its stolen token");
        }
        for token in [&second.refresh, &tab.refresh] {
            assert_eq!(codes(&refresh(&app, token).await), ["REFRESH_TOKEN_REFUSED at input.refreshToken"]);
        }
    }

    async fn a1_garbage_is_no_refresh_token_and_leaves_no_trace_of_its_sender(app) {
        let rival = app.rival().token().await;
        let tokens = signed_in(&app, "owner").await;
        let secret = tokens.refresh.rsplit('_').next().unwrap();
        let other = app.rival().data("{ organization { id } }", json!({})).await["organization"]["id"].clone();
        let other = other.as_str().unwrap().trim_start_matches("org_").to_owned();
        let garbage = [
            String::new(), "rt_".into(), "rt__".into(), "x".repeat(200), "x".repeat(30_000), tokens.access.clone(),
            tokens.refresh.to_uppercase(), format!("{} ", tokens.refresh), tokens.refresh[..tokens.refresh.len() - 1].into(),
            format!("rt_{other}_{secret}"), format!("rt_00000000000000000000000000_{secret}"),
            format!("rt_7zzzzzzzzzzzzzzzzzzzzzzzzz_{secret}"), "rt_\0_x".into(), "rt_'; DROP TABLE session; --_x".into(),
        ];

        for token in &garbage {
            for as_ in [None, Some(rival.as_str())] {
                let answer = app.ask(as_, REFRESH, json!({ "input": { "refreshToken": token } })).await;
                let payload = &answer.json["data"]["sessionRefresh"];
                assert_eq!(answer.json.get("errors"), None, "{token:.60}: {}", answer.text);
                assert_eq!(codes(payload), ["REFRESH_TOKEN_REFUSED at input.refreshToken"], "{token:.60}");
            }
        }
        let log = app.owner().data("{ auditEntries(first: 100) { nodes { action actor { kind reference } } } }", json!({})).await;

        assert!(is_in(&app, &tokens.access).await, "garbage ends nobody's session");
        for entry in log["auditEntries"]["nodes"].as_array().unwrap() {
            if entry["action"] == "SESSION_REFRESH" {
                assert_eq!(entry["actor"], json!({ "kind": "NOBODY", "reference": null }), "nobody from elsewhere is in this log");
            }
        }
    }

    // case: D12
    async fn a1_tokens_that_were_made_up_fill_no_log(app) {
        let entries = || async { Raw::admin(&app).await.count("audit_entry WHERE action = 'SESSION_REFRESH'").await };
        let organization = app.owner().data("{ organization { id } }", json!({})).await["organization"]["id"].clone();
        let place = organization.as_str().unwrap().split_once('_').unwrap().1.to_owned();
        let good = signed_in(&app, "member").await;
        let (form, _) = good.refresh.rsplit_once('_').unwrap();
        assert!(form.contains(&place), "{form}");
        for number in 0..50 {
            let payload = refresh(&app, &format!("{form}_{number:043}")).await;
            assert_eq!(payload["userErrors"][0]["code"], "REFRESH_TOKEN_REFUSED");
        }
        let flooded = entries().await;
        let renewed = refresh(&app, &good.refresh).await;

        assert_eq!(flooded, 1, "the first of a minute stands there");
        assert_eq!((&renewed["userErrors"], entries().await), (&json!([]), 2));
    }

    async fn a1_a_confirmation_holds_for_five_minutes(app) {
        let tokens = signed_in(&app, "owner").await;
        let make = async || app.ask(Some(&tokens.access), KEY, json!({})).await;
        let fresh = make().await;
        app.wait(Duration::minutes(5));
        let last = make().await;
        app.wait(Duration::milliseconds(1));
        let stale = make().await;

        let wrong = app.ask(Some(&tokens.access), CONFIRM, json!({ "input": { "password": "wrong" } })).await;
        let still = make().await;
        let right = app.ask(Some(&tokens.access), CONFIRM, json!({ "input": { "password": PASSWORD } })).await;
        let again = make().await;

        assert_eq!((fresh.code(), last.code(), again.code()), ("none", "none", "none"));
        assert_eq!((stale.code(), still.code()), ("CONFIRMATION_REQUIRED", "CONFIRMATION_REQUIRED"));
        assert_eq!(codes(&wrong.json["data"]["sessionConfirm"]), ["CREDENTIALS_REFUSED at input.password"]);
        assert_eq!(right.json["data"]["sessionConfirm"]["confirmedUntil"], "2026-11-10T01:10:00.001Z");
    }

    // case: D10
    async fn a1_signing_out_takes_effect_on_the_next_request(app) {
        let (one, two, three) = (signed_in(&app, "owner").await, signed_in(&app, "owner").await, signed_in(&app, "owner").await);
        let other = signed_in(&app, "admin").await;

        let ended = app.ask(Some(&one.access), "mutation { sessionEnd { endedCount } }", json!({})).await;
        let first = (is_in(&app, &one.access).await, is_in(&app, &two.access).await);
        let gone = refresh(&app, &one.refresh).await;
        let all = app.ask(Some(&two.access), "mutation { sessionEndAll { endedCount } }", json!({})).await;

        assert_eq!(ended.json["data"]["sessionEnd"]["endedCount"], 1);
        assert_eq!(first, (false, true));
        assert_eq!(codes(&gone), ["REFRESH_TOKEN_REFUSED at input.refreshToken"]);
        assert_eq!(all.json["data"]["sessionEndAll"]["endedCount"], 2);
        assert!(!is_in(&app, &two.access).await && !is_in(&app, &three.access).await);
        assert!(is_in(&app, &other.access).await, "others' sessions stay");
    }

    // case: D13
    async fn a1_a_session_ends_after_thirty_minutes_idle_and_after_twelve_hours(app) {
        let idle = signed_in(&app, "owner").await;
        app.wait(Duration::minutes(30));
        let idle = tokens(&refresh(&app, &idle.refresh).await).expect("thirty minutes are not too long");
        app.wait(Duration::minutes(30) + Duration::milliseconds(1));
        let too_late = refresh(&app, &idle.refresh).await;

        let mut used = signed_in(&app, "owner").await;
        for _ in 0..35 {
            app.wait(Duration::minutes(20));
            used = tokens(&refresh(&app, &used.refresh).await).expect("a used session holds");
        }
        app.wait(Duration::minutes(20) - Duration::milliseconds(1));
        used = tokens(&refresh(&app, &used.refresh).await).expect("the last moment");
        let in_time = is_in(&app, &used.access).await;
        app.wait(Duration::milliseconds(1));

        assert_eq!(codes(&too_late), ["REFRESH_TOKEN_REFUSED at input.refreshToken"]);
        assert!(in_time && !is_in(&app, &used.access).await, "twelve hours are the end");
        assert_eq!(codes(&refresh(&app, &used.refresh).await), ["REFRESH_TOKEN_REFUSED at input.refreshToken"]);
    }

    // case: A9
    async fn a1_a_right_that_was_taken_away_is_gone_with_the_next_request(app) {
        let (admin, member) = (signed_in(&app, "admin").await, signed_in(&app, "member").await);
        let mut raw = Raw::admin(&app).await;
        let services = "{ services { totalCount } }";
        let before = app.ask(Some(&admin.access), services, json!({})).await;

        raw.must("DELETE FROM organization_admin").await;
        let after = app.ask(Some(&admin.access), services, json!({})).await;
        raw.must("UPDATE member SET status = 'LEFT' WHERE login = 'member'").await;
        let left = is_in(&app, &member.access).await;

        assert_eq!((before.code(), after.code()), ("none", "FORBIDDEN"));
        assert!(!left);
        assert_eq!(codes(&refresh(&app, &member.refresh).await), ["REFRESH_TOKEN_REFUSED at input.refreshToken"]);
        let again = sign_in(&app, "acme", "member", PASSWORD).await;
        assert_eq!(codes(&again.json["data"]["sessionStart"]), ["CREDENTIALS_REFUSED at input.password"]);
    }
}

async fn start_from(app: &TestApp, address: [u8; 4], login: &str, password: &str) -> Answer {
    let input = json!({ "organization": "acme", "login": login, "password": password });
    app.ask_from(address, "en", None, START, json!({ "input": input }))
        .await
}
