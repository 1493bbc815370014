//! Data keys are replaced beside the running service: whoever does it is killed again and again and goes on, and all the while
//! every value opens.

use std::{
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        account::sign_in,
        app::{KEY_RING, PASSWORD, TestApp},
        authenticator,
        make::Made,
        raw::Raw,
        running::BINARY,
        ticket::desk,
    },
    ticket_migrate::{bring, row},
};

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// How often whoever rotates is killed.
const KILLS: u64 = 4;

/// How a value that the first key sealed begins, as tickets have it: the form, then the key's version.
const FIRST: &str = "\"AQAAAAE";

const FOUND: &str = "query Q($id: ID!) { tickets(serviceId: $id, filter: { value: { code: \"phone\", equals: \"01023456789\" } }) { totalCount } }";

/// How many sealed values there are, two a ticket: 1,200 here, more where it is asked for.
fn values() -> i32 {
    let asked = std::env::var("ORGDESK_TEST_ROTATED").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(1_200)
}

/// `orgdesk key rotate`, as an operator has it beside the service.
fn rotation(app: &TestApp) -> Child {
    let mut command = Command::new(BINARY);
    command
        .args(["key", "rotate"])
        .env_clear()
        .current_dir(std::env::temp_dir());
    command.envs([
        ("DATABASE_URL", app.url.as_str()),
        ("ORGDESK_SECRET", SECRET),
        ("ORGDESK_KEY_RING", KEY_RING),
        ("ORGDESK_ORGANIZATION_URL", "https://{domain}.example.com"),
        ("ORGDESK_PUBLIC_URL", "https://desk.example.com"),
        ("ORGDESK_MAIL_FROM", "Orgdesk <no-reply@example.com>"),
        ("ORGDESK_SMTP_URL", "smtp://127.0.0.1:2525?tls=none"),
    ]);
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    quiet.spawn().expect("the binary is there")
}

/// Looks at tickets again and again until it is told to stop: from the first on, and from the last on.
async fn watch(app: Arc<TestApp>, service: String, is_over: Arc<AtomicBool>, looks: Arc<AtomicUsize>) {
    let query =
        "query Q($id: ID!) { newest: tickets(serviceId: $id, first: 50) { nodes { values { code text fault } } }
        oldest: tickets(serviceId: $id, last: 50) { nodes { values { code text fault } } } }";
    while !is_over.load(Ordering::Relaxed) {
        let data = app.someone("acme", "agent").data(query, json!({ "id": service })).await;
        for list in ["newest", "oldest"] {
            let nodes = data[list]["nodes"].as_array().unwrap();
            assert_eq!(nodes.len(), 50);
            let values = nodes.iter().flat_map(|node| node["values"].as_array().unwrap());
            let phones: Vec<&Value> = values.filter(|value| value["code"] == "phone").collect();
            assert!(
                phones
                    .iter()
                    .all(|value| value["text"] == "010-****-6789" && value["fault"].is_null()),
                "{phones:?}"
            );
        }
        looks.fetch_add(1, Ordering::Relaxed);
        // The watchers and the rotation share the processor.
        tokio::task::yield_now().await;
    }
}

/// How many parts of a rotation stand in the log.
async fn parts(raw: &mut Raw) -> u64 {
    raw.count("audit_entry WHERE action = 'DATA_KEY_ROTATE'").await
}

/// Rotates, and kills whoever does it once it has done something, as often as is asked.
async fn kill_again_and_again(app: &TestApp, raw: &mut Raw) {
    for round in 0..KILLS {
        let before = parts(raw).await;
        let mut rotating = rotation(app);
        while parts(raw).await < before + 1 + round % 3 && rotating.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        rotating.kill().unwrap();
        rotating.wait().unwrap();
    }
}

async fn filled(app: &TestApp) -> Made {
    let service = desk(app, "desk").await;
    let tickets: Vec<i32> = (1..=values() / 2).collect();
    for numbers in tickets.chunks(500) {
        bring(app, &service, 1, numbers.iter().copied().map(row).collect()).await;
    }
    service
}

both! {
    async fn i5_data_keys_are_replaced_through_kills_and_every_value_opens_all_the_while(app) {
        // case: B8
        let app = Arc::new(app);
        let service = filled(&app).await;
        let authenticator = authenticator::activated(&app, app.member()).await;
        let mut raw = Raw::admin(&app).await;
        let (is_over, looks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let watching = tokio::spawn(watch(app.clone(), service.id.clone(), is_over.clone(), looks.clone()));

        kill_again_and_again(&app, &mut raw).await;
        let rotated = rotation(&app).wait_with_output().unwrap();
        is_over.store(true, Ordering::Relaxed);
        watching.await.expect("every value opened");

        assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
        assert!(looks.load(Ordering::Relaxed) > 3);
        let keys = raw.texts("SELECT purpose || ' ' || CASE WHEN version > 1 THEN 'new' ELSE 'first' END FROM data_key ORDER BY purpose").await;
        assert_eq!(keys, ["field index first", "field value new", "second factor new"], "one key of each is left");
        let dump = raw.dump().await;
        assert_eq!(dump["ticket"].iter().filter(|row| row.contains(FIRST)).count(), 0);
        assert_eq!(dump["ticket"].len(), usize::try_from(values() / 2).unwrap());
        app.wait(chrono::Duration::seconds(30));
        let inside = sign_in(&app, "member", PASSWORD, Some(&authenticator.code(&app))).await;
        assert!(inside["tokens"]["accessToken"].is_string(), "{inside}");
        // Nothing here looks after the statistics, as a server in production does.
        raw.must("ANALYZE").await;
        let found = app.someone("acme", "agent").data(FOUND, json!({ "id": service.id })).await;
        assert_eq!(found["tickets"]["totalCount"], values() / 2, "and every value is found");
    }

    async fn i5_a_value_that_does_not_open_stays_and_so_does_its_key(app) {
        let service = desk(&app, "desk").await;
        bring(&app, &service, 1, (1..=3).map(row).collect()).await;
        let mut raw = Raw::admin(&app).await;
        let swap = "UPDATE ticket SET sealed = (SELECT other.sealed FROM ticket other WHERE other.number = 2) WHERE number = 1";
        raw.must(swap).await;

        let rotated = rotation(&app).wait_with_output().unwrap();

        let said = String::from_utf8_lossy(&rotated.stderr).into_owned();
        assert!(!rotated.status.success() && said.contains("2 values do not open"), "{said}");
        let keys = raw.texts("SELECT purpose || version FROM data_key WHERE purpose = 'field value' ORDER BY version").await;
        assert_eq!(keys, ["field value1", "field value2"]);
    }
}
