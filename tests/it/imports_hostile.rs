//! Files that are no honest workbooks, made by `hostile_workbooks.py`: each ends with one clear message, and nothing else
//! notices.

use std::{collections::BTreeMap, process::Command};

use crate::{
    both,
    support::{
        imports::{GOOD, fill, import, looked_through, template, uploaded},
        make,
        raw::Raw,
        running::BINARY,
        skip::skipped,
    },
};

/// The files and what may become of each; `None`, said once, where there is no Python.
fn corpus(base: &[u8]) -> Option<(tempfile::TempDir, BTreeMap<String, Vec<String>>)> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("base.xlsx");
    std::fs::write(&file, base).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/hostile_workbooks.py");
    let made = Command::new("python3")
        .arg(script)
        .arg(&file)
        .arg(folder.path())
        .output();
    let Ok(made) = made else {
        skipped("Hostile workbooks", "no python3");
        return None;
    };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let expected = std::fs::read(folder.path().join("expected.json")).unwrap();
    Some((folder, serde_json::from_slice(&expected).unwrap()))
}

both! {
    // case: F7
    // case: G1
    // case: G2
    // case: G3
    // case: G4
    // case: G5
    async fn m12_a_hostile_file_ends_with_one_clear_message_and_the_next_one_is_imported(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let template = template(&app, app.owner(), &desk.id).await;
        let good = fill(&template, &[GOOD]);
        let Some((folder, expected)) = corpus(&good) else { return };
        assert!(expected.len() >= 60, "{}", expected.len());
        let mut wrong = Vec::new();

        for (name, codes) in &expected {
            // On the second database the files that take long are left out: their reader knows of no database.
            if name.starts_with("bomb") && app.admin_url.is_some() {
                continue;
            }
            let file = std::fs::read(folder.path().join(name)).unwrap();
            let sent = uploaded(app.owner(), &desk.id, &file).await;
            app.run_due().await;
            let import = import(app.owner(), sent["id"].as_str().unwrap()).await;
            let told = import["refusal"]["code"].as_str().or(import["state"].as_str()).unwrap().to_owned();
            if !codes.contains(&told) {
                wrong.push(format!("{name} is {told}, not {codes:?}"));
            }
            let message = import["refusal"]["message"].as_str().unwrap_or("It is fine.");
            assert!(message.ends_with('.') && !message.contains('{'), "{name}: {message}");
        }

        assert_eq!(wrong, Vec::<String>::new());
        let import = looked_through(&app, app.owner(), &desk.id, &good).await;
        assert_eq!((&import["state"], &import["rowCount"]), (&"DRAFT".into(), &1.into()));
        assert_eq!(Raw::admin(&app).await.count("job_outbox WHERE failure IS NOT NULL").await, 0, "no job has failed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m12_an_operator_is_told_the_same_by_hand() {
    let app = crate::support::app::TestApp::on_sqlite().await;
    let desk = make::in_use(app.owner(), "desk", 1).await;
    let template = template(&app, app.owner(), &desk.id).await;
    let folder = tempfile::tempdir().unwrap();
    let check = |content: &[u8]| {
        let file = folder.path().join("file.xlsx");
        std::fs::write(&file, content).unwrap();
        let run = Command::new(BINARY)
            .args(["import", "check"])
            .arg(&file)
            .env_clear()
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (run.status.success(), text(run.stdout), text(run.stderr))
    };

    let (is_fine, told, _) = check(&fill(&template, &[GOOD, GOOD]));
    let (is_refused, _, why) = check(b"a,b,c");

    assert!(
        is_fine && told.contains(&format!("service {}\n", desk.id)) && told.contains("\nrows 2\n"),
        "{told}"
    );
    assert!(!is_refused && why.contains("This is no .xlsx file"), "{why}");
}
