//! Servers that stand still in the middle of an import and come back when another has gone on with it: as a machine does
//! that swaps, or is moved. Only PostgreSQL has several servers.

use std::time::Duration;

use orgdesk::kernel::Random;

use crate::support::{
    app::TestApp,
    cluster::free_port,
    import_server::{a_minute_later, all_over, more_than, number, serve},
    imports::{self, CONFIRM, In, Row, agreed, draft, fill, import, template},
    ledger::texts,
    make,
    running::Running,
};

/// How many rows the file has.
const ROWS: usize = 14_000;

/// How many imports are not over.
const AT_WORK: &str = "SELECT count(*) FROM import WHERE finished_at IS NULL";

/// Stops a server at a moment at which it has no transaction open: one that it has the database ends after 15 seconds, and
/// nobody waits for them here.
async fn pause(app: &TestApp, server: &Running, random: &Random) {
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'orgdesk' AND state <> 'idle'";
    loop {
        tokio::time::sleep(Duration::from_millis(random.below(30))).await;
        server.signal("STOP");
        // What the other server has open is soon over.
        for _ in 0..5 {
            if number(app, open).await == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        server.signal("CONT");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m5_a_server_that_was_paused_does_nothing_more_when_it_is_back() {
    // case: F4
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let desk = make::in_use(app.owner(), "desk", 3).await;
    let ids: Vec<String> = (0..ROWS).map(|row| format!("old-{row}")).collect();
    let rows: Vec<_> = ids
        .iter()
        .map(|id| imports::with(&[("@externalId", In::Text(id))]))
        .collect();
    let rows: Vec<Row<'_>> = rows.iter().map(Vec::as_slice).collect();
    let file = fill(&template(&app, app.owner(), &desk.id).await, &rows);
    let waiting = import(app.owner(), &draft(&app, app.owner(), &desk.id, &file).await).await;
    app.owner().deed(CONFIRM, agreed(&waiting, "SKIP_BAD_ROWS")).await;
    let random = Random::seeded(17);
    let start = || serve(&app, &format!("127.0.0.1:{}", free_port()), free_port());

    let mut working = start();
    more_than(&app, 0).await;
    // However fast the machine is, the first is paused before its work is over.
    pause(&app, &working, &random).await;
    let mut other = start();
    let mut printed = String::new();
    let mut pauses = 1;
    loop {
        let before = number(&app, "SELECT count(*) FROM ticket").await;
        a_minute_later(&app).await;
        more_than(&app, before).await;
        // It goes on exactly where it stood, with the rows that it had in its hands.
        working.signal("CONT");
        std::mem::swap(&mut working, &mut other);
        if pauses == 3 || number(&app, AT_WORK).await == 0 {
            break;
        }
        pause(&app, &working, &random).await;
        pauses += 1;
    }
    // The last that is at work is killed, and the one that was paused before does the rest.
    pause(&app, &working, &random).await;
    printed.push_str(&working.printed());
    drop(working);
    a_minute_later(&app).await;
    all_over(&app).await;
    printed.push_str(&other.printed());
    drop(other);

    let overtaken = printed.matches("another server has gone on with this import").count();
    assert!(overtaken >= 1, "nobody was found to be overtaken:\n{printed}");
    let told = "SELECT state || ' ' || CAST(inserted_count AS TEXT) || ' ' || CAST(failed_count AS TEXT) || ' ' || CAST(done_count AS TEXT) FROM import";
    assert_eq!(texts(&app, told).await, [format!("COMPLETED {ROWS} 0 {ROWS}")]);
    assert_eq!(number(&app, "SELECT count(*) FROM ticket").await, ROWS);
    assert_eq!(
        number(&app, "SELECT count(DISTINCT import_row) FROM ticket").await,
        ROWS
    );
    assert_eq!(
        number(&app, "SELECT max(number) FROM ticket").await,
        ROWS,
        "no number was lost to a part that was refused"
    );
    let fence = number(&app, "SELECT fence FROM import").await;
    assert!(
        fence > overtaken,
        "each that took over has counted up the fence: {fence}, {overtaken} overtaken"
    );
    assert_eq!(
        number(&app, "SELECT count(*) FROM audit_entry WHERE action = 'IMPORT_RUN'").await,
        1
    );
    println!("paused {pauses} times, begun {fence} times, overtaken {overtaken} times");
}
