//! What an extraction survives: the server that makes its file is killed, again and again, at whatever it does; afterwards
//! there is one file with each row of the list once, and each step stands in the log once. `tests/kills.sh` does it 200 times.

use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

use orgdesk::kernel::Random;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::TestApp,
        cluster::free_port,
        extraction::{extraction, fetch, link, log, requested},
        import_server::{a_minute_later, number, serve},
        ledger::{execute, texts},
        make::{self, Made},
        people,
        running::Running,
        sink::Sink,
        ticket,
        workbook::cells,
    },
};

/// How often the server is killed: ten times here on each database, more where it is asked for.
fn kills() -> usize {
    let asked = std::env::var("ORGDESK_TEST_KILLS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(10)
}

/// How often while one file is made: a job that kills its server each time is given up at last.
const KILLS_OF_ONE: usize = 8;

/// How many rows the list has.
const ROWS: usize = 6_000;

/// A service in use with so many tickets, of which the owner has extracts.
async fn filled(app: &TestApp) -> Made {
    let desk = make::in_use(app.owner(), "desk", 3).await;
    people::employ(app, "desk", "owner", true).await;
    ticket::made(app.owner(), &desk, json!({})).await;
    execute(app, "UPDATE ticket SET external_id = 'old-1'").await;
    let (id, serial) = if app.admin_url.is_some() {
        ("gen_random_uuid()", format!("generate_series(2, {ROWS}) AS serial (n)"))
    } else {
        let series = format!(
            "WITH RECURSIVE of (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM of WHERE n < {ROWS}) SELECT n FROM of"
        );
        ("randomblob(16)", format!("({series}) AS serial"))
    };
    let copies = format!(
        "INSERT INTO ticket (id, organization_id, service_id, number, channel, status, priority, received_at, external_id, is_migrated, plain, sealed, created_at, version)
         SELECT {id}, organization_id, service_id, serial.n, channel, status, priority, received_at, 'old-' || serial.n, is_migrated, plain, '{{}}', created_at, 1
         FROM ticket, {serial} WHERE number = 1"
    );
    execute(app, &copies).await;
    app.wait(chrono::Duration::seconds(1));
    desk
}

/// The files below a folder that a server may have left, by their paths below it: not the database, nor what is there anyhow.
fn files(folder: &Path) -> BTreeSet<String> {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(folder, folder, &mut found);
    found.retain(|path| !path.starts_with("orgdesk.db") && !path.starts_with("audit-anchor"));
    found
}

/// Waits until somebody has begun on an extraction more often than this, or it is over.
async fn begun(app: &TestApp, id: &str, before: usize) {
    let mut looks = 0;
    while number(app, &format!("SELECT fence FROM extraction WHERE {}", is(app, id))).await == before {
        looks += 1;
        assert!(looks < 6_000, "nobody begins on the extraction");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until an extraction is over.
async fn over(app: &TestApp, id: &str) {
    let mut looks = 0;
    while state(app, id).await != "READY" {
        looks += 1;
        assert!(
            looks < 9_000,
            "the extraction does not come to its end: {}",
            state(app, id).await
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn state(app: &TestApp, id: &str) -> String {
    texts(app, &format!("SELECT state FROM extraction WHERE {}", is(app, id)))
        .await
        .remove(0)
}

/// The row of an extraction: its ID as the database has it.
fn is(app: &TestApp, id: &str) -> String {
    let digits = "0123456789abcdefghjkmnpqrstvwxyz";
    let number = id[4..].chars().fold(0_u128, |number, letter| {
        number << 5 | digits.find(letter).unwrap() as u128
    });
    match app.admin_url.is_some() {
        true => format!("id = '{}'", uuid::Uuid::from_u128(number)),
        false => format!("id = x'{number:032x}'"),
    }
}

/// How many died while they made a file.
fn at_work(killed: &[String]) -> usize {
    killed.iter().filter(|state| *state == "RUNNING").count()
}

/// Servers, one after the other, and whatever they printed.
struct Place<'a> {
    app: &'a TestApp,
    address: String,
    mail: u16,
}

impl Place<'_> {
    async fn server(&self) -> Running {
        a_minute_later(self.app).await;
        serve(self.app, &self.address, self.mail)
    }

    async fn asked(&self, desk: &Made) -> String {
        let more = json!({ "columns": ["@number", "@externalReference", "subject"] });
        requested(self.app.owner(), json!({ "tickets": { "serviceId": desk.id } }), more).await
    }
}

both! {
    // case: F5
    async fn l4_a_server_that_is_killed_leaves_one_file_with_each_row_once(app) {
        let desk = filled(&app).await;
        let sink = Sink::start();
        let place = Place { app: &app, address: format!("127.0.0.1:{}", free_port()), mail: sink.port };
        let random = Random::seeded(17);
        // One that nobody disturbs: how long it takes, and what it comes to.
        let calm = place.asked(&desk).await;
        let server = place.server().await;
        begun(&app, &calm, 0).await;
        let begin = Instant::now();
        over(&app, &calm).await;
        let whole = u64::try_from(begin.elapsed().as_millis()).unwrap();
        drop(server);

        let (mut ids, mut killed, mut longest) = (vec![calm], Vec::new(), whole);
        while killed.len() < kills() || at_work(&killed) * 3 < killed.len() {
            assert!(killed.len() < 4 * kills(), "few died at work: {killed:?}");
            let id = place.asked(&desk).await;
            for _ in 0..KILLS_OF_ONE.min(kills().saturating_sub(killed.len()).max(1)) {
                let fence = number(&app, &format!("SELECT fence FROM extraction WHERE {}", is(&app, &id))).await;
                let server = place.server().await;
                begun(&app, &id, fence).await;
                // Most die while rows are written, some at the end of it.
                tokio::time::sleep(Duration::from_millis(random.below(longest + longest / 8))).await;
                // Dropping it kills it without a word.
                drop(server);
                killed.push(state(&app, &id).await);
                if killed.last().is_some_and(|state| state == "READY") {
                    // The first one may have been slow, with others at work beside it.
                    longest = (longest / 2).max(50);
                    break;
                }
            }
            let server = place.server().await;
            over(&app, &id).await;
            drop(server);
            ids.push(id);
        }

        let mut rows = Vec::new();
        for id in &ids {
            let made = extraction(app.owner(), id).await;
            assert_eq!((&made["state"], &made["rowCount"], &made["job"]["doneCount"]), (&json!("READY"), &json!(ROWS), &json!(ROWS)));
            let mut steps = log(&app, json!({ "extractionId": id })).await;
            steps.sort();
            assert_eq!(steps, ["READY TICKETS extraction-run owner -", "REQUESTED TICKETS owner owner -"], "each step once");
            let file = fetch(&app, link(&made)).await;
            assert_eq!(file.status, 200);
            rows.push(cells(&file.bytes));
        }
        let expected: BTreeSet<Vec<String>> = (1..=ROWS).map(|row| vec![row.to_string(), format!("old-{row}"), rows[0][1][2].clone()]).collect();
        for rows in &rows {
            assert_eq!(rows.len(), ROWS + 1, "each row once");
            assert_eq!(rows[1..].iter().cloned().collect::<BTreeSet<_>>(), expected);
        }
        assert!(rows.iter().all(|one| *one == rows[0]), "whoever makes it, it is the same list");
        // The sweep takes what lies there without a row for a day.
        app.wait(chrono::Duration::hours(49));
        execute(&app, "UPDATE job_outbox SET state = 'WAITING', due_at = '2026-11-10T02:00:00+00:00' WHERE kind = 'extraction-sweep'").await;
        app.run_due().await;
        let left = files(app.data());
        assert_eq!(left.len(), ids.len(), "the files, and nothing half-written beside them: {left:?}");
        assert!(left.iter().all(|path| path.starts_with("files/extractions/") && !path.contains('#')), "{left:?}");
        let told: Vec<Value> = killed.iter().map(|state| json!(state)).collect();
        println!("{} kills in {} files, each of {whole} ms: {}", killed.len(), ids.len() - 1, json!(told));
    }
}
