//! What an import survives: the server that is at work on it is killed, again and again, at whatever it does; afterwards
//! each row is one ticket, and the counts are those of the database. `tests/kills.sh` does it 200 times.

use std::time::Duration;

use orgdesk::kernel::Random;

use crate::{
    both,
    support::{
        cluster::free_port,
        import_server::{a_minute_later, all_over, more_than, number, serve},
        imports::{self, CONFIRM, In, Row, agreed, fill, import, template, without},
        ledger::texts,
        make,
        sink::Sink,
    },
};

/// How often the server is killed: thirty times here on each database, more where it is asked for.
fn kills() -> usize {
    let asked = std::env::var("ORGDESK_TEST_KILLS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(30)
}

/// How many rows the file has: nearly two parts for each kill, since not every kill waits for one, and no more than can be
/// read again and again; every twentieth has something wrong.
fn rows_of_file() -> usize {
    (kills() * 450).clamp(2_000, 25_000)
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
        for round in 0..kills() {
            a_minute_later(&app).await;
            let before = number(&app, "SELECT count(*) FROM ticket").await;
            let server = serve(&app, &address, sink.port);
            // One of three dies soon after a part, whatever it is at then; the others at any moment after they are up.
            let moment = if round % 3 == 0 {
                more_than(&app, before).await;
                random.below(150)
            } else {
                random.below(500)
            };
            tokio::time::sleep(Duration::from_millis(moment)).await;
            if number(&app, "SELECT count(*) FROM import WHERE finished_at IS NOT NULL").await > 0 {
                break;
            }
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
        all_over(&app).await;
        drop(server);
        assert!(parts.len() >= kills() / 2, "it was over before it was killed often: {parts:?}");

        let good = all - all / 20;
        let refusal = texts(&app, "SELECT coalesce(refusal, '-') FROM import").await;
        assert_eq!(number(&app, "SELECT count(*) FROM ticket").await, good, "{refusal:?} after {parts:?}");
        assert_eq!(number(&app, "SELECT count(DISTINCT import_row) FROM ticket").await, good);
        assert_eq!(number(&app, "SELECT count(DISTINCT external_id) FROM ticket").await, good);
        assert_eq!(number(&app, "SELECT sum(import_row) FROM ticket").await, (2..all + 2).filter(|row| (row - 2) % 20 != 0).sum::<usize>());
        assert_eq!(number(&app, "SELECT count(*) FROM import_outcome WHERE kind = 'FAILED'").await, all / 20);
        assert_eq!(texts(&app, "SELECT state || ' ' || CAST(inserted_count AS TEXT) || ' ' || CAST(failed_count AS TEXT) || ' ' || CAST(done_count AS TEXT) FROM import").await,
            [format!("PARTIAL {good} {} {all}", all / 20)]);
        assert_eq!(number(&app, "SELECT count(*) FROM audit_entry WHERE action = 'IMPORT_RUN'").await, 1, "its end stands in the log once");
        println!("{} kills at {parts:?}", parts.len());
    }
}
