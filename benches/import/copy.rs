//! What PostgreSQL takes for the same rows by itself: COPY of their texts into a plain table, and COPY of the tickets that
//! they became, as they are kept, with all their indexes.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use crate::{
    place::Place,
    workbook::{Book, COLUMNS, row_of},
};

/// How long it took.
#[derive(Debug)]
pub struct Copied {
    pub texts: Duration,
    pub tickets: Duration,
}

/// The tables in which a ticket is.
const TABLES: [&str; 2] = ["ticket", "ticket_term"];

/// How often the texts are copied: the middle one counts.
const TIMES: usize = 3;

pub async fn copy(place: &Place, book: &Book) -> Copied {
    let mut admin = PgConnection::connect(place.admin_url()).await.expect("the cluster");
    let columns = (1..=COLUMNS.len()).map(|number| format!("c{number} text"));
    let create = format!("CREATE TABLE copied ({})", columns.collect::<Vec<_>>().join(", "));
    run(&mut admin, &create).await;
    let mut texts = String::new();
    for row in 0..book.rows {
        let _ = writeln!(texts, "{}", row_of(row).join("\t"));
    }
    let mut times = Vec::new();
    for _ in 0..TIMES {
        run(&mut admin, "TRUNCATE copied").await;
        times.push(copy_in(&mut admin, "copied", texts.as_bytes()).await);
    }
    times.sort_unstable();

    let mut tickets = Duration::ZERO;
    for table in TABLES {
        let mut rows = Vec::new();
        {
            let out = format!("COPY {table} TO STDOUT");
            let mut out = admin.copy_out_raw(&out).await.expect("a copy");
            while let Some(piece) = out.try_next().await.expect("a copy") {
                rows.extend_from_slice(&piece);
            }
        }
        run(
            &mut admin,
            &format!("CREATE TABLE copied_{table} (LIKE {table} INCLUDING ALL)"),
        )
        .await;
        tickets += copy_in(&mut admin, &format!("copied_{table}"), &rows).await;
    }
    let count = sqlx::query("SELECT count(*) FROM copied_ticket")
        .fetch_one(&mut admin)
        .await;
    let count: i64 = count.expect("a count").get(0);
    assert_eq!(count, i64::from(book.rows), "all rows are tickets");
    Copied {
        texts: times[TIMES / 2],
        tickets,
    }
}

async fn copy_in(admin: &mut PgConnection, table: &str, rows: &[u8]) -> Duration {
    let begin = Instant::now();
    let mut copy = admin
        .copy_in_raw(&format!("COPY {table} FROM STDIN"))
        .await
        .expect("a copy");
    for piece in rows.chunks(64 * 1024) {
        copy.send(piece).await.expect("a copy");
    }
    copy.finish().await.expect("a copy");
    begin.elapsed()
}

async fn run(connection: &mut PgConnection, sql: &str) {
    // The texts are this benchmark's own.
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}
