//! What a link opens: to whom it is good, how often, and what whoever tries others' gets out of it.

use std::sync::{Arc, atomic::Ordering};

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{PASSWORD, TestApp, codes},
        invite::{self, CHOSEN, accept, accept_from, accepted, made, on, preview, refused, sent, token},
        ledger::{execute, texts},
        raw::Raw,
    },
};

const START: &str = "mutation M($input: SessionStartInput!) { sessionStart(input: $input) { tokens { accessToken } userErrors { code } } }";

/// Whether somebody can sign in to Acme.
async fn can_sign_in(app: &TestApp, login: &str, password: &str) -> bool {
    let input = json!({ "organization": "acme", "login": login, "password": password });
    let answer = app.ask(None, START, json!({ "input": input })).await;
    !answer.json["data"]["sessionStart"]["tokens"].is_null()
}

/// A token of the same form that was never given.
fn other(token: &str) -> String {
    let (begin, end) = token.split_at(token.len() - 4);
    format!("{begin}{}", if end == "AAAA" { "BBBB" } else { "AAAA" })
}

/// How often the accepting of one link by fifty at once is tried: five rounds here, more where it is asked for.
fn rounds() -> u32 {
    let asked = std::env::var("ORGDESK_TEST_ACCEPT_ROUNDS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(5)
}

both! {
    async fn a4_the_link_makes_a_member_who_signs_in_with_the_password_that_he_chose(app) {
        let link = sent(&app, "new.agent").await;
        let seen = preview(&app, &link).await;
        let payload = accept(&app, &link).await;

        assert_eq!(
            seen,
            json!({ "organizationName": "Acme", "organizationDomain": "acme", "name": "Name of new.agent", "login": "new.agent",
                "email": "new.agent@example.com", "expiresAt": "2026-11-17T01:00:00.000Z", "language": "ENGLISH" })
        );
        assert_eq!(payload, json!({ "organizationDomain": "acme", "login": "new.agent", "userErrors": [] }));
        assert!(can_sign_in(&app, "new.agent", CHOSEN).await);
        let viewer = app.someone("acme", "new.agent").data("{ viewer { roles member { name email language isOwner status joinedAt } } }", json!({})).await;
        assert_eq!(
            viewer["viewer"],
            json!({ "roles": ["MEMBER"], "member": { "name": "Name of new.agent", "email": "new.agent@example.com", "language": "ENGLISH",
                "isOwner": false, "status": "ACTIVE", "joinedAt": "2026-11-10T01:00:00.000Z" } })
        );
        let data = app.owner().data("{ invitations { nodes { state acceptedAt member { login } } } }", json!({})).await;
        assert_eq!(data["invitations"]["nodes"], json!([{ "state": "ACCEPTED", "acceptedAt": "2026-11-10T01:00:00.000Z", "member": { "login": "new.agent" } }]));
        let log = "{ auditEntries(filter: { action: [INVITATION_ACCEPT] }) { nodes { outcome actor { kind } target { label } changes { record field after } } } }";
        let entry = app.owner().data(log, json!({})).await["auditEntries"]["nodes"][0].clone();
        assert_eq!((&entry["outcome"], &entry["actor"]["kind"], &entry["target"]["label"]), (&json!("DONE"), &json!("NOBODY"), &json!("Name of new.agent")));
    }

    // case: D6
    async fn a4_opening_uses_nothing_up_and_accepting_does(app) {
        let link = sent(&app, "new.agent").await;
        for _ in 0..20 {
            assert_eq!(preview(&app, &link).await["login"], "new.agent");
        }
        let first = accepted(&app, &link).await;

        assert_eq!(first, Ok("new.agent".to_owned()));
        assert_eq!((accepted(&app, &link).await, preview(&app, &link).await), (refused(), Value::Null));
    }

    // case: D6
    async fn a4_every_link_that_is_not_good_is_refused_alike_and_costs_no_hash(app) {
        let used = sent(&app, "used").await;
        accepted(&app, &used).await.unwrap();
        let revoked = sent(&app, "revoked").await;
        let query = "{ invitations(filter: { query: \"revoked\" }) { nodes { id version } } }";
        let invitation = app.owner().data(query, json!({})).await["invitations"]["nodes"][0].clone();
        on(app.owner(), "invitationRevoke", &invitation, json!({})).await;
        let superseded = sent(&app, "superseded").await;
        let query = "{ invitations(filter: { query: \"superseded\" }) { nodes { id version } } }";
        let invitation = app.owner().data(query, json!({})).await["invitations"]["nodes"][0].clone();
        app.wait(Duration::minutes(10));
        on(app.owner(), "invitationResend", &invitation, json!({})).await;
        let good = sent(&app, "good").await;
        let (organization, secret) = good.strip_prefix("inv_").unwrap().split_once('_').unwrap();
        let rival = app.rival().data("{ organization { id } }", json!({})).await["organization"]["id"].as_str().unwrap().replace("org_", "");
        let wrong = [
            used.clone(), revoked, superseded, other(&good), format!("inv_{rival}_{secret}"), format!("inv_{}_{secret}", "0".repeat(26)), format!("inv_{organization}_"),
            format!("rt_{organization}_{secret}"), good.to_uppercase(), format!("{good}\0"), format!("{good} "), String::new(), "inv_".to_owned(), "가".to_owned(), "x".repeat(100_000),
        ];

        for token in wrong {
            let before = app.app.hashes.load(Ordering::Relaxed);
            let answer = accept_from(&app, [127, 0, 0, 1], &token, "x").await;
            let told = &answer.json["data"]["invitationAccept"];
            let message = "This link has expired, was used, or was replaced by a newer one.";
            let refusal = json!([{ "code": "LINK_REFUSED", "field": ["input", "token"], "message": message, "availableAt": null }]);
            assert_eq!(*told, json!({ "organizationDomain": null, "login": null, "userErrors": refusal }), "{token:.80}: {}", answer.text);
            assert_eq!(preview(&app, &token).await, Value::Null, "{token:.80}");
            assert_eq!(app.app.hashes.load(Ordering::Relaxed), before, "{token:.80}");
        }
        let expired = good.clone();
        app.wait(Duration::days(7));
        assert_eq!((accepted(&app, &expired).await, preview(&app, &expired).await), (refused(), Value::Null));
        let failed = "SELECT reason FROM audit_entry WHERE action = 'INVITATION_ACCEPT' AND outcome = 'FAILED' AND actor_kind = 'NOBODY'";
        let failed = texts(&app, failed).await;
        assert!(failed.len() >= 6 && failed.iter().all(|reason| reason == "LINK_REFUSED"), "{failed:?}");
    }

    // case: D7
    // case: J5
    async fn a4_a_token_is_in_its_letter_and_nowhere_else(app) {
        let first = sent(&app, "new.agent").await;
        let query = "{ invitations { nodes { id version } } }";
        let invitation = app.owner().data(query, json!({})).await["invitations"]["nodes"][0].clone();
        app.wait(Duration::minutes(10));
        on(app.owner(), "invitationResend", &invitation, json!({})).await;
        app.run_due().await;
        let second = token(&app, "new.agent");
        preview(&app, &second).await;
        accepted(&app, &second).await.unwrap();
        let dump = Raw::admin(&app).await.dump().await;
        let everything = format!("{dump:?}").to_lowercase();

        for token in [first, second] {
            let secret = token.splitn(3, '_').nth(2).unwrap().to_lowercase();
            let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            assert!(secret.len() == 43 && !everything.contains(&secret) && !everything.contains(&hex));
        }
        assert!(everything.contains("new.agent@example.com"), "the dump is one");
        let jobs = texts(&app, "SELECT kind || ' ' || argument || ' ' || coalesce(failure, '') FROM job_outbox").await;
        assert!(jobs.iter().all(|job| !job.contains('@') && !job.contains("Name of")), "{jobs:?}");
        let schema = crate::support::surface::Surface::of(&app).await;
        for name in schema.objects() {
            for field in schema.fields(&name) {
                let field = field["name"].as_str().unwrap().to_lowercase();
                assert!(!(name.contains("Invitation") || name.contains("Invite")) || !(field.contains("token") || field.contains("link")), "{name}.{field}");
            }
        }
    }

    async fn a4_a_password_that_is_too_weak_uses_nothing_up(app) {
        let link = sent(&app, "new.agent").await;
        let short = accept_from(&app, [127, 0, 0, 1], &link, "fourteen chars").await;
        let long = accept_from(&app, [127, 0, 0, 1], &link, &"x".repeat(1_025)).await;

        assert_eq!(codes(&short.json["data"]["invitationAccept"]), ["TOO_SHORT at input.password"]);
        assert_eq!(codes(&long.json["data"]["invitationAccept"]), ["TOO_LONG at input.password"]);
        assert_eq!(accepted(&app, &link).await, Ok("new.agent".to_owned()));
    }

    // case: D17
    async fn a4_whoever_became_a_member_meanwhile_is_one_already(app) {
        let link = sent(&app, "new.agent").await;
        execute(&app, "UPDATE member SET email = 'New.Agent@Example.COM' WHERE login = 'member'").await;
        let by_email = accepted(&app, &link).await;
        execute(&app, "UPDATE member SET email = 'member@example.com', login = 'new.agent' WHERE login = 'member'").await;
        let by_login = accepted(&app, &link).await;
        execute(&app, "UPDATE member SET status = 'LEFT' WHERE login = 'new.agent'").await;
        let free_again = accepted(&app, &link).await;

        let already = Err(vec!["ALREADY_MEMBER at input.token".to_owned()]);
        assert_eq!((by_email, by_login), (already.clone(), already));
        assert_eq!(free_again, Ok("new.agent".to_owned()));
    }

    // case: D17
    async fn a4_one_person_can_be_invited_by_two_organizations_and_is_a_member_of_each(app) {
        made(app.owner(), "new.agent").await;
        made(app.rival(), "new.agent").await;
        app.run_due().await;
        let links: Vec<String> = app.letters().iter().map(|letter| invite::link(letter).split_once('#').unwrap().1.to_owned()).collect();

        let mut domains = Vec::new();
        for link in &links {
            domains.push(accept(&app, link).await["organizationDomain"].as_str().unwrap().to_owned());
        }
        domains.sort();
        assert_eq!(domains, ["acme", "rival"]);
        assert_eq!(texts(&app, "SELECT login FROM member WHERE login = 'new.agent'").await.len(), 2);
    }

    async fn a4_tries_from_one_address_are_braked(app) {
        let link = sent(&app, "new.agent").await;
        for _ in 0..30 {
            assert_eq!(accepted(&app, &other(&link)).await, refused());
        }
        let blocked = accept(&app, &link).await;
        let elsewhere = accept_from(&app, [10, 0, 0, 1], &other(&link), CHOSEN).await;
        app.wait(Duration::minutes(1));

        assert_eq!((codes(&blocked), &blocked["userErrors"][0]["availableAt"]), (vec!["SIGN_IN_BLOCKED at input.token".to_owned()], &json!("2026-11-10T01:01:00.000Z")));
        assert_eq!(codes(&elsewhere.json["data"]["invitationAccept"]), ["LINK_REFUSED at input.token"]);
        assert_eq!(accepted(&app, &link).await, Ok("new.agent".to_owned()));
    }

    async fn a4_whoever_is_signed_in_accepts_as_nobody(app) {
        let link = sent(&app, "new.agent").await;
        let input = json!({ "token": link, "password": CHOSEN });
        let answer = app.rival().ask(invite::ACCEPT, json!({ "input": input })).await;

        assert_eq!(answer.json["data"]["invitationAccept"]["login"], "new.agent", "{}", answer.text);
        let actors = texts(&app, "SELECT actor_kind FROM audit_entry WHERE action = 'INVITATION_ACCEPT'").await;
        assert_eq!(actors, ["NOBODY"]);
    }

    // case: D6
    async fn a4_of_fifty_who_accept_one_link_at_once_one_becomes_a_member(app) {
        race(&[Arc::new(app)]).await;
    }

    // case: D6
    async fn a4_accepting_and_taking_back_at_once_end_in_one_of_both(app) {
        let app = Arc::new(app);
        for round in 0..rounds() {
            let login = format!("agent.{round}");
            app.wait(between(round));
            let link = sent(&app, &login).await;
            let query = format!("{{ invitations(filter: {{ query: \"{login}\" }}) {{ nodes {{ id version }} }} }}");
            let invitation = app.owner().data(&query, json!({})).await["invitations"]["nodes"][0].clone();
            let accepting = tokio::spawn({ let app = app.clone(); async move { accepted(&app, &link).await } });
            let revoking = tokio::spawn({ let app = app.clone(); async move { codes(&on(app.owner(), "invitationRevoke", &invitation, json!({})).await) } });
            let (accepting, revoking) = (accepting.await.unwrap(), revoking.await.unwrap());

            if accepting.is_ok() {
                assert!(revoking == ["STALE_VERSION at input.expectedVersion"], "{revoking:?}");
            } else {
                assert_eq!((accepting, revoking), (refused(), vec![]));
            }
        }
    }
}

// case: D6
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a4_of_fifty_on_two_servers_one_becomes_a_member() {
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let other = Arc::new(app.second_server().await);
    race(&[Arc::new(app), other]).await;
}

/// A new day after fifty rounds, for an organization sends a hundred letters in one; a minute else, for an address that signs
/// in too often is told to wait.
fn between(round: u32) -> Duration {
    if round.is_multiple_of(50) {
        Duration::days(1)
    } else {
        Duration::minutes(1)
    }
}

/// Fifty from as many addresses accept one link at once, each with a password of his own.
async fn race(servers: &[Arc<TestApp>]) {
    let app = &servers[0];
    for round in 0..rounds() {
        let login = format!("agent.{round}");
        app.wait(between(round));
        let link = sent(app, &login).await;
        let tries: Vec<_> = (0..50_u8)
            .map(|place| {
                let (server, link) = (servers[usize::from(place) % servers.len()].clone(), link.clone());
                let password = format!("a password of my choice {place}");
                tokio::spawn(async move {
                    loop {
                        let answer = accept_from(&server, [10, 0, 1, place], &link, &password).await;
                        // Only so many hashes wait at once: whoever is told to come back does.
                        if answer.code() != "THROTTLED" {
                            return answer;
                        }
                        server.wait(Duration::seconds(2));
                        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    }
                })
            })
            .collect();
        let (mut won, mut lost) = (Vec::new(), 0);
        for (place, attempt) in tries.into_iter().enumerate() {
            let answer = attempt.await.unwrap();
            let payload = &answer.json["data"]["invitationAccept"];
            assert!(payload["userErrors"].is_array(), "{}", answer.text);
            if payload["login"].is_string() {
                won.push(place);
            } else {
                assert_eq!(codes(payload), ["LINK_REFUSED at input.token"], "{}", answer.text);
                lost += 1;
            }
        }

        assert_eq!((won.len(), lost), (1, 49), "round {round}");
        let members = format!("SELECT login FROM member WHERE login = '{login}'");
        assert_eq!(texts(app, &members).await.len(), 1, "round {round}");
        let password = format!("a password of my choice {}", won[0]);
        assert!(
            can_sign_in(app, &login, &password).await,
            "the winner's password is the member's"
        );
        assert!(!can_sign_in(app, &login, PASSWORD).await);
    }
}
