//! Every command and operation of README.md is run. A fenced block in `sh`, `graphql` or `sql` stands under a marker,
//! an HTML comment on a line of its own, and `MARKERS` says what becomes of it; a block without one fails the test.
//! In a json block that follows as an answer, "…" stands for any value.

use std::process::Command;

use super::support::blocks::{agrees, blocks, commands, marked};
use super::support::cluster::{Cluster, free_port};
use super::support::skip::skipped;
use super::support::terminal::Terminal;

const CI: &str = include_str!("../../.ci/run");

/// Marker, language of its block, how many there are at least and at most, and what is done with it.
#[rustfmt::skip]
const MARKERS: &[(&str, &str, usize, usize, &str)] = &[
    ("run: demo",      "sh",      1, 1, "`cargo run -- demo`, started in an empty folder; the next two kinds use it"),
    ("run: paste",     "sh",      1, 9, "run in the order of the text, as if pasted into one terminal; a json block \
                                         right after it is compared with what it prints"),
    ("run: operation", "graphql", 0, 9, "sent to the demo as its owner; the json block right after it is the answer"),
    ("run: postgres",  "sh",      1, 9, "like `paste`, on a throw-away cluster whose superuser `sudo -u postgres psql` \
                                         is; a block that ends with `serve` is awaited until the server is ready"),
    ("test",           "sh",      1, 1, "one `cargo test` command, which .ci/run takes from the text and runs"),
    ("container",      "sh",      0, 1, "wants a container engine: packaging.rs does what can be done without one"),
];

#[test]
fn every_block_has_a_known_marker() {
    let blocks = blocks();
    for block in blocks
        .iter()
        .filter(|block| ["sh", "bash", "shell", "console", "graphql", "sql"].contains(&block.language))
    {
        let known = MARKERS
            .iter()
            .any(|(marker, language, ..)| *marker == block.marker && *language == block.language);
        assert!(
            known,
            "README.md:{}: a {} block under <!-- {} -->",
            block.line, block.language, block.marker
        );
    }
    for (marker, _, least, most, what) in MARKERS {
        let count = marked(&blocks, marker).count();
        assert!(
            (*least..=*most).contains(&count),
            "README.md has {count} blocks under <!-- {marker} -->: {what}"
        );
    }
    for block in marked(&blocks, "run: operation") {
        assert!(
            block.answer.is_some(),
            "README.md:{}: an operation without its answer",
            block.line
        );
    }
    for line in marked(&blocks, "container").flat_map(|block| commands(block.text)) {
        assert!(line.starts_with("docker "), "README.md: {line} can be run here");
    }
}

#[test]
fn ci_runs_the_test_command_of_the_text() {
    let blocks = blocks();
    let command = commands(
        marked(&blocks, "test")
            .next()
            .expect("a block under <!-- test -->")
            .text,
    );
    assert!(
        matches!(&command[..], [one] if one.starts_with("cargo test")),
        "{command:?}"
    );
    assert!(CI.contains("<!-- test -->"), ".ci/run does not look for the block");
}

#[test]
fn the_demo_starts_and_what_is_pasted_answers() {
    let blocks = blocks();
    let demo = commands(
        marked(&blocks, "run: demo")
            .next()
            .expect("a block under <!-- run: demo -->")
            .text,
    );
    assert_eq!(demo, ["cargo run -- demo"], "the demo is one plain command");

    let terminal = Terminal::open(free_port(), None);
    let running = terminal.serve(&demo);
    assert!(
        terminal.folder.path().join("data").is_dir(),
        "the demo keeps its data in ./data"
    );
    for page in ["/graphiql", "/dev/mailbox"] {
        let printed = running.printed();
        assert!(printed.contains(page), "the demo says where {page} is:\n{printed}");
    }

    if Command::new("curl").arg("--version").output().is_err() {
        return skipped("Pasted operations of README.md", "no curl");
    }
    for block in &blocks {
        match block.marker {
            "run: paste" => block.compare(&terminal.paste(block.text)),
            "run: operation" => block.compare(&terminal.send(block.text)),
            _ => {}
        }
    }
}

#[test]
fn the_way_to_postgresql_works() {
    let Some(cluster) = Cluster::throw_away() else {
        return skipped(
            "PostgreSQL half of README.md",
            "no initdb in PATH or /usr/lib/postgresql/*/bin",
        );
    };
    let terminal = Terminal::open(free_port(), Some(&cluster));
    let mut servers = Vec::new();
    for block in marked(&blocks(), "run: postgres") {
        let commands = commands(block.text);
        if commands.last().is_some_and(|command| command.ends_with(" serve")) {
            servers.push(terminal.serve(&commands));
        } else {
            block.compare(&terminal.paste(block.text));
        }
    }
    assert_eq!(
        servers.len(),
        1,
        "one block under <!-- run: postgres --> ends with `serve`"
    );
}

#[test]
fn answers_are_compared_as_json() {
    let said: serde_json::Value = serde_json::from_str(r#"{"a": [1, {"b": null, "c": "x"}]}"#).unwrap();
    let agrees = |text: &str| agrees(&serde_json::from_str(text).unwrap(), &said);
    assert!(agrees(r#"{"a": [1, {"c": "x", "b": null}]}"#) && agrees(r#"{"a": ["…", {"b": "…", "c": "…"}]}"#));
    assert!(!agrees(r#"{"a": [1]}"#) && !agrees(r#"{"a": [1, {"b": null}]}"#) && !agrees(r#"{"a": [2, "…"]}"#));
}
