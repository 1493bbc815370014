//! A disk that is full: what can't be written is an error, what was acknowledged stays, reading goes on, and when there is room
//! again so does the rest. The disk is one of memory, of the server's own.

use std::{fs::File, io::Write as _, path::Path, process::Command};

use orgdesk::kernel::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::support::{
    app::TestApp, cluster::free_port, import_server::orgdesk, make, namespace::own_mounts, raw::Raw, running::Running,
    sink::Sink,
};

/// Makes the disk, puts the database on it, and becomes the server. Arguments: where, the database, the program, its
/// arguments.
const MOUNT: &str = r#"
set -eu
mount -t tmpfs -o size=24m tmpfs "$1"
cp "$2" "$1/orgdesk.db"
shift 2
exec "$@"
"#;

/// A server on a small disk.
struct Place {
    server: Running,
    address: String,
    token: String,
    disk: String,
    _folder: tempfile::TempDir,
    _sink: Sink,
}

impl Place {
    async fn new() -> Option<Self> {
        let way = own_mounts("Full disk")?;
        let app = TestApp::on_sqlite().await;
        app.clock.set(SystemClock.now().0);
        let token = app.owner().token().await;
        Raw::admin(&app).await.must("PRAGMA wal_checkpoint(TRUNCATE)").await;
        let (folder, sink) = (tempfile::tempdir().unwrap(), Sink::start());
        let (data, address) = (folder.path().to_str().unwrap(), format!("127.0.0.1:{}", free_port()));
        let server = orgdesk(&app, &["serve"], sink.port);
        let mut command = Command::new("unshare");
        command.args(way).args(["sh", "-c", MOUNT, "sh", data]);
        command.arg(app.url.strip_prefix("sqlite:").unwrap());
        command.arg(server.get_program()).args(server.get_args()).env_clear();
        for (name, value) in server.get_envs() {
            command.env(name, value.unwrap());
        }
        command.envs([
            ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            ("DATABASE_URL", &format!("sqlite:{data}/orgdesk.db")),
            ("ORGDESK_DATA", data),
            ("ORGDESK_LISTEN", &address),
        ]);
        let server = Running::start(&mut command, &address);
        Some(Self {
            disk: format!("/proc/{}/root{data}", server.id()),
            server,
            address,
            token,
            _folder: folder,
            _sink: sink,
        })
    }

    async fn ask(&self, query: &str) -> Value {
        let post = reqwest::Client::new().post(format!("http://{}/graphql", self.address));
        let sent = post.bearer_auth(&self.token).json(&json!({ "query": query })).send();
        sent.await.unwrap().json().await.unwrap()
    }

    /// Adds an entry of company information; whether it is there now, as far as one is told.
    async fn add(&self, title: &str) -> bool {
        let field = make::company(title).replace(" => ", " { ");
        let answer = self
            .ask(&format!("mutation {{ {field} userErrors {{ code }} }} }}"))
            .await;
        let is_there = answer["data"]["companyCreate"]["company"]["id"].is_string();
        let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
        assert!(is_there || ["INTERNAL", "UNAVAILABLE"].contains(&code), "{answer}");
        is_there
    }

    async fn titles(&self) -> Vec<String> {
        let answer = self.ask("{ companies(first: 100) { nodes { title } } }").await;
        let nodes = answer["data"]["companies"]["nodes"].as_array();
        let nodes = nodes.unwrap_or_else(|| panic!("{answer}"));
        nodes
            .iter()
            .map(|node| node["title"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Fills the disk to its last byte.
    fn fill(&self) {
        let mut filler = File::create(Path::new(&self.disk).join("filler")).unwrap();
        let some = vec![0; 64 * 1024];
        let mut written = 0;
        while filler.write_all(&some).is_ok() {
            written += some.len();
            assert!(written < 64 * 1024 * 1024, "that is no small disk");
        }
        while filler.write_all(&[0]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(Path::new(&self.disk).join("filler")).unwrap();
    }
}

// case: K4
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_on_a_full_disk_nothing_is_half_done_and_with_room_it_goes_on() {
    let Some(place) = Place::new().await else { return };
    let mut acknowledged = Vec::new();
    for title in ["before a", "before b"] {
        assert!(place.add(title).await);
        acknowledged.push(title.to_owned());
    }

    place.fill();
    let mut refused = 0;
    for number in 0..30 {
        let title = format!("full {number}");
        match place.add(&title).await {
            true => acknowledged.push(title),
            false => refused += 1,
        }
    }
    let read = place.titles().await;
    place.make_room();
    assert!(place.add("after").await, "{}", place.server.printed());
    acknowledged.push("after".to_owned());

    assert!(refused > 0, "the disk was never full: {acknowledged:?}");
    assert_eq!(read.len() + 1, acknowledged.len(), "one can read all the while");
    let mut titles = place.titles().await;
    titles.sort();
    acknowledged.sort();
    assert_eq!(titles, acknowledged, "what was acknowledged, and nothing else");
    let query = "{ auditVerification { log verifiedCount brokenPosition } auditEntries(first: 1, filter: { action: [COMPANY_CREATE], outcome: [DONE] }) { totalCount } }";
    let told = place.ask(query).await;
    let logs = told["data"]["auditVerification"]
        .as_array()
        .unwrap_or_else(|| panic!("{told}"));
    assert!(
        !logs.is_empty() && logs.iter().all(|log| log["brokenPosition"].is_null()),
        "{told}"
    );
    assert_eq!(told["data"]["auditEntries"]["totalCount"], acknowledged.len(), "{told}");
}
