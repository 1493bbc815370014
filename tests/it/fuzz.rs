//! What others send, nearly right: whatever is changed of it, nobody panics and nothing is believed that should not be. The
//! targets of `fuzz/` do the same without an end.

use std::{collections::BTreeSet, fs, path::Path};

use orgdesk::{
    api::playground::OPERATIONS,
    cti::line::sheet::{Filled, write},
    hostile,
    kernel::{Language, Timestamp},
};
use serde_json::json;

use crate::support::{
    app::{BEGIN, TestApp, instant},
    hostile::documents,
    imports, make,
    mutate::Mutator,
    partner,
};

fn asked(name: &str, usual: u64) -> u64 {
    let asked = std::env::var(name).ok();
    asked.map_or(usual, |text| text.parse().unwrap())
}

/// Hands so many inputs to a function; one that it panics on is told by its seed and number, and in full.
fn drive(
    what: &str,
    usual: u64,
    corpus: Vec<Vec<u8>>,
    words: Vec<&'static [u8]>,
    next: fn(&Mutator) -> Vec<u8>,
    read: fn(&[u8]),
) {
    let seed = asked("ORGDESK_TEST_SEED", 17);
    let rounds = asked("ORGDESK_TEST_ROUNDS", usual);
    corpus.iter().for_each(|bytes| read(bytes));
    let mutator = Mutator::new(seed, corpus, words);
    for round in 0..rounds {
        let bytes = next(&mutator);
        if std::panic::catch_unwind(|| read(&bytes)).is_err() {
            let shown: String = bytes.escape_ascii().take(4_000).map(char::from).collect();
            panic!("{what}, ORGDESK_TEST_SEED={seed}, input {round}: {shown}");
        }
    }
    println!("{what}: {rounds} of ORGDESK_TEST_SEED={seed}");
}

// case: E1
// case: E2
#[test]
fn p4_documents_nearly_right_are_counted_and_measured_without_a_panic() {
    let mut corpus: Vec<Vec<u8>> = OPERATIONS
        .iter()
        .map(|operation| operation.text.as_bytes().to_vec())
        .collect();
    corpus.extend(documents().into_iter().map(|(_, document, _)| document.into_bytes()));
    let words: Vec<&[u8]> = vec![
        b"{",
        b"}",
        b"...F",
        b"... on Query {",
        b"fragment F on Query {",
        b"\"\"\"",
        b"\"",
        b"\\u{110000}",
        b"\\\"",
        b"@skip(if: $a)",
        b"[[",
        b"a:",
        b"#",
        b"\xef\xbb\xbf",
        b"query($a:[[Int!]!]=[[1]])",
        b"-0.0e99",
        b"\r",
        b"__schema",
    ];

    drive("documents", 3_000, corpus, words, Mutator::next, hostile::document);
}

// case: E6
#[test]
fn p4_forms_nearly_right_leave_nothing_behind() {
    let part = |disposition: &str, content: &str| {
        format!("--x\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
    };
    let operations = json!({ "query": "mutation($a: Upload!, $b: [Upload!]!) { a }", "variables": { "a": null, "b": [null, null] } }).to_string();
    let map = json!({ "0": ["variables.a"], "1": ["variables.b.0", "variables.b.1"] }).to_string();
    let begin = part("name=\"operations\"", &operations) + &part("name=\"map\"", &map);
    let whole = begin.clone()
        + &part("name=\"0\"; filename=\"a.png\"", "a")
        + &part("name=\"1\"; filename*=UTF-8''%EA", &"b".repeat(20_000))
        + "--x--\r\n";
    let corpus = [begin, whole]
        .iter()
        .flat_map(|text| [1_u8, 40].map(|size| [&[size], text.as_bytes()].concat()))
        .collect();
    let words: Vec<&[u8]> = vec![
        b"--x",
        b"--x--\r\n",
        b"\r\n\r\n",
        b"name=\"0\"",
        b"\"variables.b.4294967296\"",
        b"\"variables\"",
        b"variables.a.b",
        b"Content-Type: text/plain\r\n",
        b"[[[[[[",
        b"{\"\":",
        b"\0",
        b"filename=\"\\\"\"",
    ];

    drive("forms", 3_000, corpus, words, Mutator::next, hostile::form);
}

// case: G3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_workbooks_nearly_right_are_read_or_refused() {
    let app = TestApp::on_sqlite().await;
    let desk = make::in_use(app.owner(), "desk", 3).await;
    let template = imports::template(&app, app.owner(), &desk.id).await;
    let filled = imports::fill(&template, &[imports::GOOD, imports::GOOD]);
    let corpus = vec![
        template,
        filled,
        write(&[Filled::default()], Language::Korean, Timestamp(instant(BEGIN))).unwrap(),
    ];
    let words: Vec<&[u8]> = vec![
        b"<row r=\"4294967296\">",
        b"<c r=\"XFD1048576\" t=\"s\"><v>99999</v></c>",
        b"<c r=\"A0\">",
        b"<dimension ref=\"C9:A1\"/>",
        b"t=\"inlineStr\"",
        b"<mergeCell ref=\"A1:XFD1048576\"/>",
        b"&x;",
        b"<!DOCTYPE a [<!ENTITY x \"y\">]>",
        b"</row>",
        b"<v>1e999</v>",
        b"<v>-1</v>",
        b"<f>1</f>",
        b"]]>",
        b"<!--",
        b"PK\x05\x06",
        b"\xff\xff\xff\xff",
        b"count=\"4294967295\"",
        b"r=\"\"",
    ];

    tokio::task::block_in_place(|| {
        drive(
            "archives",
            400,
            corpus.clone(),
            words.clone(),
            Mutator::next,
            hostile::workbook,
        );
        drive(
            "workbooks",
            400,
            corpus,
            words,
            Mutator::next_archive,
            hostile::workbook,
        );
    });
}

// case: A3
// case: D9
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_words_nearly_right_stand_for_nothing() {
    let app = TestApp::on_sqlite().await;
    let desk = make::draft(app.owner(), "desk").await;
    let data = app
        .owner()
        .data("{ services(first: 1) { pageInfo { endCursor } } }", json!({}))
        .await;
    let key = partner::key(app.owner(), &["SERVICE_READ"]).await;
    let token = app.owner().token().await;
    let bare = desk.id.trim_start_matches("svc_").to_owned();
    let corpus = [
        desk.id,
        desk.contract,
        bare,
        data["services"]["pageInfo"]["endCursor"].as_str().unwrap().to_owned(),
        key.secret,
        format!("Bearer {token}"),
        token,
    ];
    let words: Vec<&[u8]> = vec![
        b"svc_",
        b"oc_v1_",
        b".",
        b"..",
        b"eyJhbGciOiJub25lIn0",
        b"=",
        b"7zzzzzzzzzzzzzzzzzzzzzzzzz",
        b"8",
        b"Z",
        b"\0",
        b"\xc3\xa9",
        b"Bearer ",
        b"_",
    ];

    drive(
        "words",
        3_000,
        corpus.into_iter().map(String::into_bytes).collect(),
        words,
        Mutator::next,
        hostile::words,
    );
}

// case: B3
#[test]
fn p4_addresses_nearly_right_are_addresses_or_none() {
    let corpus = [
        "203.0.113.0/24\n198.51.100.1, 10.0.0.1",
        "2001:db8::/32\n[2001:db9::7]:4711",
        "::ffff:203.0.113.7\n::1/128\n0.0.0.0/0",
        "10.0.0.1, , 10.0.0.2,\n198.51.100.1:4711",
    ];
    let words: Vec<&[u8]> = vec![
        b"/",
        b"/33",
        b"/0",
        b"/129",
        b",",
        b", ",
        b"\n",
        b"[",
        b"]",
        b":",
        b"::",
        b"%eth0",
        b"0x7f.1",
        b"255.255.255.255",
        b"ffff:",
        b"\xff",
        b"\t",
        b"10.9.9.9",
    ];

    drive(
        "addresses",
        5_000,
        corpus.map(|text| text.as_bytes().to_vec()).into(),
        words,
        Mutator::next,
        hostile::addresses,
    );
}

#[test]
fn p4_every_target_is_one_of_these_functions() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
    let own = include_str!("fuzz.rs");
    let mut targets = BTreeSet::new();

    for entry in fs::read_dir(root.join("fuzz/fuzz_targets")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.contains(&format!("orgdesk::hostile::{name}(bytes)")) && text.lines().count() < 6,
            "{name}: {text}"
        );
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name} stands in fuzz/Cargo.toml"
        );
        assert!(own.contains(&format!("hostile::{name}")), "{name} is driven here too");
        targets.insert(name);
    }

    assert_eq!(
        targets,
        ["addresses", "document", "form", "words", "workbook"]
            .map(str::to_owned)
            .into()
    );
}
