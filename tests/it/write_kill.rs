//! A server that is killed while many write: whatever it has acknowledged is there when the next one is up, with its entry in
//! the log, and nothing else is.

use std::process::Command;

use orgdesk::{
    kernel::{Clock as _, Random, SystemClock},
    operate::{self, Person},
};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::{
    audit::breaks,
    both,
    support::{
        app::{PASSWORD, TestApp},
        cluster::free_port,
        import_server::{number, serve},
        ledger::texts,
        make,
        raw::Raw,
        sink::Sink,
    },
};

/// How many write at the same time.
const WRITERS: usize = 4;

/// How often the server is killed: eight times here on each database, more where it is asked for.
fn kills() -> usize {
    let asked = std::env::var("ORGDESK_TEST_KILLS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(8)
}

/// An organization of its own for each kill, since one has so many services at the most; a token of its owner.
async fn organization(app: &TestApp, round: usize) -> String {
    let domain = format!("org{round}");
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
    app.someone(&domain, "owner").token().await
}

/// The same with letters for all else, since codes are of letters.
fn letters(text: &str) -> String {
    let letter = |byte: u8| {
        if byte.is_ascii_digit() {
            byte - b'0' + b'a'
        } else {
            b'x'
        }
    };
    text.bytes().map(|byte| char::from(letter(byte))).collect()
}

/// Writes until nobody answers any more, now this, now that, and tells what was acknowledged.
async fn write(address: &str, token: &str, (round, writer): (usize, usize), told: UnboundedSender<String>) {
    let client = reqwest::Client::new();
    for number in 0.. {
        let name = letters(&format!("{round}-{writer}-{number}"));
        let field = match number % 2 {
            0 => make::company(&name).replace(" => ", " { "),
            _ => format!(
                "serviceCreate(input: {{ kind: ISSUE, code: \"{name}\", name: \"{name}\" }}) {{ service {{ id }}"
            ),
        };
        let body = json!({ "query": format!("mutation {{ made: {field} userErrors {{ code }} }} }}") });
        let sent = client
            .post(format!("http://{address}/graphql"))
            .bearer_auth(token)
            .json(&body)
            .send()
            .await;
        let Ok(answer) = sent else { return };
        let Ok(answer) = answer.json::<Value>().await else {
            return;
        };
        assert_eq!(answer["data"]["made"]["userErrors"], json!([]), "{body}: {answer}");
        if told.send(name).is_err() {
            return;
        }
    }
}

both! {
    // case: K1
    async fn p4_a_server_that_is_killed_while_many_write_loses_nothing_that_it_acknowledged(app) {
        let random = Random::seeded(17);
        let (sink, address) = (Sink::start(), format!("127.0.0.1:{}", free_port()));
        let mut acknowledged = Vec::new();
        for round in 0..kills() {
            app.clock.set(SystemClock.now().0);
            let token = organization(&app, round).await;
            let server = serve(&app, &address, sink.port);
            let (told, mut heard) = unbounded_channel();
            let writing = (0..WRITERS).map(|writer| write(&address, &token, (round, writer), told.clone()));
            let killing = async {
                // The others are in the middle of whatever they are at.
                for _ in 0..=random.below(20) {
                    acknowledged.extend(heard.recv().await);
                }
                let pid = server.id().to_string();
                assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
            };
            tokio::join!(futures_util::future::join_all(writing), killing);
            while let Ok(name) = heard.try_recv() {
                acknowledged.push(name);
            }
            drop(server);
        }
        // The next one comes up over whatever the last one left.
        drop(serve(&app, &address, sink.port));

        let (services, companies) = (texts(&app, "SELECT code FROM service").await, texts(&app, "SELECT title FROM company").await);
        let lost: Vec<_> = acknowledged.iter().filter(|name| !services.contains(*name) && !companies.contains(*name)).collect();
        assert_eq!(lost, Vec::<&String>::new());
        assert!(acknowledged.len() >= kills(), "{acknowledged:?}");
        let entries = async |action: &str| number(&app, &format!("SELECT count(*) FROM audit_entry WHERE action = '{action}' AND outcome = 'DONE'")).await;
        assert_eq!((entries("SERVICE_CREATE").await, entries("COMPANY_CREATE").await), (services.len(), companies.len()), "each deed has its entry");
        assert_eq!(breaks(&app).await, Vec::<String>::new());
        let mut raw = Raw::admin(&app).await;
        if !raw.is_postgres() {
            assert_eq!(raw.texts("PRAGMA integrity_check").await, ["ok"]);
            assert_eq!(raw.count("pragma_foreign_key_check").await, 0);
        }
        println!("{} kills, {} acknowledged of {}", kills(), acknowledged.len(), services.len() + companies.len());
    }
}
