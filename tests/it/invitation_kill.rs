//! What an invitation's letter survives: the server that is to send it is killed, again and again, at whatever it does;
//! afterwards every invitation has its letter, and every letter its invitation.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    time::Duration,
};

use orgdesk::{
    kernel::{Clock as _, Random, SystemClock},
    operate::{self, Person},
};
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{PASSWORD, TestApp},
        cluster::free_port,
        invite,
        ledger::{self, texts, until},
        raw::Raw,
        running::{BINARY, Running},
        sink::{Phase, Sink},
    },
};

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const KEY_RING: &str = "test:JSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/QEFCQ0Q=";

/// How many are invited between two kills.
const AT_ONCE: u64 = 3;

/// How often the server is killed: ten times here, more where it is asked for.
fn kills() -> u64 {
    let asked = std::env::var("ORGDESK_TEST_KILLS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(10)
}

/// Acme's database, the mail server, and whatever servers printed before they were killed.
struct Place<'a> {
    app: &'a TestApp,
    sink: Sink,
    address: String,
    printed: String,
}

impl Place<'_> {
    /// A server of its own process, as it runs for real.
    fn serve(&self) -> Running {
        let folder = std::env::temp_dir();
        let smtp = format!("smtp://127.0.0.1:{}?tls=none", self.sink.port);
        let mut command = Command::new(BINARY);
        command.arg("serve").env_clear().current_dir(folder).envs([
            ("DATABASE_URL", self.app.url.as_str()),
            ("ORGDESK_SECRET", SECRET),
            ("ORGDESK_KEY_RING", KEY_RING),
            ("ORGDESK_ORGANIZATION_URL", "https://{domain}.example.com"),
            ("ORGDESK_PUBLIC_URL", "https://desk.example.com"),
            ("ORGDESK_MAIL_FROM", "Orgdesk <no-reply@example.com>"),
            ("ORGDESK_SMTP_URL", smtp.as_str()),
            ("ORGDESK_LISTEN", self.address.as_str()),
        ]);
        Running::start(&mut command, &self.address)
    }

    /// Kills the server; what it had printed is kept.
    fn kill(&mut self, server: Running) {
        self.printed.push_str(&server.printed());
        drop(server);
    }

    /// What a server that was killed has begun is another's after ten minutes, which nobody waits for here.
    async fn ten_minutes_later(&self) {
        let then = (SystemClock.now().0 - chrono::Duration::minutes(10)).to_rfc3339();
        let lost = format!("UPDATE job_outbox SET handed_over_at = '{then}' WHERE state = 'QUEUED'");
        ledger::execute(self.app, &lost).await;
    }

    async fn ask(&self, token: Option<String>, query: &str, variables: Value) -> Option<Value> {
        let mut request = reqwest::Client::new().post(format!("http://{}/graphql", self.address));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let body = json!({ "query": query, "variables": variables });
        request.json(&body).send().await.ok()?.json().await.ok()
    }

    /// Whether somebody was invited, as far as whoever asked was told.
    async fn invite(&self, token: String, login: &str) -> bool {
        let query = "mutation M($input: MemberInviteInput!) { memberInvite(input: $input) { invitation { id } userErrors { code } } }";
        let answer = self
            .ask(Some(token), query, json!({ "input": invite::input(login) }))
            .await;
        answer.is_some_and(|answer| answer["data"]["memberInvite"]["invitation"]["id"].is_string())
    }
}

/// An organization for ten kills: it sends a hundred letters a day.
async fn organization(app: &TestApp, round: u64) -> String {
    let domain = format!("org{}", round / 10);
    if round.is_multiple_of(10) {
        let owner = Person {
            login: "owner".to_owned(),
            name: "소유자".to_owned(),
            email: "owner@example.com".to_owned(),
            password_hash: operate::hash_password(&app.app, PASSWORD).await.unwrap(),
            is_administrator: false,
        };
        operate::create_organization(&app.app, &domain, &domain, "Asia/Seoul", owner)
            .await
            .unwrap();
    }
    domain
}

both! {
    // case: J1
    // case: D7
    async fn j1_a_server_that_is_killed_loses_no_letter_and_sends_none_of_its_own(app) {
        let random = Random::seeded(11);
        let mut place = Place { app: &app, sink: Sink::start(), address: format!("127.0.0.1:{}", free_port()), printed: String::new() };
        let mut known = BTreeSet::new();
        for round in 0..kills() {
            app.clock.set(SystemClock.now().0);
            let domain = organization(&app, round).await;
            let token = app.someone(&domain, "owner").token().await;
            place.ten_minutes_later().await;
            let server = place.serve();
            place.sink.forget();
            let logins: Vec<String> = (0..AT_ONCE).map(|place| format!("agent.{round}.{place}")).collect();
            let asking = async { futures_util::future::join_all(logins.iter().map(|login| place.invite(token.clone(), login))).await };
            let killing = async {
                // Four times of five at a place on the way of a letter, which a killed server may have to go again.
                let phase = [Phase::Connected, Phase::Recipient, Phase::Taken, Phase::Answered].get(usize::try_from(round % 5).unwrap()).copied();
                let moment = Duration::from_millis(random.below(if phase.is_some() { 40 } else { 2_500 }));
                if let Some(phase) = phase {
                    place.sink.wait(phase, Duration::from_secs(10)).await;
                }
                tokio::time::sleep(moment).await;
                let pid = server.id().to_string();
                assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
            };
            let (told, ()) = tokio::join!(asking, killing);
            place.kill(server);
            known.extend(logins.into_iter().zip(told).filter_map(|(login, told)| told.then_some(login)));
        }
        place.ten_minutes_later().await;
        let server = place.serve();
        let open = "SELECT argument || ' ' || state || ' ' || coalesce(failure, '') FROM job_outbox WHERE kind = 'invitation-mail' AND state <> 'DONE'";
        until(async || texts(&app, open).await, Vec::is_empty).await;

        let invited: BTreeSet<String> = texts(&app, "SELECT login FROM invitation").await.into_iter().collect();
        let letters = place.sink.taken();
        let mut by_login: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for letter in &letters {
            by_login.entry(letter.to.trim_end_matches("@example.com").to_owned()).or_default().push(letter);
        }
        assert!(known.is_subset(&invited), "whoever was told that he invited somebody has: {known:?} {invited:?}");
        assert_eq!(by_login.keys().cloned().collect::<BTreeSet<_>>(), invited, "none lost, none without an invitation");
        let ids: BTreeSet<String> = letters.iter().map(|letter| letter.message_id.clone()).collect();
        assert_eq!(ids.len(), invited.len(), "who gets a letter twice sees that it is one");
        assert_eq!(texts(&app, "SELECT DISTINCT delivery FROM invitation_mailing").await, ["SENT"]);
        for (login, letters) in &by_login {
            let token = &letters.last().unwrap().token;
            let opened = place.ask(None, invite::PREVIEW, json!({ "token": token })).await.unwrap();
            assert_eq!(opened["data"]["invitationPreview"]["login"], json!(login), "the link of the last one is good: {opened}");
        }
        place.kill(server);
        let everything = format!("{:?}{}", Raw::admin(&app).await.dump().await, place.printed);
        assert!(place.printed.contains("\"/graphql\"") && everything.contains("@example.com"), "there is something to look through");
        assert!(letters.iter().all(|letter| !everything.contains(letter.token.splitn(3, '_').nth(2).unwrap())), "a token is in its letter and nowhere else");
        println!("{} kills, {} invited ({} of them told), {} letters", kills(), invited.len(), known.len(), letters.len());
    }
}
