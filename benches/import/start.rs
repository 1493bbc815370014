//! How a benchmark begins: by `cargo bench` only, with everything or a small part of it, and its figures kept where somebody
//! asks for them.

use serde_json::Value;

/// Runs the benchmark of this name: `run` gets 1 for `--small` and else 0, and answers the figures for `--json FILE`.
pub fn start<Run: Future<Output = Value>>(name: &str, run: impl FnOnce(usize) -> Run) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if !has("--bench") {
        println!("This is measured by `cargo bench --bench {name}`.");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let report = runtime.expect("a runtime").block_on(run(usize::from(has("--small"))));
    let file = arguments.iter().position(|argument| argument == "--json");
    if let Some(file) = file.and_then(|place| arguments.get(place + 1)) {
        let text = serde_json::to_string_pretty(&report).expect("JSON");
        std::fs::write(file, text + "\n").expect("a file that can be written");
    }
}
