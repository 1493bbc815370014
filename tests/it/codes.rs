//! `docs/codes.md`, which developers read: every code that an answer can have, where it can be, and what people are told
//! then. The page is made of what the code and the schema say and must stand there word for word;
//! `ORGDESK_WRITE_CODES=1` writes it.

use std::{collections::BTreeMap, fmt::Write as _};

use orgdesk::api::{codes::RequestCode, schema};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/codes.md");
const KOREAN: &str = include_str!("../../src/kernel/messages/ko.ftl");
const ENGLISH: &str = include_str!("../../src/kernel/messages/en.ftl");

/// What `extensions.code` of an error says that has a `path`: the rest of the answer was executed. More than these are none.
const EXECUTED: [(&str, &str); 7] = [
    ("UNAUTHENTICATED", "a field that takes a sign-in"),
    (
        "FORBIDDEN",
        "a field that the caller's roles do not reach; `extensions.permission` names what is missing",
    ),
    (
        "SECOND_FACTOR_REQUIRED",
        "any field, before a second factor is set up that the organization demands",
    ),
    (
        "CONFIRMATION_REQUIRED",
        "a field marked *fresh password* in permissions.md: `sessionConfirm`, then again",
    ),
    (
        "STORAGE_UNAVAILABLE",
        "a field that keeps or reads files; `extensions.retryAfter` is in seconds",
    ),
    (
        "THROTTLED",
        "`ticketReveal` and others that are counted by themselves; `extensions.retryAfter` is in seconds",
    ),
    (
        "INTERNAL",
        "anywhere; `extensions.requestId` finds the cause in the server's log",
    ),
];

/// The messages of a catalogue.
fn messages(text: &str) -> BTreeMap<&str, &str> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = "))
        .collect()
}

/// The enumerations of codes, each with its codes and the type of the errors that have it.
fn enumerations(sdl: &str) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for block in sdl.split("\nenum ").skip(1) {
        let name = block.split([' ', '{']).next().unwrap();
        if !name.ends_with("ErrorCode") {
            continue;
        }
        let (body, _) = block.split_once("\n}").unwrap();
        let shouted = |line: &&str| {
            line.chars()
                .all(|letter| letter.is_ascii_uppercase() || letter == '_' || letter.is_ascii_digit())
        };
        let values = body
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .filter(shouted);
        found.insert(name.to_owned(), values.map(str::to_owned).collect());
    }
    found
}

/// The mutations whose user errors have an enumeration's codes.
fn mutations(sdl: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for block in sdl.split("\ntype ").skip(1) {
        let name = block.split([' ', '{']).next().unwrap();
        let Some(mutation) = name.strip_suffix("Payload") else {
            continue;
        };
        let (body, _) = block.split_once("\n}").unwrap();
        let (_, errors) = body.split_once("userErrors: [").unwrap();
        let errors = errors.split('!').next().unwrap().strip_suffix("UserError").unwrap();
        let mutation = format!("{}{}", mutation[..1].to_lowercase(), &mutation[1..]);
        found.entry(format!("{errors}ErrorCode")).or_default().push(mutation);
    }
    found
}

/// The codes of whole requests, each with what its own comment says.
fn requests() -> BTreeMap<&'static str, String> {
    const SOURCE: &str = include_str!("../../src/api/codes.rs");
    let (_, listed) = SOURCE.split_once("pub enum RequestCode {").unwrap();
    let (listed, _) = listed.split_once("\n}").unwrap();
    let mut said = BTreeMap::new();
    let mut comment = String::new();
    for line in listed.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.strip_prefix("/// ") {
            Some(text) => comment = format!("{comment} {text}").trim().to_owned(),
            None => {
                let code = RequestCode::ALL.iter().find(|code| format!("{code:?},") == line);
                let code = code.unwrap_or_else(|| panic!("{line} is not among all"));
                said.insert(code.as_str(), std::mem::take(&mut comment));
            }
        }
    }
    assert_eq!(said.len(), RequestCode::ALL.len());
    said
}

fn page() -> String {
    let sdl = schema::sdl(&schema::build());
    let (korean, english) = (messages(KOREAN), messages(ENGLISH));
    let (enumerations, mutations) = (enumerations(&sdl), mutations(&sdl));
    let told = |code: &str| match (korean.get(code), english.get(code)) {
        (Some(korean), Some(english)) => format!("{korean} | {english}"),
        other => panic!("{code} has no message: {other:?}"),
    };
    let mut text = INTRODUCTION.to_owned();

    text += "\n## Requests that are not executed\n\n`errors[].extensions.code`, without `path`. The messages are for developers, in English, and may change.\n\n| code | meaning |\n|---|---|\n";
    for (code, meaning) in requests() {
        writeln!(text, "| `{code}` | {meaning} |").unwrap();
    }
    text += "\n## Fields that fail\n\n`errors[].extensions.code`, with `path`: the rest of the answer is there. `BAD_USER_INPUT` is said of arguments too; where a person can mend it, `extensions.reason` has one of the codes below.\n\n| code | where | Korean | English |\n|---|---|---|---|\n";
    for (code, place) in EXECUTED {
        writeln!(text, "| `{code}` | {place} | {} |", told(code)).unwrap();
    }
    text += "\n## What a person can mend\n\n`userErrors[].code` of mutations, `reasonCode` of `actions`. *where* names the enumerations below; *import* is `Import.refusal.code` or `ImportProblem.code`, *extraction* what an extraction says for itself.\n\n| code | where | Korean | English |\n|---|---|---|---|\n";
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, codes) in &enumerations {
        for code in codes {
            places
                .entry(code)
                .or_default()
                .push(name.strip_suffix("ErrorCode").unwrap());
        }
    }
    for code in korean
        .keys()
        .filter(|code| !EXECUTED.iter().any(|(own, _)| own == *code) || places.contains_key(**code))
    {
        let place = match places.get(code) {
            Some(all) if all.len() == enumerations.len() => "every mutation".to_owned(),
            Some(some) => some.join(", "),
            None if IMPORTS.contains(code) => "import".to_owned(),
            None if code.starts_with("EXTRACTION_") => "extraction".to_owned(),
            None => panic!("{code} is said nowhere: say here where"),
        };
        writeln!(text, "| `{code}` | {place} | {} |", told(code)).unwrap();
    }
    text += "\n## Which mutations\n\n| enumeration | mutations |\n|---|---|\n";
    for name in enumerations.keys() {
        let all = mutations
            .get(name)
            .unwrap_or_else(|| panic!("no mutation answers {name}"));
        let all: Vec<_> = all.iter().map(|mutation| format!("`{mutation}`")).collect();
        writeln!(text, "| `{name}` | {} |", all.join(", ")).unwrap();
    }
    text
}

const INTRODUCTION: &str = "# Error codes

Codes are for programs: they are stable, the same in every language, and more may be added. Messages are for people, in the
language of `Accept-Language` (Korean where nothing else is asked for), and may change. `{ $max }` and the like stand for
values.

This page is made by a test (`tests/it/codes.rs`), which fails where it is not what the code says. The codes with which a
WebSocket is closed are in [subscriptions.md](subscriptions.md).
";

/// What is said of files only.
const IMPORTS: [&str; 24] = [
    "FILE_NOT_CHECKED",
    "FILE_OTHER_FORMAT",
    "FILE_HAS_PASSWORD",
    "FILE_HAS_MACROS",
    "FILE_HAS_LINKS",
    "FILE_INFLATES",
    "FILE_TOO_COMPLEX",
    "TEMPLATE_UNKNOWN",
    "TEMPLATE_OUTDATED",
    "COLUMN_UNKNOWN",
    "ROWS_ABSENT",
    "ROWS_TOO_MANY",
    "COLUMNS_TOO_MANY",
    "CELL_ERROR",
    "CELL_MERGED",
    "OPTION_UNKNOWN",
    "ASSIGNEE_UNKNOWN",
    "ASSIGNEE_NOT_ALLOWED",
    "TIME_IN_FUTURE",
    "TIME_BEFORE_RECEIVED",
    "FIELD_GONE",
    "IMPORT_GIVEN_UP",
    "IMPORT_WITHOUT_CONFIRMER",
    "ROW_REFUSED",
];

#[test]
fn g2_every_code_is_documented_with_its_texts_and_its_places() {
    let page = page();

    if std::env::var("ORGDESK_WRITE_CODES").is_ok_and(|value| value == "1") {
        std::fs::write(PATH, &page).unwrap();
    }

    let written = std::fs::read_to_string(PATH).unwrap_or_default();
    for (line, (made, stands)) in page.lines().zip(written.lines()).enumerate() {
        assert_eq!(made, stands, "line {} of docs/codes.md", line + 1);
    }
    assert_eq!(page.lines().count(), written.lines().count());
    assert!(page.lines().count() > 200);
}
