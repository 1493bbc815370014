//! How many instructions the service runs for a request of the four hot ways of reading, as valgrind's callgrind counts
//! them: a figure that no other work on the machine moves. `-- --instructions` tells them beside those that
//! `instructions.json` has kept; `--keep` writes them there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Map, Value, json};

use crate::{
    client,
    data::{self, DataSet},
    server::Server,
    work::{self, Reads, Side, Work},
};

/// What comes first in a process, such as preparing statements and filling caches, is not counted.
const BEFORE: usize = 30;

/// Requests that are counted.
const COUNTED: usize = 50;

/// The ways of reading, and their names in the file.
const WAYS: [(Work, &str); 4] = [
    (Work::Organization, "organization"),
    (Work::Services, "services"),
    (Work::Entries, "entries"),
    (Work::Agents, "agents"),
];

/// Counts, tells, and keeps where asked to. What the profiles say in detail stays in `folder`, for `callgrind_annotate`.
pub async fn run(data: &DataSet, folder: &Path, keeps: bool) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/requests/instructions.json");
    let kept: Value = fs::read_to_string(&file).map_or(Value::Null, |text| serde_json::from_str(&text).expect("JSON"));
    fs::create_dir_all(folder).expect("a folder");
    let first = work::organization(Side::Service, &data.organizations[0]);
    let reads = {
        let plain = Server::service(data, &first).await;
        Reads::make(data, &plain).await
    };
    let server = Server::counted(data::variables(&data.app_url), &first, folder).await;
    let mut counts = Map::new();
    println!(
        "{:<16} {:>14} {:>14} {:>7}",
        "instructions", "a request", "kept", "ratio"
    );
    for (work, name) in WAYS {
        let requests = reads.of(work, Side::Service, 1).remove(0);
        let mut requests = requests.iter().cycle();
        for request in requests.by_ref().take(BEFORE) {
            client::ask(server.address, request).await;
        }
        control(&server, &["--zero"]);
        control(&server, &["--instr=on"]);
        for request in requests.take(COUNTED) {
            client::ask(server.address, request).await;
        }
        control(&server, &[&format!("--dump={name}")]);
        control(&server, &["--instr=off"]);
        let count = total(folder, name) / COUNTED as u64;
        let before = kept[name].as_u64();
        println!(
            "{name:<16} {count:>14} {:>14} {:>7}",
            before.map_or_else(String::new, |before| before.to_string()),
            before.map_or_else(String::new, |before| format!("{:.2}", count as f64 / before as f64)),
        );
        counts.insert(name.to_owned(), json!(count));
    }
    if keeps {
        let text = serde_json::to_string_pretty(&counts).expect("JSON");
        fs::write(&file, text + "\n").expect("a file that can be written");
    }
    println!("profiles: {}", folder.display());
}

/// Has callgrind do something in the running server.
fn control(server: &Server, arguments: &[&str]) {
    let done = Command::new("callgrind_control")
        .args(arguments)
        .arg(server.id().to_string())
        .output()
        .expect("callgrind_control, which comes with valgrind");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// The sum over all threads in the profile of that name.
fn total(folder: &Path, name: &str) -> u64 {
    let files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("a file").path())
        .collect();
    let text = files
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .find(|text| {
            text.lines()
                .any(|line| line.starts_with("desc: Trigger:") && line.ends_with(name))
        })
        .expect("the profile");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))
        .expect("a sum");
    line.trim().parse().expect("a number")
}
