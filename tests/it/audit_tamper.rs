//! Whoever has the disk and every right in the database: whatever he does to a log is found, and the first place of it is
//! named, by the query and by the command alike.

use std::collections::HashMap;

use orgdesk::{
    kernel::{AuditLog, OrganizationId},
    operate,
};
use serde_json::json;

use crate::{
    audit::rename,
    both,
    support::{
        anchor::{anchored, command, printed},
        app::TestApp,
        raw::Raw,
    },
};

/// How many entries the log has that is tampered with.
const ENTRIES: i64 = 40;

/// The organization, for SQL.
const ACME: &str = "(SELECT id FROM organization WHERE domain = 'acme')";

/// Numbers that look like chance and are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// Lets everything be done, as somebody with the disk could.
async fn disarm(raw: &mut Raw) {
    if raw.is_postgres() {
        raw.must("ALTER TABLE permission_change DISABLE TRIGGER ALL; ALTER TABLE audit_entry DISABLE TRIGGER ALL")
            .await;
        return;
    }
    raw.must("PRAGMA foreign_keys = OFF").await;
    for table in ["permission_change", "audit_entry"] {
        for what in ["update", "delete", "replace"] {
            raw.must(&format!("DROP TRIGGER {table}_no_{what}")).await;
        }
    }
}

/// Keeps both tables as they are, and puts them back.
async fn keep(raw: &mut Raw) {
    raw.must("CREATE TABLE kept_entry AS SELECT * FROM audit_entry; CREATE TABLE kept_change AS SELECT * FROM permission_change")
        .await;
}

async fn put_back(raw: &mut Raw, table: &str, kept: &str) {
    let columns = if table == "audit_entry" { ENTRY } else { CHANGE };
    raw.must(&format!(
        "DELETE FROM {table}; INSERT INTO {table} ({columns}) SELECT {columns} FROM {kept}"
    ))
    .await;
}

const ENTRY: &str =
    "id, organization_id, log, sequence, occurred_at, action, outcome, reason, actor_kind, actor_id, actor_name,
    address, request_id, target_id, target_label, service_id, subjects, changes, previous_hash, hash, rights_digest";
const CHANGE: &str =
    "id, organization_id, log, sequence, occurred_at, action, kind, actor_kind, actor_id, actor_name, actor_login,
    address, target_kind, target_id, target_name, target_login, service_id, service_name, rights_before, rights_after";

/// Columns of text, and whether they can be absent.
const TEXTS: [(&str, bool); 10] = [
    ("action", false),
    ("reason", true),
    ("actor_id", true),
    ("actor_name", false),
    ("address", false),
    ("request_id", false),
    ("target_id", true),
    ("target_label", true),
    ("subjects", false),
    ("changes", false),
];
const CHANGE_TEXTS: [(&str, bool); 10] = [
    ("action", false),
    ("kind", false),
    ("actor_id", true),
    ("actor_name", false),
    ("address", false),
    ("target_id", false),
    ("target_name", false),
    ("target_login", true),
    ("rights_before", false),
    ("rights_after", false),
];

/// Another value for a column of text; never the one that is there.
fn other_text(dice: &mut Dice, column: &str, can_be_absent: bool) -> String {
    let letter = char::from(b'a' + dice.roll(26) as u8);
    let at = dice.roll(12);
    match dice.roll(if can_be_absent { 5 } else { 4 }) {
        0 => format!("COALESCE({column}, '') || '{letter}'"),
        1 => format!("'{letter}' || COALESCE({column}, '')"),
        2 => format!("COALESCE({column}, '') || ' '"),
        3 => format!(
            "substr(COALESCE({column}, ''), 1, {at}) || '{letter}' || substr(COALESCE({column}, ''), {})",
            at + 1
        ),
        _ => format!("CASE WHEN {column} IS NULL THEN '' END"),
    }
}

/// Another value for any column of an entry.
fn other_value(dice: &mut Dice, is_postgres: bool, hashes: &HashMap<String, String>, place: i64) -> (String, String) {
    let bytes = |hex: &str| {
        if is_postgres {
            format!("decode('{hex}', 'hex')")
        } else {
            format!("x'{hex}'")
        }
    };
    let uuid = |number: u64| {
        if is_postgres {
            format!("CAST('00000000-0000-7000-8000-{number:012x}' AS uuid)")
        } else {
            format!("x'0000000000007000800{number:013x}'")
        }
    };
    let number = dice.roll(1_000_000) as u64;
    let (column, value) = match dice.roll(20) {
        0 => (
            "outcome",
            "CASE outcome WHEN 'DONE' THEN 'DENIED' ELSE 'DONE' END".to_owned(),
        ),
        1 => (
            "actor_kind",
            "CASE actor_kind WHEN 'MEMBER' THEN 'SYSTEM' ELSE 'MEMBER' END".to_owned(),
        ),
        2 => {
            let millis = 1 + dice.roll(100_000_000);
            let later = if is_postgres {
                format!("occurred_at + interval '{millis} milliseconds'")
            } else {
                format!(
                    "strftime('%Y-%m-%dT%H:%M:%f+00:00', occurred_at, '+{}.{:03} seconds')",
                    millis / 1_000,
                    millis % 1_000
                )
            };
            ("occurred_at", later)
        }
        3 => ("id", uuid(number)),
        4 => ("service_id", uuid(number)),
        5 => ("rights_digest", bytes(&format!("{number:064x}"))),
        6 | 7 => {
            let column = if dice.roll(2) == 0 { "hash" } else { "previous_hash" };
            let mut hex = hashes[&format!("{column} {place}")].clone().into_bytes();
            if hex.is_empty() {
                return (column.to_owned(), bytes("00"));
            }
            let at = dice.roll(hex.len());
            hex[at] = if hex[at] == b'0' { b'1' } else { b'0' };
            return (column.to_owned(), bytes(&String::from_utf8(hex).unwrap()));
        }
        8 => ("sequence", format!("sequence + {}", 1_000 + dice.roll(1_000))),
        9 => ("log", "'EXTRACTION'".to_owned()),
        10 => (
            "organization_id",
            "(SELECT id FROM organization WHERE domain = 'rival')".to_owned(),
        ),
        _ => {
            let (column, can_be_absent) = TEXTS[dice.roll(TEXTS.len())];
            (column, other_text(dice, column, can_be_absent))
        }
    };
    (column.to_owned(), value)
}

/// Where a log of Acme breaks: the place and the cause.
async fn broken(app: &TestApp, acme: OrganizationId, log: AuditLog) -> Option<(i64, String)> {
    let report = operate::verify_log(&app.app, acme, log).await.unwrap().unwrap();
    report
        .broken
        .map(|broken| (broken.sequence, format!("{:?}", broken.cause)))
}

/// What the query and the command say of the log of management.
async fn told(app: &TestApp, file: &std::path::Path) -> (Option<i64>, String, String) {
    let query = "{ auditVerification { log brokenPosition brokenCause isAnchorWhole } }";
    let data = app.owner().data(query, json!({})).await;
    let seen = data["auditVerification"].as_array().unwrap();
    let seen = seen.iter().find(|seen| seen["log"] == "MANAGEMENT").unwrap();
    assert_eq!(seen["isAnchorWhole"], true);
    let output = command(app, file, &["verify"]);
    assert!(!output.status.success());
    let line = printed(&output);
    let line = line
        .lines()
        .find(|line| line.contains("MANAGEMENT BROKEN"))
        .unwrap_or_default()
        .to_owned();
    (
        seen["brokenPosition"].as_i64(),
        seen["brokenCause"].as_str().unwrap_or_default().to_owned(),
        line,
    )
}

both! {
    // case: C4
    async fn l3_1005_ways_of_tampering_are_found(app) {
        let (app, file) = anchored(app);
        let token = app.owner().token().await;
        for step in 0..ENTRIES {
            rename(&app, &token, 1 + step, &format!("Acme {step}")).await;
        }
        let key = r#"organizationKeyCreate(input: { name: "k", scopes: [SERVICE_READ] }) => key { id }"#;
        for _ in 0..3 {
            app.owner().deed(key, json!({})).await;
        }
        operate::anchor_audit(&app.app).await.unwrap();
        let organization = app.owner().data("{ organization { id } }", json!({})).await;
        let acme: OrganizationId = organization["organization"]["id"].as_str().unwrap().parse().unwrap();
        let mut raw = Raw::admin(&app).await;
        let is_postgres = raw.is_postgres();
        let mut hashes = HashMap::new();
        for column in ["hash", "previous_hash"] {
            let hex = if is_postgres { format!("encode({column}, 'hex')") } else { format!("lower(hex({column}))") };
            let sql = format!("SELECT {hex} FROM audit_entry WHERE log = 'MANAGEMENT' AND organization_id = {ACME} ORDER BY sequence");
            for (place, hex) in raw.texts(&sql).await.into_iter().enumerate() {
                hashes.insert(format!("{column} {}", place + 1), hex);
            }
        }
        let sql = format!("SELECT CAST(sequence AS text) FROM permission_change WHERE organization_id = {ACME} AND log = 'PERMISSION' ORDER BY sequence");
        let rights: Vec<i64> = raw.texts(&sql).await.iter().map(|place| place.parse().unwrap()).collect();
        assert!(rights.len() > 5, "{rights:?}");
        disarm(&mut raw).await;
        keep(&mut raw).await;
        let mut dice = Dice(7);
        let mut found = 0;

        for _ in 0..900 {
            let place = 1 + dice.roll(ENTRIES as usize) as i64;
            let (column, value) = other_value(&mut dice, is_postgres, &hashes, place);
            raw.must(&format!("UPDATE audit_entry SET {column} = {value} WHERE log = 'MANAGEMENT' AND sequence = {place} AND organization_id = {ACME}")).await;
            let broken = broken(&app, acme, AuditLog::Management).await;
            assert_eq!(broken.map(|(at, _)| at), Some(place), "{column} = {value} of {place}");
            put_back(&mut raw, "audit_entry", "kept_entry").await;
            found += 1;
        }
        for _ in 0..100 {
            let place = rights[dice.roll(rights.len())];
            let (column, can_be_absent) = CHANGE_TEXTS[dice.roll(CHANGE_TEXTS.len())];
            let value = other_text(&mut dice, column, can_be_absent);
            raw.must(&format!("UPDATE permission_change SET {column} = {value} WHERE log = 'PERMISSION' AND sequence = {place} AND organization_id = {ACME}")).await;
            let broken = broken(&app, acme, AuditLog::Permission).await;
            assert_eq!(broken.map(|(at, _)| at), Some(place), "{column} = {value} of {place}");
            put_back(&mut raw, "permission_change", "kept_change").await;
            found += 1;
        }
        assert_eq!(broken(&app, acme, AuditLog::Management).await, None, "all of it is back");
        assert!(command(&app, &file, &["verify"]).status.success());

        let of = |place: i64| format!("log = 'MANAGEMENT' AND organization_id = {ACME} AND sequence = {place}");
        let copy = ENTRY.replacen("sequence", &(ENTRIES + 1).to_string(), 1);
        let copy = copy.replacen("id,", if is_postgres { "gen_random_uuid()," } else { "randomblob(16)," }, 1);
        let structural = [
            ("an entry is taken out", format!("DELETE FROM audit_entry WHERE {}", of(17)), 17, "CHANGED"),
            ("two change places", format!("UPDATE audit_entry SET sequence = 999 WHERE {}; UPDATE audit_entry SET sequence = 20 WHERE {};
                UPDATE audit_entry SET sequence = 21 WHERE {}", of(20), of(21), of(999)), 20, "CHANGED"),
            ("one stands there twice", format!("INSERT INTO audit_entry ({ENTRY}) SELECT {copy} FROM audit_entry WHERE {}", of(ENTRIES)), ENTRIES + 1, "CHANGED"),
            ("the tail is cut off", format!("DELETE FROM audit_entry WHERE log = 'MANAGEMENT' AND organization_id = {ACME} AND sequence > 35"), 36, "CUT_OFF"),
        ];
        for (what, sql, place, cause) in structural {
            raw.must(&sql).await;
            let (at, why, line) = told(&app, &file).await;
            assert_eq!((at, why.as_str()), (Some(place), cause), "{what}");
            assert!(line.contains(&format!("BROKEN at entry {place}:")), "{what}: {line}");
            put_back(&mut raw, "audit_entry", "kept_entry").await;
            found += 1;
        }

        // Whoever has the key, too, writes the whole log anew: here the service itself does, which has it.
        raw.must(&format!("DELETE FROM audit_entry WHERE log = 'MANAGEMENT' AND organization_id = {ACME}")).await;
        for step in ENTRIES..(2 * ENTRIES + 3) {
            rename(&app, &token, 1 + step, &format!("Acme {step}")).await;
        }
        let empty = app.data().join("empty.jsonl");
        std::fs::write(&empty, "").unwrap();
        let without = operate::verify_audit_against(&app.app, Some(&empty)).await.unwrap();
        let whole = without.organizations.iter().flat_map(|(_, reports)| reports).all(|report| report.broken.is_none());
        assert!(whole, "in itself it is whole");
        let (at, why, line) = told(&app, &file).await;
        assert_eq!((at, why.as_str()), (Some(ENTRIES), "REPLACED"));
        assert!(line.contains(&format!("BROKEN at entry {ENTRIES}:")), "{line}");
        let held_back = operate::anchor_audit(&app.app).await.unwrap().held_back;
        assert_eq!(held_back, [(acme, AuditLog::Management)], "the anchor goes on showing it");
        assert_eq!(told(&app, &file).await.0, Some(ENTRIES));
        found += 1;

        assert_eq!(found, 1_005);
    }
}
