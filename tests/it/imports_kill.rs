//! What an import survives: the server that is at work on it is killed, again and again, at whatever it does; afterwards
//! each row is one ticket, and the counts are those of the database.

use std::{process::Command, time::Duration};

use orgdesk::kernel::{Clock as _, Random, SystemClock};

use crate::{
    both,
    support::{
        app::TestApp,
        cluster::free_port,
        imports::{self, CONFIRM, In, Row, agreed, fill, import, template, without},
        ledger::{self, texts},
        make,
        running::{BINARY, Running},
        sink::Sink,
    },
};

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const KEY_RING: &str = "test:JSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/QEFCQ0Q=";

/// How often the server is killed: six times here on each database, more where it is asked for.
fn kills() -> u64 {
    let asked = std::env::var("ORGDESK_TEST_KILLS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(6)
}

/// How many rows the file has, so many that each kill finds it at work; every twentieth has something wrong.
fn rows_of_file() -> usize {
    usize::try_from(kills()).unwrap().min(100) * 1_000
}

/// A server of its own process, as it runs for real.
fn serve(app: &TestApp, address: &str, mail: u16) -> Running {
    let folder = app.data();
    let smtp = format!("smtp://127.0.0.1:{mail}?tls=none");
    let mut command = Command::new(BINARY);
    command.arg("serve").env_clear().current_dir(folder).envs([
        ("DATABASE_URL", app.url.as_str()),
        ("ORGDESK_DATA", folder.to_str().unwrap()),
        ("ORGDESK_SECRET", SECRET),
        ("ORGDESK_KEY_RING", KEY_RING),
        ("ORGDESK_ORGANIZATION_URL", "https://{domain}.example.com"),
        ("ORGDESK_PUBLIC_URL", "https://desk.example.com"),
        ("ORGDESK_MAIL_FROM", "Orgdesk <no-reply@example.com>"),
        ("ORGDESK_SMTP_URL", smtp.as_str()),
        ("ORGDESK_LISTEN", address),
    ]);
    Running::start(&mut command, address)
}

/// What a server that was killed has begun is another's after a minute, which nobody waits for here.
async fn a_minute_later(app: &TestApp) {
    let then = (SystemClock.now().0 - chrono::Duration::minutes(2)).to_rfc3339();
    let lost = format!("UPDATE job_outbox SET handed_over_at = '{then}' WHERE state = 'QUEUED'");
    ledger::execute(app, &lost).await;
}

async fn number(app: &TestApp, sql: &str) -> usize {
    texts(app, &format!("SELECT CAST(({sql}) AS TEXT)")).await[0]
        .parse()
        .unwrap()
}

/// Waits until more tickets are there than these, or all of them.
async fn more_than(app: &TestApp, tickets: usize) {
    for _ in 0..3_000 {
        let now = number(app, "SELECT count(*) FROM ticket").await;
        let is_over = number(app, "SELECT count(*) FROM import WHERE finished_at IS NOT NULL").await;
        if now > tickets || is_over > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no ticket comes after {tickets}");
}

both! {
    // case: F5
    async fn m8_a_server_that_is_killed_loses_no_row_and_doubles_none(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;
        let template = template(&app, app.owner(), &desk.id).await;
        let (bad, all) = (without("mail"), rows_of_file());
        let ids: Vec<String> = (0..all).map(|row| format!("old-{row}")).collect();
        let rows: Vec<Vec<(&str, In<'_>)>> = ids.iter().enumerate().map(|(number, id)| match number % 20 {
            0 => bad.clone(),
            _ => imports::with(&[("@externalId", In::Text(id))]),
        }).collect();
        let rows: Vec<Row<'_>> = rows.iter().map(Vec::as_slice).collect();
        let id = imports::draft(&app, app.owner(), &desk.id, &fill(&template, &rows)).await;
        let draft = import(app.owner(), &id).await;
        app.owner().deed(CONFIRM, agreed(&draft, "SKIP_BAD_ROWS")).await;
        let (sink, address, random) = (Sink::start(), format!("127.0.0.1:{}", free_port()), Random::seeded(13));

        let mut parts = Vec::new();
        for _ in 0..kills() {
            a_minute_later(&app).await;
            let before = number(&app, "SELECT count(*) FROM ticket").await;
            let server = serve(&app, &address, sink.port);
            more_than(&app, before).await;
            tokio::time::sleep(Duration::from_millis(random.below(400))).await;
            // Dropping it kills it without a word.
            drop(server);
            // One look at both: a commit may still be on its way.
            let both = "SELECT CAST((SELECT count(*) FROM ticket) AS TEXT) || ' ' || CAST(inserted_count AS TEXT) FROM import";
            let both = texts(&app, both).await.remove(0);
            let (there, counted) = both.split_once(' ').unwrap();
            parts.push(there.to_owned());
            assert_eq!(there, counted, "the counts are what the database holds, at any moment");
        }
        a_minute_later(&app).await;
        let server = serve(&app, &address, sink.port);
        for _ in 0..9_000 {
            if number(&app, "SELECT count(*) FROM import WHERE finished_at IS NOT NULL").await > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(server);

        let good = all - all / 20;
        assert_eq!(number(&app, "SELECT count(*) FROM ticket").await, good, "{parts:?}");
        assert_eq!(number(&app, "SELECT count(DISTINCT import_row) FROM ticket").await, good);
        assert_eq!(number(&app, "SELECT count(DISTINCT external_id) FROM ticket").await, good);
        assert_eq!(number(&app, "SELECT sum(import_row) FROM ticket").await, (2..all + 2).filter(|row| (row - 2) % 20 != 0).sum::<usize>());
        assert_eq!(number(&app, "SELECT count(*) FROM import_outcome WHERE kind = 'FAILED'").await, all / 20);
        assert_eq!(texts(&app, "SELECT state || ' ' || CAST(inserted_count AS TEXT) || ' ' || CAST(failed_count AS TEXT) || ' ' || CAST(done_count AS TEXT) FROM import").await,
            [format!("PARTIAL {good} {} {all}", all / 20)]);
        assert_eq!(number(&app, "SELECT count(*) FROM audit_entry WHERE action = 'IMPORT_RUN'").await, 1, "its end stands in the log once");
        println!("{} kills at {parts:?}", kills());
    }
}
