//! What the brakes on signing in count and what they don't: everybody of a shift sits behind one address, and whoever
//! guesses has many.

use std::net::{IpAddr, Ipv6Addr};

use chrono::Duration;
use futures_util::future::join_all;
use orgdesk::operate::Algorithm;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        account::{access, sign_in, sign_in_at, sign_in_from},
        app::{PASSWORD, TestApp, codes},
        authenticator,
        people::{join_like, somebody},
        provider::{Key, Provider},
    },
};

const EXCHANGE: &str = "mutation M($input: SessionExchangeInput!) { sessionExchange(input: $input) {
    tokens { accessToken } userErrors { code field message availableAt } } }";
const CONFIRM: &str = "mutation M($input: SessionConfirmInput!) { sessionConfirm(input: $input) {
    confirmedUntil userErrors { code field message availableAt } } }";
const REFUSED: [&str; 1] = ["CREDENTIALS_REFUSED at input.password"];
const BLOCKED: [&str; 1] = ["SIGN_IN_BLOCKED at input.password"];
const WRONG: &str = "a wrong password 123";

async fn exchange(app: &TestApp, token: &str) -> Value {
    let input = json!({ "organization": "acme", "token": token });
    let answer = app.ask(None, EXCHANGE, json!({ "input": input })).await;
    assert_eq!(answer.json.get("errors"), None, "{}", answer.text);
    answer.json["data"]["sessionExchange"].clone()
}

/// Thirty wrong sign-ins from one address: the last that are looked at there in this minute.
async fn spray(app: &TestApp) {
    for account in 0..30 {
        let tried = sign_in(app, &format!("account{account}"), WRONG, None).await;
        assert_eq!(codes(&tried), REFUSED, "{account}");
    }
}

/// One address of a network, and the same of the next network.
fn v6(network: u16, host: u16) -> IpAddr {
    Ipv6Addr::new(0x2001, 0xdb8, 7, network, host, 0, 0, 1).into()
}

both! {
    // case: D3
    async fn a1_right_sign_ins_are_not_counted_against_their_address(app) {
        let like = somebody(&app).await;
        for number in 0..6 {
            join_like(&app, &format!("shift{number}"), false, &like).await;
        }
        for round in 0..9 {
            for login in ["shift0", "shift1", "shift2", "shift3", "shift4"] {
                let payload = sign_in(&app, login, PASSWORD, None).await;
                assert!(payload["tokens"].is_object(), "{round}: {payload}");
            }
        }

        spray(&app).await;
        let newcomer = sign_in(&app, "shift5", PASSWORD, None).await;

        assert_eq!(codes(&newcomer), BLOCKED, "thirty wrong ones are thirty, however many were right");
    }

    // case: D4
    async fn a1_a_neighbours_guesses_lock_nobody_out_who_has_been_there(app) {
        access(&sign_in(&app, "owner", PASSWORD, None).await);

        spray(&app).await;
        let known = sign_in(&app, "owner", PASSWORD, None).await;
        let unknown = sign_in(&app, "admin", PASSWORD, None).await;
        let mut looked_at = 0;
        for _ in 0..7 {
            looked_at += usize::from(codes(&sign_in(&app, "owner", WRONG, None).await) == REFUSED);
        }

        access(&known);
        assert_eq!(codes(&unknown), BLOCKED);
        assert_eq!(looked_at, 5, "an account's own brake holds");
    }

    // case: D4
    async fn a9_a_neighbours_tokens_lock_nobody_out_who_has_been_there(app) {
        let key = Key::new("k-1", Algorithm::EdDsa);
        let provider = Provider::start(&[&key]).await;
        orgdesk::operate::set_identity_provider(&app.app, "acme", provider.setting(Algorithm::EdDsa)).await.unwrap();
        for (login, subject) in [("owner", "u-1"), ("admin", "u-2")] {
            orgdesk::operate::link_identity(&app.app, "acme", &provider.issuer, login, Some(subject)).await.unwrap();
        }
        let token = |subject: &str, number: i32| {
            let mut claims = provider.claims(&app, subject, "nobody@example.com");
            claims["jti"] = json!(number);
            key.token(&claims)
        };
        for number in 0..40 {
            access(&exchange(&app, &token("u-1", number)).await);
        }

        for _ in 0..30 {
            assert_eq!(codes(&exchange(&app, "x").await), ["TOKEN_REFUSED at input.token"]);
        }
        let owner = exchange(&app, &token("u-1", 50)).await;
        let confirmed = app.ask(Some(&access(&owner)), CONFIRM, json!({ "input": { "token": token("u-1", 51) } })).await;
        let stranger = exchange(&app, &token("u-2", 52)).await;
        let mut spoiled = token("u-1", 53);
        spoiled.truncate(spoiled.len() - 4);
        let mut looked_at = 0;
        for _ in 0..40 {
            looked_at += usize::from(codes(&exchange(&app, &spoiled).await) == ["TOKEN_REFUSED at input.token"]);
        }

        assert_eq!(codes(&confirmed.json["data"]["sessionConfirm"]), Vec::<String>::new());
        assert_eq!(codes(&stranger), ["SIGN_IN_BLOCKED at input.token"]);
        assert_eq!(looked_at, 30, "who only says that he is a known member has as many tries as others");
    }

    // case: D3
    async fn a1_the_addresses_of_one_network_are_counted_together(app) {
        let mut looked_at = 0;
        for host in 0..40 {
            let payload = sign_in_at(&app, v6(1, host), &format!("account{host}"), WRONG, None).await;
            looked_at += usize::from(codes(&payload) == REFUSED);
        }
        let neighbour = sign_in_at(&app, v6(2, 1), "member", PASSWORD, None).await;

        assert_eq!(looked_at, 30);
        access(&neighbour);
    }

    // case: D2
    async fn a1_an_account_is_guarded_from_all_of_a_network_and_from_a_mapped_address(app) {
        let mut looked_at = (0, 0);
        for host in 0..10 {
            let payload = sign_in_at(&app, v6(1, host), "owner", WRONG, None).await;
            looked_at.0 += usize::from(codes(&payload) == REFUSED);
        }
        for round in 0..10_u8 {
            let plain = IpAddr::from([198, 51, 100, 7]);
            let mapped = IpAddr::from(std::net::Ipv4Addr::from([198, 51, 100, 7]).to_ipv6_mapped());
            let from = if round % 2 == 0 { plain } else { mapped };
            let payload = sign_in_at(&app, from, "admin", WRONG, None).await;
            looked_at.1 += usize::from(codes(&payload) == REFUSED);
        }

        assert_eq!(looked_at, (5, 5));
    }

    // case: D2
    async fn a10_codes_are_guessed_five_times_a_minute_from_however_many_addresses(app) {
        let authenticator = authenticator::activated(&app, app.member()).await;
        app.wait(Duration::seconds(30));
        let wrong = authenticator.wrong_code(&app);
        let guess = |from: u8| sign_in_from(&app, [127, 5, 0, from], "member", PASSWORD, Some(&wrong));
        let looked_at = |payloads: &[Value]| {
            payloads.iter().filter(|payload| codes(payload) == ["SECOND_FACTOR_REFUSED at input.code"]).count()
        };

        let first = join_all((0..30).map(guess)).await;
        app.wait(Duration::seconds(25));
        let own = sign_in(&app, "member", PASSWORD, Some(&authenticator.code(&app))).await;
        let then = join_all((30..60).map(guess)).await;

        assert_eq!(looked_at(&first), 5, "{first:?}");
        assert!(first.iter().any(|payload| codes(payload) == ["SIGN_IN_BLOCKED at input.code"]));
        assert_eq!(codes(&own), ["SIGN_IN_BLOCKED at input.code"], "who has never been here waits too");
        assert_eq!(looked_at(&then), 0);
    }

    // case: D4
    async fn a10_a_members_own_sign_in_gives_nobody_new_guesses_and_nobody_blocks_it(app) {
        let authenticator = authenticator::activated(&app, app.member()).await;
        app.wait(Duration::seconds(30));
        access(&sign_in(&app, "member", PASSWORD, Some(&authenticator.code(&app))).await);
        app.wait(Duration::seconds(30));
        let wrong = authenticator.wrong_code(&app);
        let mut looked_at = 0;

        for round in 0..4_u8 {
            for from in 0..4 {
                let payload = sign_in_from(&app, [127, 5, round, from], "member", PASSWORD, Some(&wrong)).await;
                looked_at += usize::from(codes(&payload) == ["SECOND_FACTOR_REFUSED at input.code"]);
            }
            if round % 2 == 0 {
                let own = sign_in(&app, "member", PASSWORD, Some(&authenticator.recovery_codes[usize::from(round)])).await;
                let token = access(&own);
                let code = &authenticator.recovery_codes[usize::from(round) + 1];
                let confirmed = app.ask(Some(&token), CONFIRM, json!({ "input": { "password": PASSWORD, "code": code } })).await;
                assert_eq!(codes(&confirmed.json["data"]["sessionConfirm"]), Vec::<String>::new());
            }
        }

        assert_eq!(looked_at, 5);
    }
}
