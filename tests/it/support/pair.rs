//! Two installations that differ in nothing but their databases: what is asked goes to both, and their answers are held
//! against each other byte for byte. Clock, randomness and people are the same, and so are IDs, cursors and tokens.

use std::collections::BTreeMap;

use serde_json::Value;

use super::app::{Answer, TestApp};

/// So many differences are told; those that follow mostly follow from them.
const TOLD: usize = 12;

/// A way to ask that both installations are given.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// What it is called where it makes a difference.
    pub what: &'a str,
    /// Who asks, of Acme.
    pub login: &'a str,
    /// The document.
    pub query: &'a str,
}

/// The two.
pub struct Pair {
    /// On SQLite.
    pub sqlite: TestApp,
    /// On PostgreSQL.
    pub postgres: TestApp,
    /// The tokens of those who have asked, by login ID.
    tokens: BTreeMap<String, [String; 2]>,
    /// How their answers compare.
    pub comparison: Comparison,
}

impl Pair {
    /// Two of them; `None` where there is no PostgreSQL, which was said.
    pub async fn start() -> Option<Self> {
        Some(Self {
            postgres: TestApp::on_postgres().await?,
            sqlite: TestApp::on_sqlite().await,
            tokens: BTreeMap::new(),
            comparison: Comparison::default(),
        })
    }

    /// Asks both. The answer of SQLite.
    pub async fn ask(&mut self, asked: Asked<'_>, variables: &Value) -> Answer {
        // One after the other: answers must not hang on what else a machine does.
        let tokens = match self.tokens.get(asked.login) {
            Some(tokens) => tokens.clone(),
            None => {
                let [one, other] = [&self.sqlite, &self.postgres].map(|app| app.someone("acme", asked.login));
                let tokens = [one.token().await, other.token().await];
                self.tokens.insert(asked.login.to_owned(), tokens.clone());
                tokens
            }
        };
        let sqlite = self.sqlite.ask(Some(&tokens[0]), asked.query, variables.clone()).await;
        let postgres = self
            .postgres
            .ask(Some(&tokens[1]), asked.query, variables.clone())
            .await;
        let answers = (sqlite, postgres);
        self.comparison.compare(asked, variables, answers)
    }
}

/// How the answers of the two compare.
#[derive(Default)]
pub struct Comparison {
    told: Vec<String>,
    different: usize,
    answers: BTreeMap<String, usize>,
}

impl Comparison {
    /// Holds two answers against each other. The one of SQLite.
    pub fn compare(&mut self, asked: Asked<'_>, variables: &Value, (sqlite, postgres): (Answer, Answer)) -> Answer {
        let kind = match (sqlite.status, sqlite.json.get("errors")) {
            (200, None) => "answered".to_owned(),
            (_, Some(_)) => sqlite.code().to_owned(),
            (status, None) => status.to_string(),
        };
        *self.answers.entry(kind).or_default() += 1;
        if (sqlite.status, &sqlite.text) != (postgres.status, &postgres.text) {
            self.different += 1;
            if self.told.len() < TOLD {
                let mut lines = vec![format!(
                    "{} as {}, {} {variables}",
                    asked.what,
                    asked.login,
                    asked.query.split_whitespace().collect::<Vec<_>>().join(" ")
                )];
                if sqlite.status != postgres.status {
                    lines.push(format!("  status {} and {}", sqlite.status, postgres.status));
                }
                differ("", &sqlite.json, &postgres.json, &mut lines);
                if lines.len() == 1 {
                    lines.push(format!("  {}\n  {}", sqlite.text, postgres.text));
                }
                self.told.push(lines.join("\n"));
            }
        }
        sqlite
    }

    /// How many were answered, by the kind of the answer: `answered`, or the code of the first error.
    pub fn answers(&self) -> &BTreeMap<String, usize> {
        &self.answers
    }

    /// All that was asked made no difference.
    ///
    /// # Panics
    /// With the first differences: where in the answer, what SQLite says, and what PostgreSQL says.
    pub fn agree(&self) {
        assert!(
            self.told.is_empty(),
            "{} of {} answers differ (SQLite | PostgreSQL):\n{}",
            self.different,
            self.answers.values().sum::<usize>(),
            self.told.join("\n")
        );
    }
}

/// Where two values differ, at most five places of them.
fn differ(at: &str, one: &Value, other: &Value, lines: &mut Vec<String>) {
    if one == other || lines.len() > 5 {
        return;
    }
    match (one, other) {
        (Value::Object(fields), Value::Object(others)) if fields.keys().eq(others.keys()) => {
            for (name, value) in fields {
                differ(&format!("{at}.{name}"), value, &others[name], lines);
            }
        }
        (Value::Array(values), Value::Array(others)) if values.len() == others.len() => {
            for (place, value) in values.iter().enumerate() {
                differ(&format!("{at}.{place}"), value, &others[place], lines);
            }
        }
        _ => lines.push(format!("  {at}: {one} | {other}")),
    }
}
