//! The binary as a process: it refuses a broken configuration with every fault at once, starts on an existing
//! database, keeps what was acknowledged, and stops gracefully.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::support::{
    cluster::free_port,
    running::{BINARY, Running},
};

/// `orgdesk` with nothing in its environment but what is given.
fn orgdesk(folder: &Path, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(BINARY);
    command.env_clear().current_dir(folder).envs(variables.iter().copied());
    command
}

fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

/// Asks a running server; any error fails the test.
fn ask(address: &str, token: &str, query: &str, variables: Value) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = json!({ "query": query, "variables": variables });
    let request = client
        .post(format!("http://{address}/graphql"))
        .bearer_auth(token)
        .json(&body);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let answer: Value = runtime.block_on(async { request.send().await.unwrap().json().await.unwrap() });
    assert_eq!(answer.get("errors"), None, "{answer}");
    answer["data"].clone()
}

/// The last 24 months before the present one, in Seoul.
#[expect(
    clippy::disallowed_methods,
    reason = "the process under test lives by the machine's clock"
)]
fn two_years() -> (String, String) {
    let today = chrono::Utc::now().with_timezone(&chrono_tz::Asia::Seoul).date_naive();
    let month = |back: u32| (today - chrono::Months::new(back)).format("%Y-%m").to_string();
    (month(24), month(1))
}

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const KEY_RING: &str = "test:JSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/QEFCQ0Q=";

#[test]
fn p4_a_broken_configuration_is_refused_with_every_fault() {
    // case: K15
    let folder = tempfile::tempdir().unwrap();
    let broken = [
        ("DATABASE_URL", "mysql://x"),
        ("ORGDESK_LISTEN", "here"),
        ("ORGDESK_LOG", "xml"),
    ];
    let output = run(orgdesk(folder.path(), &broken).arg("serve"));

    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    for name in [
        "DATABASE_URL",
        "ORGDESK_LISTEN",
        "ORGDESK_LOG",
        "ORGDESK_SECRET",
        "ORGDESK_KEY_RING",
        "ORGDESK_ORGANIZATION_URL",
        "ORGDESK_PUBLIC_URL",
        "ORGDESK_MAIL_FROM",
        "ORGDESK_SMTP_URL",
    ] {
        assert!(said.contains(name), "{name}: {said}");
    }
}

#[test]
fn p4_an_unknown_setting_is_refused_also_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("orgdesk.toml"),
        "listen = \"127.0.0.1:1\"\nlisten_on = \"x\"\n",
    )
    .unwrap();
    let output = run(orgdesk(
        folder.path(),
        &[("ORGDESK_CONFIG", "orgdesk.toml"), ("ORGDESK_COLOUR", "red")],
    )
    .arg("serve"));

    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("listen_on") && said.contains("ORGDESK_COLOUR"), "{said}");
}

#[test]
fn p4_a_secret_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, SECRET).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = run(orgdesk(folder.path(), &[("ORGDESK_SECRET_FILE", "secret")]).arg("serve"));

    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("chmod 600"), "{said}");
}

#[test]
fn p4_a_database_of_a_newer_version_is_refused() {
    // case: K14
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("orgdesk.db").display());
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("ORGDESK_SECRET", SECRET),
        ("ORGDESK_KEY_RING", KEY_RING),
        ("ORGDESK_ORGANIZATION_URL", "https://{domain}.example.com"),
        ("ORGDESK_PUBLIC_URL", "https://desk.example.com"),
        ("ORGDESK_MAIL_FROM", "no-reply@example.com"),
        ("ORGDESK_SMTP_URL", "smtp://127.0.0.1:1025?tls=none"),
    ];
    assert!(run(orgdesk(folder.path(), &settings).arg("migrate")).status.success());
    assert!(
        run(orgdesk(folder.path(), &settings).arg("migrate")).status.success(),
        "twice is once"
    );
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29991231_000001_future', 0)";
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        use sqlx::Connection;
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::query(newer).execute(&mut connection).await.unwrap();
    });
    let output = run(orgdesk(folder.path(), &settings).args(["audit", "verify"]));

    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("newer") || said.contains("m29991231_000001_future"),
        "{said}"
    );
}

#[test]
fn l3_an_anchor_that_hangs_keeps_no_server_from_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let (address, pipe) = (format!("127.0.0.1:{}", free_port()), folder.path().join("anchor"));
    // Whoever opens it waits for somebody at the other end, who never comes: as with a file system that is not there.
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let settings = [
        ("DATABASE_URL", "sqlite:orgdesk.db"),
        ("ORGDESK_SECRET", SECRET),
        ("ORGDESK_KEY_RING", KEY_RING),
        ("ORGDESK_ORGANIZATION_URL", "https://{domain}.example.com"),
        ("ORGDESK_PUBLIC_URL", "https://desk.example.com"),
        ("ORGDESK_MAIL_FROM", "no-reply@example.com"),
        ("ORGDESK_SMTP_URL", "smtp://127.0.0.1:1025?tls=none"),
        ("ORGDESK_AUDIT_ANCHOR", "anchor"),
        ("ORGDESK_LISTEN", &address),
    ];
    let server = Running::start(orgdesk(folder.path(), &settings).arg("serve"), &address);
    assert!(server.terminate().success());
}

#[test]
fn p1_the_demo_seeds_once_and_stops_gracefully() {
    // case: K9
    let folder = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let variables = [("ORGDESK_LISTEN", address.as_str())];
    let first = Running::start(orgdesk(folder.path(), &variables).arg("demo"), &address);
    let token = |output: Output| String::from_utf8(output.stdout).unwrap();
    let printed = token(run(orgdesk(folder.path(), &variables).args([
        "token",
        "--organization",
        "demo",
        "--login",
        "owner",
    ])));
    assert!(
        printed.trim().split('.').count() == 3 && printed.lines().count() == 1,
        "{printed}"
    );
    assert!(run(orgdesk(folder.path(), &variables).arg("health")).status.success());
    it_has_two_years_behind_it(&address, printed.trim());

    for file in ["data", "data/orgdesk.db", "data/orgdesk.db-wal", "data/secret.key"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(folder.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "nobody else can read {file}");
    }

    let ended = first.terminate();

    assert!(ended.success(), "a graceful stop ends well: {ended}");
    assert!(!run(orgdesk(folder.path(), &variables).arg("health")).status.success());
    let made = std::fs::metadata(folder.path().join("data/secret.key"))
        .unwrap()
        .modified()
        .unwrap();
    let second = Running::start(orgdesk(folder.path(), &variables).arg("demo"), &address);
    assert_eq!(
        std::fs::metadata(folder.path().join("data/secret.key"))
            .unwrap()
            .modified()
            .unwrap(),
        made
    );
    assert!(second.terminate().success());
    let verified = run(orgdesk(folder.path(), &variables).args(["audit", "verify"]));
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stdout)
    );
}

fn it_has_two_years_behind_it(address: &str, token: &str) {
    let query = "query Demo($filter: ChargeFilter!) {
        services(first: 100) { nodes { kind status contract { status revisions { totalCount } } } }
        organization { name domain members(first: 100) { nodes { name roles } } }
        charges(first: 100, filter: $filter) { totalCount nodes { month status lines { kind } } } }";
    let (from, to) = two_years();

    let told = ask(address, token, query, json!({ "filter": { "from": from, "to": to } }));

    let list = |pointer: &str| told.pointer(pointer).and_then(Value::as_array).unwrap();
    let services = list("/services/nodes");
    let of_kind = |kind: &str| services.iter().filter(|service| service["kind"] == kind).count();
    assert_eq!((of_kind("CONSULTATION"), of_kind("ISSUE")), (2, 1));
    for service in services {
        assert_eq!(service["contract"]["status"], "IN_FORCE");
        assert!(
            service["contract"]["revisions"]["totalCount"].as_i64() > Some(1),
            "a contract has a history"
        );
    }
    let members = list("/organization/members/nodes");
    let with_role = |role: &str| {
        members
            .iter()
            .filter(|member| member["roles"].as_array().unwrap().contains(&json!(role)))
            .count()
    };
    assert_eq!(
        (with_role("OWNER"), with_role("ORGANIZATION_ADMIN"), members.len()),
        (1, 2, 10)
    );
    assert!(
        members
            .iter()
            .all(|member| !member["name"].as_str().unwrap().is_ascii()),
        "names are Korean"
    );
    let charges = list("/charges/nodes");
    let months: std::collections::BTreeSet<_> = charges.iter().map(|charge| charge["month"].to_string()).collect();
    assert_eq!(
        (charges.len(), months.len(), &told["charges"]["totalCount"]),
        (72, 24, &json!(72))
    );
    for charge in charges {
        assert_eq!(charge["status"], "CLOSED");
        assert!(
            charge["lines"]
                .as_array()
                .unwrap()
                .iter()
                .any(|line| line["kind"] == "LICENCE")
        );
    }
    assert!(
        charges
            .iter()
            .any(|charge| charge["lines"].to_string().contains("USAGE")),
        "with usage"
    );
}
