//! What is left of SQLite's file when a machine loses its power: the file itself, and its log up to anywhere. Whatever is
//! left opens, is a whole number of deeds, and has each deed that was acknowledged when the log was that long.

use serde_json::json;

use crate::support::{app::TestApp, raw::Raw};

/// At how many places the log is cut.
const PLACES: usize = 80;

/// The entries of the deeds.
const ENTRIES: &str = "audit_entry WHERE action = 'SERVICE_CREATE'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
// case: K2
async fn p4_whatever_a_power_cut_leaves_is_a_whole_number_of_deeds() {
    let app = TestApp::on_sqlite().await;
    let file = app.url.strip_prefix("sqlite:").unwrap().to_owned();
    let log = format!("{file}-wal");
    let mut raw = Raw::admin(&app).await;
    raw.must("PRAGMA wal_checkpoint(TRUNCATE)").await;
    // How long the log was when each deed was acknowledged.
    let mut acknowledged = Vec::new();
    for number in 0..8_u8 {
        let input =
            json!({ "kind": "ISSUE", "code": format!("s{}", char::from(b'a' + number)), "name": format!("s{number}") });
        app.owner()
            .deed("serviceCreate(input: $input)", json!({ "input": input }))
            .await;
        acknowledged.push(std::fs::metadata(&log).unwrap().len());
    }
    let (file, log) = (std::fs::read(&file).unwrap(), std::fs::read(&log).unwrap());
    assert!(acknowledged.is_sorted() && acknowledged[0] > 0, "{acknowledged:?}");
    assert_eq!(acknowledged.last(), Some(&(log.len() as u64)));

    let mut found = Vec::new();
    for length in (0..log.len())
        .step_by(log.len() / PLACES)
        .chain([log.len() - 1, log.len()])
    {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("orgdesk.db");
        std::fs::write(&copy, &file).unwrap();
        std::fs::write(folder.path().join("orgdesk.db-wal"), &log[..length]).unwrap();
        let mut raw = Raw::open(&format!("sqlite:{}", copy.display())).await;
        assert_eq!(raw.texts("PRAGMA integrity_check").await, ["ok"], "{length}");
        assert_eq!(raw.count("pragma_foreign_key_check").await, 0, "{length}");
        let (services, entries) = (raw.count("service").await, raw.count(ENTRIES).await);
        let told = acknowledged.iter().filter(|at| **at <= length as u64).count() as u64;
        assert_eq!(services, entries, "{length}: each deed with its entry");
        assert!((told..=told + 1).contains(&services), "{length}: {services} of {told}");
        found.push(services);
    }

    assert!(
        found.is_sorted() && found.first() == Some(&0) && found.last() == Some(&8),
        "{found:?}"
    );
    assert!(found.len() > PLACES, "{found:?}");
}
