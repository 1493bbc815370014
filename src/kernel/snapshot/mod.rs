//! The whole database as it is at one instant, as a file, while others go on writing; and a database made of such a file.
//! What is told of it is read in the very same instant, so that it can be held against what comes of the file one day.

mod postgres;
mod programs;
mod sqlite;

use std::{collections::BTreeMap, path::Path};

use anyhow::Context;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sea_orm::{ActiveEnum, prelude::Uuid};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgConnection, Row as _, SqliteConnection};

use super::{
    AuditLog, OrganizationId,
    audit::anchor::Head,
    seal::{KeyRing, KeyService as _, PROOF},
};

/// What a database tells of itself.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The last change that was made to its tables.
    pub schema: String,
    /// The keys of the ring that anything in it is sealed under.
    pub keys: Vec<KeyNeeded>,
    /// The ends of all chains of the audit log.
    pub heads: Vec<Head>,
    /// How many blocks each anchor of those chains had, by its place.
    pub anchored: BTreeMap<String, i64>,
}

/// A key of the ring without which a database can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyNeeded {
    /// Its name in the ring.
    pub name: String,
    /// What opens under that key alone and tells nothing, in base 64.
    pub proof: String,
}

impl KeyNeeded {
    /// Whether the ring has this key, and not another one of its name.
    pub async fn is_in(&self, ring: &KeyRing) -> bool {
        match STANDARD.decode(&self.proof) {
            Ok(proof) => ring.unwrap(&self.name, &proof, PROOF).await.is_ok(),
            Err(_) => false,
        }
    }
}

/// Writes the database of this address into a new file, as it is at an instant after this was called. On PostgreSQL the role
/// has to see all rows and needs no other right: a member of `pg_read_all_data` with `BYPASSRLS`.
///
/// # Errors
/// If the database does not answer, its role sees too little, or `pg_dump` is absent or fails; what is in the file then is of
/// no use.
pub async fn take(url: &str, file: &Path) -> anyhow::Result<Facts> {
    own_file(file)?;
    if is_sqlite(url) {
        sqlite::take(url, file).await
    } else {
        postgres::take(url, file).await
    }
}

/// Checks that there is nothing yet where [`put`] would make a database.
///
/// # Errors
/// If there is something, or the database does not answer.
pub async fn check_empty(url: &str) -> anyhow::Result<()> {
    if is_sqlite(url) {
        sqlite::check_empty(url)
    } else {
        postgres::check_empty(url).await
    }
}

/// Makes the database of this address out of such a file: all of it or nothing. On PostgreSQL the role becomes the owner of
/// its tables, and nobody else may anything yet.
///
/// # Errors
/// If there is something already, the database refuses it, or `pg_restore` is absent or fails.
pub async fn put(url: &str, file: &Path) -> anyhow::Result<()> {
    check_empty(url).await?;
    if is_sqlite(url) {
        sqlite::put(url, file)
    } else {
        postgres::put(url, file).await
    }
}

fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

/// Makes an empty file that only its owner reads.
fn own_file(file: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let made = options.write(true).create_new(true).mode(0o600).open(file);
    made.map(drop).with_context(|| file.display().to_string())
}

/// A connection whose transaction sees the instant.
enum Instant<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl Instant<'_> {
    /// Rows of texts.
    async fn rows<const N: usize>(&mut self, sql: &str) -> sqlx::Result<Vec<[String; N]>> {
        let query = AssertSqlSafe(sql);
        match self {
            Self::Sqlite(connection) => {
                let rows = sqlx::query(query).fetch_all(&mut **connection).await?;
                rows.iter().map(|row| texts(|at| row.try_get(at))).collect()
            }
            Self::Postgres(connection) => {
                let rows = sqlx::query(query).fetch_all(&mut **connection).await?;
                rows.iter().map(|row| texts(|at| row.try_get(at))).collect()
            }
        }
    }

    /// A column of bytes in hexadecimal.
    fn hex(&self, column: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("lower(hex({column}))"),
            Self::Postgres(_) => format!("encode({column}, 'hex')"),
        }
    }

    /// A column of IDs in hexadecimal.
    fn id(&self, column: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("lower(hex({column}))"),
            Self::Postgres(_) => format!("replace({column}::text, '-', '')"),
        }
    }

    async fn facts(&mut self) -> anyhow::Result<Facts> {
        let changes = self.rows::<1>("SELECT version FROM seaql_migrations").await;
        let changes = changes.context("this is no database of Orgdesk")?;
        let sql = format!("SELECT name, {} FROM wrapping_key ORDER BY name", self.hex("proof"));
        let keys = self.rows::<2>(&sql).await?.into_iter();
        let keys = keys.map(|[name, proof]| {
            let proof = STANDARD.encode(unhex(&proof)?);
            Ok(KeyNeeded { name, proof })
        });
        let sql = "SELECT place, CAST(number AS text) FROM audit_anchor";
        let anchored = self.rows::<2>(sql).await?.into_iter();
        let anchored = anchored.map(|[place, number]| Ok((place, number.parse()?)));
        Ok(Facts {
            schema: changes.into_iter().flatten().max().unwrap_or_default(),
            keys: keys.collect::<anyhow::Result<_>>()?,
            heads: self.heads().await?,
            anchored: anchored.collect::<anyhow::Result<_>>()?,
        })
    }

    /// The ends of all chains: the last entry of each, or what sealed it when it was removed in its time.
    async fn heads(&mut self) -> anyhow::Result<Vec<Head>> {
        let mut found: BTreeMap<[String; 2], (i64, String)> = BTreeMap::new();
        for (table, place, hash) in [
            ("audit_entry", "sequence", "hash"),
            ("audit_segment", "last_sequence", "last_hash"),
        ] {
            let sql = format!(
                "SELECT {}, t.log, CAST(t.{place} AS text), {} FROM {table} t
                 JOIN (SELECT organization_id, log, max({place}) AS place FROM {table} GROUP BY organization_id, log) l
                   ON l.organization_id = t.organization_id AND l.log = t.log AND l.place = t.{place}",
                self.id("t.organization_id"),
                self.hex(&format!("t.{hash}")),
            );
            for [organization, log, place, hash] in self.rows::<4>(&sql).await? {
                let place = place.parse()?;
                let known = found.entry([organization, log]).or_default();
                if known.0 < place {
                    *known = (place, hash);
                }
            }
        }
        let head = |([organization, log], (sequence, hash)): ([String; 2], (i64, String))| {
            Ok(Head {
                organization: OrganizationId(organization.parse::<Uuid>()?),
                log: AuditLog::try_from_value(&log)?,
                sequence,
                hash: unhex(&hash)?,
            })
        };
        found.into_iter().map(head).collect()
    }
}

fn texts<const N: usize>(text: impl Fn(usize) -> sqlx::Result<String>) -> sqlx::Result<[String; N]> {
    let mut row = [const { String::new() }; N];
    for (at, place) in row.iter_mut().enumerate() {
        *place = text(at)?;
    }
    Ok(row)
}

fn unhex(text: &str) -> anyhow::Result<Vec<u8>> {
    let digits = |at: usize| text.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
    let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(digits).collect();
    bytes.context("what should be hexadecimal is not")
}
