//! Which statements a request runs: PostgreSQL's own log says.

use std::{collections::BTreeMap, fs, time::Duration};

use crate::{
    client::{self, Request},
    data::DataSet,
    server::{HAND_WRITTEN, Server},
    work::Side,
};

/// The statements of one request.
pub struct Statements(pub Vec<String>);

impl Statements {
    /// How many there are for the work itself: without the transaction's own ones, the row-level security's and the check of
    /// the session, which fetches the organization as well.
    pub fn own(&self) -> usize {
        self.0.iter().filter(|sql| !is_around(sql)).count()
    }

    /// How many there are around it.
    pub fn around(&self) -> usize {
        self.0.len() - self.own()
    }

    /// Asks once and reads the log. `request` has been asked before, so that nothing is prepared for the first time.
    pub async fn of(data: &DataSet, side: Side, server: &Server, request: &Request) -> Self {
        data.run("ALTER SYSTEM SET log_statement = 'all'").await;
        data.run("SELECT pg_reload_conf()").await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let begin = fs::metadata(&data.log).expect("the log").len();
        client::ask(server.address, request).await;
        data.run("ALTER SYSTEM RESET log_statement").await;
        data.run("SELECT pg_reload_conf()").await;
        let log = fs::read(&data.log).expect("the log");
        let log = String::from_utf8_lossy(&log[usize::try_from(begin).expect("a place")..]).into_owned();
        Self(match side {
            Side::Service => transactions(&told(&log, "orgdesk"), "SET LOCAL orgdesk.organization"),
            Side::HandWritten => told(&log, HAND_WRITTEN).into_iter().map(|(_, sql)| sql).collect(),
        })
    }
}

fn is_around(sql: &str) -> bool {
    let beginnings = ["BEGIN", "COMMIT", "ROLLBACK"];
    beginnings.iter().any(|begin| sql.starts_with(begin)) || sql.contains("FROM \"session\"")
}

/// The statements of an application, each with the process that ran it.
fn told(log: &str, application: &str) -> Vec<(String, String)> {
    let mut told: Vec<(String, String)> = Vec::new();
    let mut is_ours = false;
    for line in log.lines() {
        if let Some(rest) = line.strip_prefix('\t') {
            if let Some((_, sql)) = told.last_mut().filter(|_| is_ours) {
                *sql += " ";
                *sql += rest.trim();
            }
            continue;
        }
        let head = line
            .split_once('|')
            .and_then(|(head, text)| Some((head.split_once(' ')?, text)));
        let statement = head
            .filter(|((_, of), _)| *of == application)
            .and_then(|((process, _), text)| {
                let text = text.strip_prefix("LOG:  ")?;
                let (kind, sql) = text.split_once(": ")?;
                (kind == "statement" || kind.starts_with("execute")).then(|| (process.to_owned(), sql.to_owned()))
            });
        is_ours = statement.is_some();
        told.extend(statement);
    }
    told
}

/// The statements of all transactions in which one has `mark`: the job runner's are others.
fn transactions(told: &[(String, String)], mark: &str) -> Vec<String> {
    let mut open: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut kept = Vec::new();
    for (process, sql) in told {
        let transaction = open.entry(process).or_default();
        transaction.push(sql.clone());
        if sql.starts_with("COMMIT") || sql.starts_with("ROLLBACK") {
            let whole = std::mem::take(transaction);
            if whole.iter().any(|sql| sql.contains(mark)) {
                kept.extend(whole);
            }
        }
    }
    kept
}
