//! What the night of an import survives: servers that are down when it comes, clocks that jump, files that were changed.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use chrono::{DateTime, Duration, Utc};
use orgdesk::{
    kernel::{App, Clock, Timestamp},
    worker,
};
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, instant},
        imports::{self, DELETE, GOOD, In, fill, import, on, template, with},
        make::{self, Made},
        raw::Raw,
    },
};

/// One o'clock of the day after the one on which tests begin.
const NIGHT: &str = "2026-11-11T01:00:00+09:00";

/// A clock that jumps by hours, ahead and back, each time that it is asked.
struct Restless {
    around: DateTime<Utc>,
    asked: AtomicU32,
}

impl Clock for Restless {
    fn now(&self) -> Timestamp {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let hours = [0, 2, 0, -2, 1, 0, 3, -1, 0, 0, 2][usize::try_from(asked % 11).unwrap()];
        Timestamp(self.around + Duration::hours(hours) + Duration::milliseconds(i64::from(asked)))
    }
}

/// The ID of an import of a file whose first row has this subject, that waits for its night.
async fn reserved(app: &TestApp, desk: &Made, subject: &str, rows: usize) -> String {
    let first = with(&[("subject", In::Text(subject))]);
    let rows: Vec<_> = (0..rows)
        .map(|row| if row == 0 { first.as_slice() } else { GOOD })
        .collect();
    let file = fill(&template(app, app.owner(), &desk.id).await, &rows);
    imports::reserved(app, app.owner(), &desk.id, &file).await
}

fn at(import: &Value, name: &str) -> DateTime<Utc> {
    instant(import[name].as_str().unwrap())
}

/// How many tickets there are, and how many rows they are of.
async fn tickets(app: &TestApp) -> (u64, u64) {
    let mut raw = Raw::admin(app).await;
    let rows = "(SELECT DISTINCT import_id, import_row FROM ticket) AS rows";
    (raw.count("ticket").await, raw.count(rows).await)
}

both! {
    async fn m5_a_server_that_was_down_at_night_does_it_at_once_when_it_is_back_and_once(app) {
        // case: F2
        let (desk, other) = (make::in_use(app.owner(), "desk", 1).await, make::in_use(app.owner(), "other", 1).await);
        for (round, down) in (1..).zip([Duration::minutes(30), Duration::hours(8), Duration::days(3)]) {
            let earlier = reserved(&app, &desk, &format!("{round} first"), 2).await;
            app.wait(Duration::seconds(1));
            let later = reserved(&app, &desk, &format!("{round} second"), 1).await;
            let beside = reserved(&app, &other, &format!("{round} beside"), 1).await;
            let due = instant(import(app.owner(), &earlier).await["dueAt"]["at"].as_str().unwrap());
            app.go_to(&(due + down).to_rfc3339());

            let booted = app.second_server().await;
            booted.run_due().await;
            // Whoever waits for another's turn looks again after two seconds.
            app.wait(Duration::seconds(2));
            booted.run_due().await;

            let (earlier, later) = (import(app.owner(), &earlier).await, import(app.owner(), &later).await);
            assert_eq!(at(&earlier, "startedAt"), due + down, "{down}");
            assert!(at(&earlier, "finishedAt") <= at(&later, "startedAt") && at(&later, "startedAt") <= due + down + Duration::seconds(2), "{down}: in their order");
            for one in [&earlier, &later, &import(app.owner(), &beside).await] {
                assert_eq!(one["state"], "COMPLETED", "{down}");
            }
            app.wait(Duration::days(1));
            booted.run_due().await;
            assert_eq!(tickets(&app).await, (4 * round, 4 * round), "{down}: once");
        }
    }

    async fn m5_a_clock_that_jumps_over_the_night_and_back_has_it_done_once(app) {
        // case: F3
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let first = reserved(&app, &desk, "one", 3).await;
        app.go_to("2026-11-11T00:30:00+09:00");
        app.run_due().await;
        assert_eq!(tickets(&app).await, (0, 0), "it is not time yet");

        // Two hours ahead, over one o'clock.
        app.wait(Duration::hours(2));
        app.run_due().await;
        assert_eq!(tickets(&app).await, (3, 3));
        let done = import(app.owner(), &first).await;
        // Back before it, and over it again.
        for at in ["2026-11-10T23:59:00+09:00", "2026-11-11T00:59:59+09:00", NIGHT, "2026-11-11T03:00:00+09:00"] {
            app.go_to(at);
            assert_eq!(app.owner().problems(DELETE, on(&done, json!({}))).await, ["IMPORT_NOT_RESERVED at id"], "{at}");
            app.run_due().await;
            assert_eq!(tickets(&app).await, (3, 3), "{at}");
        }
        // What is confirmed while the clock is back waits for the night after that day.
        app.go_to("2026-11-10T22:00:00+09:00");
        let second = reserved(&app, &desk, "two", 2).await;
        app.go_to("2026-11-11T00:59:59.999+09:00");
        app.run_due().await;
        assert_eq!(import(app.owner(), &second).await["state"], "RESERVED");
        app.go_to(NIGHT);
        app.run_due().await;

        assert_eq!(import(app.owner(), &second).await["state"], "COMPLETED");
        assert_eq!(tickets(&app).await, (5, 5));
    }

    async fn m8_rows_that_the_database_loses_with_its_memory_come_again(app) {
        // As a crash that nobody notices: when a part is written, it is gone, and so are those before it, but for the first rows.
        const LOSS: &str = "INSERT INTO lost VALUES (1);
            DELETE FROM ticket_term WHERE ticket_id IN (SELECT id FROM ticket WHERE import_id = NEW.id)
              AND ticket_id NOT IN (SELECT id FROM ticket WHERE import_id = NEW.id ORDER BY import_row LIMIT 25);
            DELETE FROM ticket WHERE import_id = NEW.id AND id NOT IN (SELECT id FROM ticket WHERE import_id = NEW.id ORDER BY import_row LIMIT 25);
            UPDATE import SET done_count = 25, inserted_count = 25 WHERE id = NEW.id;";
        const ROWS: usize = 600;
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let mut raw = Raw::admin(&app).await;
        // In the middle, and when nothing comes behind it but the end.
        for (round, at) in (1..).zip([100, ROWS]) {
            let id = reserved(&app, &desk, &format!("number {round}"), ROWS).await;
            app.wait(Duration::days(1));
            let is_then = format!("NEW.state = 'RUNNING' AND NEW.done_count >= {at}");
            raw.must("CREATE TABLE lost (number integer)").await;
            raw.must(&if raw.is_postgres() {
                format!("CREATE OR REPLACE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
                    $$ BEGIN IF NOT EXISTS (SELECT 1 FROM lost) THEN {LOSS} END IF; RETURN NULL; END $$;
                    CREATE TRIGGER lose AFTER UPDATE ON import FOR EACH ROW WHEN ({is_then}) EXECUTE FUNCTION lose()")
            } else {
                format!("CREATE TRIGGER lose AFTER UPDATE ON import WHEN {is_then} AND NOT EXISTS (SELECT 1 FROM lost) BEGIN {LOSS} END")
            }).await;

            for _ in 0..3 {
                app.run_due().await;
                app.wait(Duration::minutes(1));
            }

            assert_eq!(raw.count("lost").await, 1);
            raw.must(if raw.is_postgres() { "DROP TRIGGER lose ON import" } else { "DROP TRIGGER lose" }).await;
            raw.must("DROP TABLE lost").await;
            let done = import(app.owner(), &id).await;
            assert_eq!((&done["state"], &done["insertedCount"], &done["failedCount"]), (&json!("COMPLETED"), &json!(ROWS), &json!(0)), "{at}: {done}");
            let all = u64::try_from(round * ROWS).unwrap();
            assert_eq!(tickets(&app).await, (all, all), "{at}");
        }
    }

    async fn m5_two_servers_whose_clocks_jump_all_the_time_do_it_once(app) {
        // case: F3
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let id = reserved(&app, &desk, "one", 1_200).await;
        app.go_to(NIGHT);
        let mut servers = Vec::new();
        for asked in [0, 5] {
            let clock = Arc::new(Restless { around: instant(NIGHT), asked: AtomicU32::new(asked) });
            servers.push(app.second_server().await.changed(|app| App { clock, ..app }));
        }

        let mut rounds = 0;
        while import(app.owner(), &id).await["finishedAt"] == Value::Null {
            tokio::join!(servers[0].run_due(), servers[1].run_due());
            rounds += 1;
            assert!(rounds < 200, "{}", import(app.owner(), &id).await);
        }

        let import = import(app.owner(), &id).await;
        assert_eq!((&import["state"], &import["insertedCount"], &import["failedCount"]), (&json!("COMPLETED"), &json!(1_200), &json!(0)));
        assert_eq!(tickets(&app).await, (1_200, 1_200));
        assert_eq!(Raw::admin(&app).await.count("audit_entry WHERE action = 'IMPORT_RUN'").await, 1);
        println!("{rounds} rounds");
    }

    async fn m8_an_import_whose_servers_were_lost_but_have_done_some_goes_on_however_often_that_is_asked(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let id = reserved(&app, &desk, "one", 3).await;
        app.go_to(NIGHT);
        let mut raw = Raw::admin(&app).await;
        // A row was done, and twelve servers were lost.
        raw.must("UPDATE import SET state = 'RUNNING', started_at = due_at, fence = 12, done_count = 1, inserted_count = 1").await;
        raw.must("UPDATE job_outbox SET attempts = 12 WHERE kind = 'import-run'").await;
        // Whoever asks whether it goes on is lost before he can say so.
        let (lose, find) = if raw.is_postgres() {
            ("CREATE FUNCTION lost() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'lost'; END $$;
              CREATE TRIGGER lost BEFORE UPDATE ON job_outbox FOR EACH ROW WHEN (NEW.state <> 'QUEUED' AND OLD.attempts = 12) EXECUTE FUNCTION lost()",
             "DROP TRIGGER lost ON job_outbox")
        } else {
            ("CREATE TRIGGER lost BEFORE UPDATE ON job_outbox WHEN NEW.state <> 'QUEUED' AND OLD.attempts = 12 BEGIN SELECT RAISE(ABORT, 'lost'); END",
             "DROP TRIGGER lost")
        };
        raw.must(lose).await;
        for _ in 0..2 {
            // PostgreSQL tells of a failure before it lets go of the rows, and whoever looks for jobs passes over what is held.
            let mut looks = 0;
            let lost = loop {
                match worker::run_due(&app.app).await {
                    Err(lost) => break lost,
                    Ok(begun) => assert_eq!(begun, 0),
                }
                looks += 1;
                assert!(looks < 1_000, "nobody asks any more");
            };
            assert!(format!("{lost:?}").contains("lost"), "{lost:?}");
            app.wait(Duration::minutes(11));
        }
        assert_eq!(import(app.owner(), &id).await["state"], "RUNNING");

        raw.must(find).await;
        for _ in 0..3 {
            app.wait(Duration::minutes(11));
            app.run_due().await;
        }

        let import = import(app.owner(), &id).await;
        assert_eq!((&import["state"], &import["insertedCount"]), (&json!("COMPLETED"), &json!(3)), "{import}");
        assert_eq!(tickets(&app).await, (2, 2), "the other two");
    }

    async fn m8_a_file_that_was_changed_or_lost_in_the_store_becomes_no_ticket(app) {
        // case: F8
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let [flipped, cut, gone] = [("flipped", 40), ("cut", 41), ("gone", 42)];
        let mut ids = Vec::new();
        for (what, rows) in [flipped, cut, gone] {
            let id = reserved(&app, &desk, what, rows).await;
            let path = path_of(&app, &id).await;
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            match what {
                "flipped" => bytes[middle] ^= 1,
                "cut" => bytes.truncate(middle),
                _ => bytes.clear(),
            }
            if bytes.is_empty() {
                std::fs::remove_file(&path).unwrap();
            } else {
                std::fs::write(&path, bytes).unwrap();
            }
            app.wait(Duration::seconds(1));
            ids.push(id);
        }
        let good = reserved(&app, &desk, "good", 2).await;
        app.go_to(NIGHT);

        for _ in 0..60 {
            app.run_due().await;
            app.wait(Duration::minutes(6));
        }

        for (id, code) in ids.iter().zip(["IMPORT_GIVEN_UP", "IMPORT_GIVEN_UP", "FILE_DAMAGED"]) {
            let import = import(app.owner(), id).await;
            assert_eq!((&import["state"], &import["refusal"]["code"], &import["insertedCount"]), (&json!("FAILED"), &json!(code), &json!(0)), "{import}");
        }
        assert_eq!(import(app.owner(), &good).await["state"], "COMPLETED", "the others are not kept from it");
        assert_eq!(tickets(&app).await, (2, 2));
    }
}

/// Where the file of an import is.
async fn path_of(app: &TestApp, id: &str) -> std::path::PathBuf {
    let paths = app.app.store.list("imports").await.unwrap();
    let path = paths.iter().find(|path| path.ends_with(id.trim_start_matches("imp_")));
    app.data().join("files").join(Path::new(path.unwrap()))
}
