//! The rules of the house that no compiler knows: who may use whom, and how long a file may be.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each area uses areas before it only. What an API says of an area may speak of any: `graphql.rs`.
const AREAS: [&str; 17] = [
    "picture",
    "organization",
    "member",
    "admin",
    "service",
    "contract",
    "billing",
    "company",
    "agent",
    "field",
    "cti",
    "pii",
    "ticket",
    "import",
    "extraction",
    "audit",
    "partner",
];

#[test]
fn an_area_uses_only_areas_before_it() {
    let mut wrong = Vec::new();

    for (path, text) in sources() {
        let Some(place) = AREAS.iter().position(|area| path.starts_with(area)) else {
            continue;
        };
        let is_api = path
            .components()
            .any(|part| part.as_os_str() == "graphql" || part.as_os_str() == "graphql.rs");
        for used in used_modules(&text) {
            let is_later = AREAS
                .iter()
                .position(|area| *area == used)
                .is_some_and(|other| other > place);
            if !is_api
                && (is_later || ["api", "command", "operate", "serve", "setup", "worker"].contains(&used.as_str()))
            {
                wrong.push(format!("{} uses {used}", path.display()));
            }
        }
    }

    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_kernel_knows_no_area() {
    for (path, text) in sources().into_iter().filter(|(path, _)| path.starts_with("kernel")) {
        let known: Vec<String> = used_modules(&text)
            .into_iter()
            .filter(|used| used != "kernel")
            .collect();

        assert_eq!(known, Vec::<String>::new(), "{}", path.display());
    }
}

/// Another reader would take a text in it for JSON of its own, however deep (`kernel/json.rs`).
#[test]
fn e2_what_strangers_send_is_read_by_one_reader_of_json() {
    let mut read = 0;
    for (path, text) in sources().into_iter().filter(|(path, _)| path.starts_with("api")) {
        let is_test = path
            .components()
            .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs");
        let code = text
            .split("#[cfg(test)]")
            .next()
            .filter(|_| !is_test)
            .unwrap_or_default();
        for line in code.lines().filter(|line| line.contains("serde_json::from_")) {
            assert!(line.contains("Foreign"), "{}: {line}", path.display());
            read += 1;
        }
    }
    assert!(read > 0, "nothing is read");
}

#[test]
fn only_kernel_and_setup_name_a_connection() {
    const NAMES: [&str; 6] = [
        "DatabaseConnection",
        "DatabaseTransaction",
        "ConnectionTrait",
        "TransactionTrait",
        "SqlitePool",
        "PgPool",
    ];
    let mut wrong = Vec::new();

    for (path, text) in sources() {
        let may = path.starts_with("kernel") || path.starts_with("setup.rs") || path.starts_with("setup");
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        wrong.extend(
            NAMES
                .iter()
                .filter(|name| !may && code.contains(*name))
                .map(|name| format!("{}: {name}", path.display())),
        );
    }

    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn files_say_what_they_are_for_and_stay_short() {
    let mut wrong = Vec::new();

    for (path, text) in sources() {
        let lines = text.lines().count();
        if lines > 400 {
            wrong.push(format!("{} has {lines} lines", path.display()));
        }
        let opening = text.lines().take_while(|line| line.starts_with("//!")).count();
        if opening == 0 {
            wrong.push(format!("{} does not say what it is for", path.display()));
        }
        if ["#[allow", "#![allow"].iter().any(|word| text.contains(word)) {
            wrong.push(format!("{} allows what it should expect", path.display()));
        }
    }

    assert_eq!(wrong, Vec::<String>::new());
}

/// The tables of organizations whose rows give nobody a right. All others say with `grants:` what right a row gives, so
/// that whatever writes one leaves it in the permission-change log: a new table has to be thought about here.
const GRANT_NOTHING: [&str; 53] = [
    // What it gives stands in a log of its own.
    "pii_grant",
    "pii_grant_change",
    "pii_grant_change_service",
    "import",
    "import_problem",
    "import_outcome",
    "extraction",
    "extraction_step",
    "field",
    "field_composition",
    "field_composition_revision",
    "data_key",
    "ticket",
    "ticket_term",
    "picture",
    "picture_holder",
    "organization_key_use",
    "webhook",
    "webhook_delivery",
    "identity_provider",
    "external_identity",
    "notice",
    "company",
    "company_revision",
    "company_footer",
    "company_footer_revision",
    "cti_setting",
    "cti_agent",
    "cti_agent_history",
    "cti_log_day",
    "cti_event",
    "cti_call",
    "cti_log_purge",
    "session",
    "refresh_token",
    "invitation",
    "invitation_mailing",
    "password_reset",
    "second_factor",
    "recovery_code",
    "service",
    "contract",
    "contract_revision",
    "usage_entry",
    "month_close",
    "charge",
    "charge_line",
    "audit_entry",
    "permission_change",
    "audit_segment",
    "log_purge",
    "audit_review",
    "idempotency",
];

#[test]
fn a_table_says_what_rights_its_rows_give_or_is_known_to_give_none() {
    let sources = sources();
    let mut granting = Vec::new();

    for table in migration::TENANT {
        let named = format!("table_name = \"{table}\"");
        let file = sources.iter().find(|(_, text)| text.contains(&named));
        let grants = file.is_some_and(|(_, text)| text.contains("grants: GRANTS"));
        assert_ne!(grants, GRANT_NOTHING.contains(table), "{table}");
        granting.extend(grants.then_some(*table));
    }

    assert_eq!(granting, ["organization_key", "member", "organization_admin", "agent"]);
}

/// Append-only tables that people don't read as logs: their reads leave no entry. All others say `log:`, so that whoever reads
/// one leaves one: a new log has to be thought about here.
const NO_LOGS_TO_READ: [&str; 16] = [
    "security_event",
    "contract_revision",
    "usage_entry",
    "month_close",
    "charge",
    "charge_line",
    "price_list",
    "company_revision",
    "company_footer_revision",
    "field_composition_revision",
    "pii_grant_change_service",
    "cti_log_day",
    "cti_event",
    "cti_call",
    "cti_log_purge",
    "audit_review",
];

#[test]
fn l6_every_log_says_that_it_is_one() {
    let sources = sources();

    for table in migration::APPEND_ONLY {
        let named = format!("table_name = \"{table}\"");
        let Some((path, text)) = sources.iter().find(|(_, text)| text.contains(&named)) else {
            continue;
        };
        let what_follows = text.split_once(&named).map_or("", |(_, rest)| rest);
        let own = what_follows.split_once("ecord! {").map_or("", |(_, rest)| rest);
        let says = own.split_once('}').is_some_and(|(own, _)| own.contains("log: \""));
        let is_quiet = NO_LOGS_TO_READ.contains(table) || ["audit_segment", "log_purge"].contains(table);
        assert_ne!(says, is_quiet, "{table} in {}", path.display());
    }
}

#[test]
fn whoever_replaces_keys_knows_of_every_table_with_sealed_values() {
    let told = |text: &str| text.contains("pub const SEALING: Sealing");
    let sources = sources();
    let keeps = |text: &str| {
        let kinds = ["Sealed,", "Option<Sealed>,", "SealedValues,"];
        let is_column =
            |line: &str| line.starts_with("    pub ") && kinds.iter().any(|kind| line.ends_with(&format!(": {kind}")));
        text.contains("DeriveEntityModel") && text.lines().any(is_column)
    };
    let keeping = sources
        .iter()
        .filter(|(path, text)| !path.starts_with("kernel") && keeps(text));
    let (mut told_of, mut untold) = (0, Vec::new());

    for (path, text) in keeping {
        let folder = path.parent().unwrap();
        let beside = sources
            .iter()
            .any(|(other, text)| other.parent() == Some(folder) && told(text));
        if told(text) || beside {
            told_of += 1
        } else {
            untold.push(path)
        }
    }

    assert_eq!(untold, Vec::<&PathBuf>::new());
    let setup = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/setup.rs")).unwrap();
    assert_eq!(setup.matches("::SEALING").count(), told_of);
    assert!(told_of > 1);
}

/// Every Rust file of `src`, by its path below it.
fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, root: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root).unwrap().to_owned(), text));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &root, &mut found);
    assert!(found.len() > 100, "only {} files", found.len());
    found
}

/// The modules of the crate that a file names: in `crate::name` and at the first level of `use crate::{…}`.
fn used_modules(text: &str) -> Vec<String> {
    let mut used: Vec<String> = Vec::new();
    for (place, _) in text.match_indices("crate::") {
        if text[..place].ends_with('$') {
            continue;
        }
        let rest = &text[place + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => used.push(word(rest)),
            Some(group) => used.extend(first_level(group)),
        }
    }
    used.sort();
    used.dedup();
    used
}

fn first_level(group: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let mut names = Vec::new();
    let mut begins = true;
    for (place, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            _ if begins && !letter.is_whitespace() => {
                names.push(word(&group[place..]));
                begins = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect()
}

#[test]
fn the_reader_of_imports_reads_them() {
    let text = "use crate::{\n    billing::{self, x},\n    kernel::{A, page::{b}},\n    service,\n};\nfn f() { crate::audit::g() }";

    assert_eq!(used_modules(text), ["audit", "billing", "kernel", "service"]);
}
