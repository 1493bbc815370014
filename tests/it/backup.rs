//! Backup and restore: beside a server at work, with nothing lost that it acknowledged before, nothing readable without the
//! keys, and nothing believed that is not what was written.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{KEY_RING, TestApp},
        backup::{Place, ask, files},
        bucket::Server,
        canary,
        cluster::free_port,
        import_server::SECRET,
        make::Made,
        picture::{path, png, set_logo, uploaded},
        raw::Raw,
        ticket::{desk, input, made},
    },
};

const CREATE_ONE: &str =
    "mutation M($input: TicketCreateInput!) { ticketCreate(input: $input) { ticket { number } userErrors { code } } }";

const BY_PHONE: &str = "query Q($id: ID!, $phone: String!) {
    tickets(serviceId: $id, first: 100, filter: { value: { code: \"phone\", equals: $phone } }) {
        totalCount nodes { number values { code text fault } } } }";

/// Makes tickets by a server until it is told to stop; the numbers of those that it acknowledged.
struct Writer {
    numbers: Arc<Mutex<Vec<i64>>>,
    is_over: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl Writer {
    fn start(address: &str, token: &str, desk: &Made) -> Self {
        let numbers = Arc::<Mutex<Vec<i64>>>::default();
        let is_over = Arc::<AtomicBool>::default();
        let (address, token) = (address.to_owned(), token.to_owned());
        let (kept, over) = (numbers.clone(), is_over.clone());
        let variables = input(desk, json!({}), &json!({ "phone": canary::PHONE }));
        let task = tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                let answer = ask(&address, &token, CREATE_ONE, variables.clone()).await;
                let number = answer.and_then(|data| data["ticketCreate"]["ticket"]["number"].as_i64());
                kept.lock().unwrap().extend(number);
            }
        });
        Self { numbers, is_over, task }
    }

    /// The numbers of now, once there are more than these.
    async fn more_than(&self, count: usize) -> Vec<i64> {
        for _ in 0..3_000 {
            let numbers = self.numbers.lock().unwrap().clone();
            if numbers.len() > count {
                return numbers;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no ticket is made");
    }

    async fn stop(self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
    }
}

/// A desk with a sealed value, and a picture that is shown: something of each that is kept.
pub async fn furnished(app: &TestApp) -> (Made, Value) {
    let desk = desk(app, "desk").await;
    let agent = app.someone("acme", "agent");
    made(agent, &desk, json!({ "phone": canary::PHONE })).await;
    (desk, shown(app, 1).await)
}

/// A picture that is shown: others go after a day.
async fn shown(app: &TestApp, seed: u32) -> Value {
    let picture = uploaded(app.owner(), &png(seed)).await;
    set_logo(app.owner(), picture["id"].clone()).await;
    picture
}

/// A place that a backup was restored to is as good as the one that it is of.
pub async fn is_whole(place: &Place, desk: &Made, picture: &Value, acknowledged: &[i64]) {
    let token = place.done(&["token", "--organization", "acme", "--login", "agent"]);
    let address = format!("127.0.0.1:{}", free_port());
    let server = place.serve(&address);
    let variables = json!({ "id": desk.id, "phone": canary::PHONE });
    let found = ask(&address, token.trim(), BY_PHONE, variables)
        .await
        .expect("it answers");
    let loaded = reqwest::get(format!("http://{address}{}", path(picture)))
        .await
        .unwrap();
    let loaded = loaded.bytes().await.unwrap();
    let variables = input(desk, json!({}), &json!({ "phone": canary::PHONE }));
    let goes_on = ask(&address, token.trim(), CREATE_ONE, variables)
        .await
        .expect("it writes");
    drop(server);

    let nodes = found["tickets"]["nodes"].as_array().unwrap();
    let numbers: Vec<i64> = nodes.iter().map(|node| node["number"].as_i64().unwrap()).collect();
    let lost: Vec<_> = acknowledged.iter().filter(|number| !numbers.contains(number)).collect();
    assert_eq!(lost, Vec::<&i64>::new(), "acknowledged before, and not restored");
    for value in nodes.iter().flat_map(|node| node["values"].as_array().unwrap()) {
        assert_eq!(value["fault"], Value::Null, "every value opens");
        assert!(value["code"] != "phone" || value["text"] == "010-****-4682", "{value}");
    }
    assert_eq!(picture["byteSize"].as_u64(), Some(loaded.len() as u64));
    assert_eq!(goes_on["ticketCreate"]["userErrors"], json!([]));
    let verified = place.done(&["audit", "verify"]);
    assert!(
        verified.contains("MANAGEMENT") && !verified.contains("BROKEN"),
        "{verified}"
    );
}

both! {
    // case: K16
    async fn p5_a_backup_beside_a_server_that_writes_has_all_that_was_acknowledged(app) {
        let (desk, picture) = furnished(&app).await;
        let mut from = Place::of(&app).await;
        let token = from.done(&["token", "--organization", "acme", "--login", "agent"]);
        let address = format!("127.0.0.1:{}", free_port());
        let server = from.serve(&address);
        from.done(&["audit", "anchor"]);
        let writer = Writer::start(&address, token.trim(), &desk);

        let acknowledged = writer.more_than(3).await;
        let said = tokio::task::block_in_place(|| from.run(&["backup", "saved"]));
        let since = writer.more_than(acknowledged.len()).await;
        writer.stop().await;
        drop(server);
        from.forget_role().await;

        let told = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(said.status.success(), "{told}");
        assert!(told.contains("takes ORGDESK_SECRET and these keys of the ring: test"), "{told}");
        assert!(since.len() > acknowledged.len(), "nobody was kept from writing");
        let saved = from.folder.path().join("saved");
        let modes = files(&saved).into_iter().map(|file| file.metadata().unwrap().permissions().mode() & 0o777);
        assert!(modes.into_iter().all(|mode| mode == 0o600));
        assert_eq!(saved.metadata().unwrap().permissions().mode() & 0o777, 0o700);

        let place = Place::empty_like(&app).await;
        let restored = place.done(&["restore", saved.to_str().unwrap()]);
        assert!(restored.contains("anchored at") && !restored.contains("BROKEN"), "{restored}");
        assert!(!restored.contains("does not end as it did"), "{restored}");
        is_whole(&place, &desk, &picture, &acknowledged).await;
        if app.admin_url.is_some() {
            let mut service = Raw::open(&place.variables["DATABASE_URL"]).await;
            assert_eq!(service.count("ticket").await, 0, "row-level security holds");
            assert!(place.raw().await.count("ticket").await >= acknowledged.len() as u64);
            assert!(service.run("UPDATE audit_entry SET reason = 'x'").await.is_err());
            let everybody = "SELECT has_function_privilege('public', 'count_anew(text)', 'EXECUTE')::text";
            assert_eq!(place.raw().await.texts(everybody).await, ["false"]);
        }
        let again = place.refused(&["restore", saved.to_str().unwrap()]);
        assert!(again.contains("already"), "{again}");
        is_whole(&place, &desk, &picture, &acknowledged).await;
    }

    // case: B18
    async fn p5_no_key_is_in_a_backup_and_without_them_it_is_not_restored(app) {
        furnished(&app).await;
        let mut from = Place::of(&app).await;
        let inside = from.refused(&["backup", "saved", "--with-keys", "saved/keys.toml"]);
        from.done(&["backup", "saved", "--with-keys", "keys.toml"]);
        let again = from.refused(&["backup", "other", "--with-keys", "keys.toml"]);
        from.forget_role().await;
        let saved = from.folder.path().join("saved");
        let keys = from.folder.path().join("keys.toml");
        let ring = KEY_RING.split(':').nth(1).unwrap();

        assert!(inside.contains("must not lie in the backup"), "{inside}");
        assert!(again.contains("keys.toml is there already") && !from.folder.path().join("other").exists(), "{again}");
        let text = std::fs::read_to_string(&keys).unwrap();
        assert!(text.contains(SECRET) && text.contains(ring));
        assert_eq!(keys.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        for file in files(&saved) {
            let content = std::fs::read(&file).unwrap();
            for secret in [SECRET.as_bytes(), ring.as_bytes(), canary::MAIL.as_bytes(), &(0..32).collect::<Vec<u8>>()] {
                assert!(!content.windows(secret.len()).any(|part| part == secret), "{}", file.display());
            }
        }
        let manifest: Value = serde_json::from_slice(&std::fs::read(saved.join("manifest.json")).unwrap()).unwrap();
        assert_eq!(manifest["keys"][0]["name"], "test");

        let mut place = Place::empty_like(&app).await;
        let other = "JCYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/QEFCQ0Q=";
        for (ring, secret, word) in [
            (format!("test:{other}"), SECRET, "sealed under: test"),
            (format!("other:{other}"), SECRET, "sealed under: test"),
            (KEY_RING.to_owned(), other, "another ORGDESK_SECRET"),
        ] {
            place.variables.insert("ORGDESK_KEY_RING", ring);
            place.variables.insert("ORGDESK_SECRET", secret.to_owned());
            let said = place.refused(&["restore", saved.to_str().unwrap()]);
            assert!(said.contains(word), "{said}");
            assert!(place.is_empty().await);
        }
        place.variables.remove("ORGDESK_KEY_RING");
        place.variables.remove("ORGDESK_SECRET");
        place.variables.insert("ORGDESK_CONFIG", keys.to_str().unwrap().to_owned());
        place.done(&["restore", saved.to_str().unwrap()]);
    }

    async fn p5_a_backup_with_one_byte_changed_is_refused_and_leaves_nothing(app) {
        furnished(&app).await;
        let mut from = Place::of(&app).await;
        from.done(&["audit", "anchor"]);
        from.done(&["backup", "saved"]);
        from.forget_role().await;
        let saved = from.folder.path().join("saved");
        let saved = saved.as_path();
        let place = Place::empty_like(&app).await;

        for file in files(saved) {
            let content = std::fs::read(&file).unwrap();
            let mut changed = content.clone();
            changed[content.len() / 2] ^= 1;
            std::fs::write(&file, &changed).unwrap();
            let said = place.refused(&["restore", saved.to_str().unwrap()]);
            assert!(said.contains("not what was written") || said.contains("was changed"), "{}: {said}", file.display());
            std::fs::remove_file(&file).unwrap();
            place.refused(&["restore", "--check", saved.to_str().unwrap()]);
            std::fs::write(&file, &content).unwrap();
        }
        assert!(files(saved).len() >= 5, "{:?}", files(saved));
        assert!(place.is_empty().await);
        let said = place.done(&["restore", "--check", saved.to_str().unwrap()]);
        assert!(said.contains("keys test"), "{said}");
        assert!(place.is_empty().await, "it only looked");
    }

    async fn p5_what_fails_half_way_leaves_nothing_and_what_is_there_stays(app) {
        furnished(&app).await;
        let mut from = Place::of(&app).await;
        from.done(&["audit", "anchor"]);
        std::fs::create_dir(from.folder.path().join("half.partial")).unwrap();
        let half = from.refused(&["backup", "half"]);
        from.done(&["backup", "saved"]);
        let there = from.refused(&["backup", "saved"]);
        let own = from.variables.remove("ORGDESK_BACKUP_URL");
        if own.is_some() {
            let blind = from.refused(&["backup", "blind"]);
            assert!(blind.contains("BYPASSRLS"), "{blind}");
            assert!(!from.folder.path().join("blind").exists() && !from.folder.path().join("blind.partial").exists());
        }
        from.forget_role().await;
        let saved = from.folder.path().join("saved");
        let saved = saved.to_str().unwrap();

        assert!(half.contains("was interrupted"), "{half}");
        assert!(there.contains("is there already"), "{there}");
        // The database can't be made: no folder for it, or no right.
        let mut place = Place::empty_like(&app).await;
        let whole = place.variables.clone();
        if app.admin_url.is_some() {
            place.variables.insert("ORGDESK_MIGRATION_URL", whole["DATABASE_URL"].clone());
        } else {
            let nowhere = place.data().join("nowhere").join("orgdesk.db");
            place.variables.insert("DATABASE_URL", format!("sqlite:{}", nowhere.display()));
        }
        place.refused(&["restore", saved]);
        assert!(place.is_empty().await, "{:?}", files(&place.data()));
        place.variables = whole;
        // Something is there: a file of somebody, an anchor that knows more.
        for (file, word) in [("files/pictures/x", "not empty"), ("anchor.jsonl", "audit verify --anchor")] {
            let file = place.data().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, "own").unwrap();
            let said = place.refused(&["restore", saved]);
            assert!(said.contains(word), "{said}");
            assert_eq!(files(&place.data()), std::slice::from_ref(&file), "nothing else came, and it stays");
            std::fs::remove_file(file).unwrap();
        }
        place.done(&["restore", saved]);
    }

    async fn p5_an_anchor_in_a_backup_knows_no_more_than_its_database(app) {
        let (desk, _) = furnished(&app).await;
        let mut from = Place::of(&app).await;
        from.done(&["audit", "anchor"]);
        let mut raw = Raw::admin(&app).await;
        let mark = raw.texts("SELECT mac FROM audit_anchor").await[0].clone();
        made(app.someone("acme", "agent"), &desk, json!({})).await;
        from.done(&["audit", "anchor"]);
        // The instant at which a block is written, and the database does not know it yet.
        raw.must(&format!("UPDATE audit_anchor SET number = 1, mac = '{mark}'")).await;

        from.done(&["backup", "saved"]);
        from.forget_role().await;
        made(app.someone("acme", "agent"), &desk, json!({})).await;
        from.done(&["audit", "anchor"]);
        let lines = |folder: &Path| std::fs::read_to_string(folder.join("anchor.jsonl")).unwrap().lines().count();
        let place = Place::empty_like(&app).await;
        let said = place.done(&["restore", from.folder.path().join("saved").to_str().unwrap()]);

        assert_eq!((lines(&from.data()), lines(&place.data())), (3, 1));
        assert!(said.contains("anchor 1 blocks") && !said.contains("BROKEN"), "{said}");
        // The one that was kept elsewhere says what was lost since.
        let kept = from.data().join("anchor.jsonl");
        let lost = place.refused(&["audit", "verify", "--anchor", kept.to_str().unwrap()]);
        assert!(lost.contains("MANAGEMENT BROKEN") && lost.contains("was longer when it was anchored"), "{lost}");
    }

    async fn p5_files_of_a_bucket_are_backed_up_and_come_into_another_store(app) {
        let server = Server::start().await;
        let (desk, _) = furnished(&app).await;
        let app = app.changed(|app| orgdesk::kernel::App { store: server.store(), ..app });
        let picture = shown(&app, 2).await;
        let mut from = Place::of(&app).await;
        from.variables.extend(server.variables());
        from.variables.insert("ORGDESK_AUDIT_ANCHOR", "store".to_owned());
        tokio::task::block_in_place(|| from.done(&["audit", "anchor"]));
        tokio::task::block_in_place(|| from.done(&["backup", "saved"]));
        from.forget_role().await;
        let saved = from.folder.path().join("saved");
        let saved = saved.to_str().unwrap();

        let mut to_folder = Place::empty_like(&app).await;
        to_folder.variables.insert("ORGDESK_AUDIT_ANCHOR", "store".to_owned());
        let said = to_folder.done(&["restore", saved]);
        assert!(said.contains("anchor 1 blocks"), "{said}");
        is_whole(&to_folder, &desk, &picture, &[]).await;

        let second = Server::start().await;
        let mut to_bucket = Place::empty_like(&app).await;
        to_bucket.variables.extend(server.variables());
        to_bucket.variables.insert("ORGDESK_AUDIT_ANCHOR", "store".to_owned());
        let there = tokio::task::block_in_place(|| to_bucket.refused(&["restore", saved]));
        assert!(there.contains("not empty"), "{there}");
        to_bucket.variables.extend(second.variables());
        let said = tokio::task::block_in_place(|| to_bucket.done(&["restore", saved]));
        assert!(said.contains("anchor 1 blocks"), "{said}");
        let kept = second.store().list("pictures").await.unwrap();
        assert_eq!(kept, server.store().list("pictures").await.unwrap());
        assert_eq!(kept.len(), 1);
    }
}
