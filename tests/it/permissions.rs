//! `docs/permissions.md`, which an auditor reads: who reaches which field, and who can do what to whom. Both tables are
//! measured here, field by field and member by member, and must stand there word for word: a field or verb that is new,
//! or lets somebody else in, has to be written down first. `ORGDESK_WRITE_PERMISSIONS=1` writes what was measured.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::{
    both,
    doors::permission,
    support::{
        app::{Answer, TestApp, Who},
        make, people,
        raw::Raw,
        staff,
        surface::{self, Surface, named},
    },
};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/permissions.md");

/// Whether nobody's role kept the answer back.
fn lets_in(answer: &Answer) -> bool {
    let codes = answer.json["errors"].as_array().into_iter().flatten();
    !codes.map(|error| &error["extensions"]["code"]).any(|code| {
        ["FORBIDDEN", "UNAUTHENTICATED", "SECOND_FACTOR_REQUIRED"].contains(&code.as_str().unwrap_or_default())
    })
}

async fn ask(app: &TestApp, who: Option<&Who<'_>>, query: &str) -> Answer {
    match who {
        Some(who) => who.ask(query, json!({})).await,
        None => app.ask(None, query, json!({})).await,
    }
}

/// How to reach an object of each type from the queries: fields one in another, without anyone's ID.
fn ways(surface: &Surface) -> BTreeMap<String, Vec<Value>> {
    let mut found = BTreeMap::from([("Query".to_owned(), Vec::new())]);
    let mut next = VecDeque::from(["Query".to_owned()]);
    while let Some(owner) = next.pop_front() {
        for field in surface.fields(&owner) {
            let of = named(&field["type"]);
            if surface.fields(&of).is_empty() || found.contains_key(&of) || !surface.ways(&field, "ID").is_empty() {
                continue;
            }
            let mut way = found[&owner].clone();
            way.push(field);
            found.insert(of.clone(), way);
            next.push_back(of);
        }
    }
    found
}

/// Fields one in another as a query.
fn nested(surface: &Surface, way: &[Value]) -> String {
    let innermost = "__typename".to_owned();
    let inner = way.iter().rev().fold(innermost, |inner, field| {
        surface
            .call(field, &[], "")
            .replace("{ __typename }", &format!("{{ __typename {inner} }}"))
    });
    format!("query {{ {inner} }}")
}

/// Every field of the roots, and every other that names a permission, each with the query that asks for it.
fn guarded(surface: &Surface) -> Vec<(String, Value, String)> {
    let mut fields = Vec::new();
    for (kind, word) in [("Query", "query"), ("Mutation", "mutation")] {
        for field in surface.fields(kind) {
            // Whoever may leave stays for the next question.
            let call = surface.call(&field, &[], "");
            let call = call.replace("memberLeave(input: { ", "memberLeave(input: { dryRun: true, ");
            fields.push((
                format!("{kind}.{}", field["name"].as_str().unwrap()),
                field,
                surface::document(word, &call),
            ));
        }
    }
    let ways = ways(surface);
    for owner in surface
        .objects()
        .iter()
        .filter(|owner| !["Query", "Mutation", "Subscription"].contains(&owner.as_str()))
    {
        for field in surface.fields(owner) {
            if !field["description"]
                .as_str()
                .is_some_and(|text| text.contains("Needs `"))
            {
                continue;
            }
            let name = format!("{owner}.{}", field["name"].as_str().unwrap());
            let way = ways.get(owner).unwrap_or_else(|| panic!("no query leads to {name}"));
            let way: Vec<Value> = way.iter().chain([&field]).cloned().collect();
            let query = nested(surface, &way);
            fields.push((name, field, query));
        }
    }
    fields
}

/// Gives everybody a day of the CTI log, so that what stands in it is asked for.
async fn telephoned(app: &TestApp) {
    let day = "INSERT INTO cti_log_day SELECT organization_id, '2026-11-10', id, joined_at FROM member";
    Raw::admin(app).await.must(day).await;
}

/// The table of fields: a line each, a column for each kind of person.
async fn fields(app: &TestApp) -> String {
    let surface = Surface::of(app).await;
    let personas = people::personas(app).await;
    telephoned(app).await;
    let names: Vec<_> = personas.iter().map(|(name, ..)| *name).collect();
    let mut text = format!(
        "| field | needs | fresh password | {} |\n|---|---|---|{}\n",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for (name, field, query) in guarded(&surface) {
        let action = permission(&field);
        let mut cells = Vec::new();
        for (_, who, _) in &personas {
            let answer = ask(app, who.as_ref(), &query).await;
            assert_ne!(answer.code(), "INTERNAL", "{query}: {}", answer.text);
            assert_ne!(answer.code(), "GRAPHQL_VALIDATION_FAILED", "{query}: {}", answer.text);
            cells.push(if lets_in(&answer) { "yes" } else { "–" });
        }
        let needs = action.map_or("–".to_owned(), |action| format!("`{}`", action.name()));
        let fresh = if action.is_some_and(|action| action.needs_confirmation()) {
            "yes"
        } else {
            "–"
        };
        text += &format!("| `{name}` | {needs} | {fresh} | {} |\n", cells.join(" | "));
    }
    text
}

/// The verbs that one member does to another, each with what it takes beside the member.
const VERBS: [&str; 6] = [
    "adminAdd",
    "adminRemove",
    "memberUpdate",
    "secondFactorReset",
    "memberRemove",
    "ownershipTransfer",
];

/// The table of ranks: what comes of each verb, whoever does it to whomever. Everything is tried out, nothing done.
async fn ranks(app: &TestApp) -> String {
    let personas = people::personas(app).await;
    let like = people::somebody(app).await;
    for (login, is_administrator) in [("other-admin", true), ("left", false)] {
        people::join_like(app, login, is_administrator, &like).await;
    }
    let left = people::member(app.owner(), "left").await;
    app.owner().deed(people::EXPEL, people::on(&left, json!({}))).await;
    let targets = [
        ("owner", "owner"),
        ("administrator", "other-admin"),
        ("manager", "manager"),
        ("agent", "agent"),
        ("member", "member"),
        ("who left", "left"),
    ];
    let mut found = Vec::new();
    for (kind, login) in targets {
        found.push((kind, people::member(app.owner(), login).await));
    }
    found.push(("of another organization", other_organizations(app).await));
    let kinds: Vec<_> = found.iter().map(|(kind, _)| *kind).collect();
    let mut text = format!(
        "| verb | by | himself | {} |\n|---|---|---|{}\n",
        kinds.join(" | "),
        "---|".repeat(kinds.len())
    );
    for verb in VERBS {
        for (name, who, _) in &personas {
            let own = match who {
                Some(who) if *name != "enrolling" => {
                    who.data("{ viewer { member { id version } } }", json!({})).await["viewer"]["member"].clone()
                }
                _ => Value::Null,
            };
            let mut cells = Vec::new();
            for target in [&own].into_iter().chain(found.iter().map(|(_, member)| member)) {
                cells.push(if target.is_null() {
                    "–".to_owned()
                } else {
                    tried(app, who.as_ref(), verb, target).await
                });
            }
            text += &format!("| `{verb}` | {name} | {} |\n", cells.join(" | "));
        }
    }
    text
}

async fn other_organizations(app: &TestApp) -> Value {
    let mut raw = Raw::admin(app).await;
    raw.must("UPDATE organization SET requires_second_factor = FALSE WHERE domain = 'rival'")
        .await;
    let member = people::member(app.rival(), "member").await;
    raw.must("UPDATE organization SET requires_second_factor = TRUE WHERE domain = 'rival'")
        .await;
    member
}

/// What comes of a verb, tried out: `yes`, `–` where the role does not reach it, or why not.
async fn tried(app: &TestApp, who: Option<&Who<'_>>, verb: &str, target: &Value) -> String {
    let mut input = json!({ "dryRun": true });
    match verb {
        "adminAdd" => input["memberId"] = target["id"].clone(),
        "memberUpdate" => input["email"] = json!("elsewhere@example.com"),
        _ => {}
    }
    if verb != "adminAdd" {
        input["expectedVersion"] = target["version"].clone();
    }
    let kind = format!("{}{}Input", verb[..1].to_uppercase(), &verb[1..]);
    let (given, passed) = if verb == "adminAdd" {
        ("", "")
    } else {
        ("$id: ID!, ", "id: $id, ")
    };
    let query =
        format!("mutation M({given}$input: {kind}!) {{ {verb}({passed}input: $input) {{ userErrors {{ code }} }} }}");
    let variables = json!({ "id": target["id"], "input": input });
    let answer = match who {
        Some(who) => who.ask(&query, variables).await,
        None => app.ask(None, &query, variables).await,
    };
    if !lets_in(&answer) {
        return "–".to_owned();
    }
    let errors = answer.json["data"][verb]["userErrors"].as_array();
    let errors = errors.unwrap_or_else(|| panic!("{query}: {}", answer.text));
    errors.first().map_or("yes".to_owned(), |error| {
        format!("`{}`", error["code"].as_str().unwrap())
    })
}

/// Whether the table stands in the document, between its marks.
fn stands(mark: &str, measured: &str) {
    let document = std::fs::read_to_string(PATH).unwrap();
    let (opening, closing) = (format!("<!-- {mark} -->\n\n"), format!("\n<!-- end of {mark} -->"));
    let (head, rest) = document.split_once(&opening).unwrap();
    let (written, tail) = rest.split_once(&closing).unwrap();
    if std::env::var_os("ORGDESK_WRITE_PERMISSIONS").is_some() {
        std::fs::write(PATH, format!("{head}{opening}{measured}{closing}{tail}")).unwrap();
        return;
    }
    let written: Vec<_> = written.lines().collect();
    let measured: Vec<_> = measured.lines().collect();
    let missing: Vec<_> = measured.iter().filter(|line| !written.contains(line)).collect();
    let stale: Vec<_> = written.iter().filter(|line| !measured.contains(line)).collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "docs/permissions.md lacks {missing:#?} and has {stale:#?}"
    );
    assert_eq!(written, measured, "the order of docs/permissions.md");
}

both! {
    async fn a2_who_reaches_which_field_stands_in_the_document(app) {
        let measured = fields(&app).await;

        assert!(measured.lines().count() > 40, "{measured}");
        stands("fields", &measured);
    }

    async fn a8_who_can_do_what_to_whom_stands_in_the_document(app) {
        let measured = ranks(&app).await;

        for line in measured.lines().skip(2) {
            let cells: Vec<_> = line.split(" | ").map(|cell| cell.trim_matches(['|', ' '])).collect();
            let (verb, by, owner, administrator) = (cells[0], cells[1], cells[3], cells[4]);
            assert_ne!(cells[2], "yes", "nobody does it to himself: {line}");
            assert_ne!(owner, "yes", "nobody does it to the owner: {line}");
            assert!(["owner", "administrator"].contains(&by) || !cells.contains(&"yes"), "nobody else does it: {line}");
            let is_role_alone = verb == "`adminRemove`";
            assert!(by == "owner" || is_role_alone || administrator != "yes", "no equal does it to an equal: {line}");
            assert!(cells[9] == "–" || cells[9] == "`NOT_FOUND`", "another organization's members are not there: {line}");
        }
        assert_eq!(measured.lines().count(), 2 + VERBS.len() * 10);
        stands("ranks", &measured);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a2_a_guarded_field_is_asked_for_where_it_stands() {
    let app = TestApp::on_sqlite().await;
    let surface = Surface::of(&app).await;
    people::personas(&app).await;
    app.owner().deed(&make::company("Company"), json!({})).await;
    staff::full(app.owner(), "phones").await;
    telephoned(&app).await;

    for (name, _, query) in guarded(&surface) {
        let Some((owner, _)) = name
            .split_once('.')
            .filter(|(owner, _)| !["Query", "Mutation", "Subscription"].contains(owner))
        else {
            continue;
        };
        let answer = app.owner().ask(&query, json!({})).await;
        assert!(
            answer.text.contains(&format!("\"__typename\":\"{owner}\"")),
            "{name}: {query}: {}",
            answer.text
        );
    }
}
