//! Backups that earlier versions wrote, kept in `tests/backups`: each is restored by this one, brought up to date, and as good
//! as on its day. One of a later version is refused.
//!
//! `ORGDESK_WRITE_BACKUPS=1` writes those of this version, under its number: to be done, and committed, when it is tagged.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{
    backup::{furnished, is_whole},
    both,
    support::{
        app::TestApp,
        backup::{Place, files},
        make::Made,
        raw::Raw,
    },
};

/// What a test has to know of a kept backup: its desk, a picture that is shown, and the number of a ticket.
const TOLD: &str = "told.json";

/// A change of the tables that no version knows yet.
const LATER: &str = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m99991231_999999_later', 0)";

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/backups")
}

/// The backup of the database that is meant, of each version.
fn of_each_version(app: &TestApp) -> Vec<PathBuf> {
    let mut versions: Vec<_> = std::fs::read_dir(kept())
        .unwrap()
        .map(|version| version.unwrap().path())
        .filter(|version| version.is_dir())
        .map(|version| version.join(kind(app)))
        .collect();
    versions.sort();
    versions
}

fn kind(app: &TestApp) -> &'static str {
    if app.admin_url.is_some() { "postgres" } else { "sqlite" }
}

async fn write(app: &TestApp) {
    let (desk, picture) = furnished(app).await;
    let mut from = Place::of(app).await;
    from.done(&["audit", "anchor"]);
    let folder = kept().join(env!("CARGO_PKG_VERSION")).join(kind(app));
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    from.done(&["backup", folder.to_str().unwrap()]);
    from.forget_role().await;
    let told = json!({ "desk": desk.id, "picture": picture, "number": 1 });
    std::fs::write(folder.join(TOLD), format!("{told:#}\n")).unwrap();
}

/// The changes of the tables that a database knows of.
async fn changes(raw: &mut Raw) -> u64 {
    raw.count("seaql_migrations").await
}

both! {
    async fn p5_what_earlier_versions_backed_up_is_restored_and_brought_up_to_date(app) {
        if std::env::var("ORGDESK_WRITE_BACKUPS").is_ok_and(|value| value == "1") {
            write(&app).await;
        }
        let versions = of_each_version(&app);
        assert!(!versions.is_empty());
        for version in versions {
            let saved = tempfile::tempdir().unwrap();
            let saved = saved.path();
            for file in files(&version) {
                let to = saved.join(file.strip_prefix(&version).unwrap());
                std::fs::create_dir_all(to.parent().unwrap()).unwrap();
                std::fs::copy(file, to).unwrap();
            }
            let told: Value = serde_json::from_slice(&std::fs::read(saved.join(TOLD)).unwrap()).unwrap();
            std::fs::remove_file(saved.join(TOLD)).unwrap();
            let place = Place::empty_like(&app).await;

            let restored = place.done(&["restore", saved.to_str().unwrap()]);

            assert!(!restored.contains("BROKEN") && !restored.contains("does not end as it did"), "{restored}");
            let mut present = Raw::admin(&app).await;
            assert_eq!(changes(&mut place.raw().await).await, changes(&mut present).await);
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let desk = Made { id: text(&told["desk"]), contract: String::new() };
            is_whole(&place, &desk, &told["picture"], &[told["number"].as_i64().unwrap()]).await;
        }
    }

    async fn p5_what_a_later_version_backed_up_is_refused_and_leaves_nothing(app) {
        furnished(&app).await;
        Raw::admin(&app).await.must(LATER).await;
        let mut from = Place::of(&app).await;
        from.done(&["backup", "saved"]);
        from.forget_role().await;
        let place = Place::empty_like(&app).await;

        let said = place.refused(&["restore", from.folder.path().join("saved").to_str().unwrap()]);

        assert!(said.contains("newer than this version knows"), "{said}");
        assert!(place.is_empty().await);
    }
}
