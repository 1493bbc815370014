//! Answers that are written past the executor: what it answers and what is written are the same, byte by byte.

use serde_json::json;

use crate::{
    both,
    support::{app::TestApp, make},
};

/// A selection of a charge's fields, of which `pick` chooses; some by other names, and lines in two ways.
fn selection(mut pick: u32) -> String {
    let mut chosen = |one_in: u32| {
        pick = pick.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (pick >> 16).is_multiple_of(one_in)
    };
    let mut asked = Vec::new();
    let money = ["{ amount }", "{ currencyCode amount }", "{ __typename a: amount }"];
    for (name, is_object) in [
        ("month", false),
        ("status", false),
        ("__typename", false),
        ("closedAt", false),
        ("subtotal", true),
        ("discount", true),
        ("supply", true),
        ("vat", true),
        ("total", true),
    ] {
        if chosen(3) {
            continue;
        }
        let alias = if chosen(4) { "other_" } else { "" };
        let alias = if alias.is_empty() {
            String::new()
        } else {
            format!("{alias}{}: ", name.trim_matches('_'))
        };
        let below = if is_object {
            money[usize::from(chosen(2)) + usize::from(chosen(3))]
        } else {
            ""
        };
        asked.push(format!("{alias}{name} {below}"));
    }
    let mut line = vec!["amount { amount }".to_owned()];
    for name in [
        "kind",
        "itemCode",
        "seatCount",
        "dayCount",
        "usedCount",
        "freeCount",
        "chargedCount",
        "corrects",
    ] {
        if !chosen(3) {
            line.push(if chosen(3) {
                format!("its_{name}: {name}")
            } else {
                name.to_owned()
            });
        }
    }
    if !chosen(3) {
        line.push("label".to_owned());
    }
    if chosen(2) {
        asked.push("id".to_owned());
    }
    if !chosen(4) {
        asked.push(format!("lines {{ {} }}", line.join(" ")));
    }
    if chosen(6) {
        // The executor puts both together.
        asked.push("lines { kind amount { currencyCode } }".to_owned());
    }
    if chosen(6) {
        // Not at hand.
        asked.push("service { code }".to_owned());
    }
    if asked.is_empty() {
        asked.push("month".to_owned());
    }
    asked.join(" ")
}

both! {
    async fn p5_what_is_written_past_the_executor_is_what_it_answers(app) {
        make::in_use(app.owner(), "anna", 3).await;
        make::in_use(app.owner(), "bora", 1).await;
        app.go_to("2027-02-05T10:00:00+09:00");
        app.run_due().await;
        for pick in 0..60 {
            let asked = selection(pick);
            let query = |fields: &str| {
                format!(
                    "{{ organization {{ services(first: 2) {{ nodes {{ code charges(from: \"2026-11\", to: \"2027-02\") {{ {fields} }} }} }} }} }}"
                )
            };
            let written = answer(&app, &query(&asked)).await;
            let executed = answer(&app, &query(&format!("... on Charge {{ {asked} }}"))).await;
            let included = answer(&app, &query(&format!("... @include(if: true) {{ {asked} }}"))).await;
            assert!(written.contains("\"charges\":[{"), "{written}");
            assert_eq!(written, executed, "{asked}");
            assert_eq!(written, included, "{asked}");
        }
    }
}

both! {
    async fn p5_entries_of_the_audit_log_are_written_as_the_executor_answers_them(app) {
        let service = make::in_use(app.owner(), "anna", 3).await;
        let version = app.owner().data("query ($id: ID!) { node(id: $id) { ... on Service { version } } }", json!({ "id": service.id })).await;
        let name = "\u{201c}따옴표\u{201d} \"\\/ <&> 😀";
        let input = json!({ "name": name, "expectedVersion": version["node"]["version"] });
        app.owner().deed("serviceUpdate(id: $id, input: $input) => service { name }", json!({ "id": service.id, "input": input })).await;
        for pick in 0..40_u32 {
            let asked = selection_of_entry(pick);
            // Each look into the log leaves an entry in that of access.
            let lists = |entry: &str| {
                format!(
                    "{{ auditEntries(first: 3, filter: {{ log: [MANAGEMENT] }}) {{
                         nodes {{ {entry} }} edges {{ cursor node {{ {entry} }} }} pageInfo {{ startCursor endCursor }} }}
                       none: auditEntries(filter: {{ actorId: \"nobody\" }}) {{ nodes {{ {entry} }} edges {{ cursor }} }} }}"
                )
            };
            let written = answer(&app, &lists(&asked)).await;
            let executed = answer(&app, &lists(&format!("... on AuditEntry {{ {asked} }}"))).await;
            assert_eq!(written, executed, "{asked}");
            assert!(written.ends_with(r#""none":{"nodes":[],"edges":[]}}"#), "{written}");
            let said: serde_json::Value = serde_json::from_str(&format!("{written}}}")).unwrap();
            let list = &said["data"]["auditEntries"];
            assert_eq!(list["nodes"].as_array().map(Vec::len), Some(3), "{written}");
            assert_eq!(list["edges"][2]["cursor"], list["pageInfo"]["endCursor"]);
        }
        let labels = answer(&app, "{ auditEntries(first: 3, filter: { log: [MANAGEMENT] }) { nodes { target { label } } } }").await;
        assert!(labels.contains("\\\"\\\\/ <&> 😀"), "{labels}");
    }

    async fn p5_pages_of_charges_are_written_also_beside_an_error(app) {
        make::in_use(app.owner(), "anna", 3).await;
        make::in_use(app.owner(), "bora", 1).await;
        app.go_to("2027-01-05T10:00:00+09:00");
        app.run_due().await;
        let page = |charge: &str| {
            format!(
                "{{ charge: charges(first: 1000, filter: {{ from: \"2026-11\", to: \"2027-01\" }}) {{ totalCount }}
                   charges(first: 3, filter: {{ from: \"2026-11\", to: \"2027-01\" }}) {{ total {{ amount }} totalCount
                     nodes {{ {charge} }} edges {{ node {{ {charge} }} cursor }} }} }}"
            )
        };
        for charge in ["month total { amount }", "lines { kind amount { amount } } status closedAt", "month lines { itemCode }"] {
            let written = answer(&app, &page(charge)).await;
            let executed = answer(&app, &page(&format!("... on Charge {{ {charge} }}"))).await;
            assert_eq!(written, executed, "{charge}");
            assert!(written.contains("\"BAD_USER_INPUT\"") && written.contains("\"charge\":null"), "{written}");
            assert!(written.contains("\"nodes\":[{"), "{written}");
        }
    }

    async fn p5_selections_of_one_name_are_put_together_also_past_the_executor(app) {
        make::in_use(app.owner(), "anna", 3).await;
        let charges = |fields: &str| format!("charges(from: \"2026-11\", to: \"2026-12\") {{ {fields} }}");
        let nodes = |fields: &str| format!("nodes {{ code {fields} }}");
        let (month, status) = (charges("month total { amount }"), charges("status"));
        let both = charges("month total { amount } status");
        let whole = format!("{{ organization {{ services(first: 2) {{ {} }} }} }}", nodes(&both));
        let expected = answer(&app, &whole).await;
        assert!(expected.contains("\"status\":"), "{expected}");
        for (document, place) in [
            (format!("{{ organization {{ services(first: 2) {{ {} }} }} }}", nodes(&format!("{month} {status}"))), "the list"),
            (format!("{{ organization {{ services(first: 2) {{ {} {} }} }} }}", nodes(&month), nodes(&status)), "above it"),
            (
                format!(
                    "{{ organization {{ services(first: 2) {{ {} }} }} organization {{ services(first: 2) {{ {} }} }} }}",
                    nodes(&month),
                    nodes(&status)
                ),
                "at the root",
            ),
            (
                format!(
                    "query {{ organization {{ services(first: 2) {{ nodes {{ code ...A ...B }} }} }} }}
                     fragment A on Service {{ {month} }} fragment B on Service {{ ... on Service {{ {status} }} }}"
                ),
                "in fragments",
            ),
        ] {
            assert_eq!(answer(&app, &document).await, expected, "{place}");
        }
    }
}

/// A selection of an audit entry's fields, of which `pick` chooses.
fn selection_of_entry(pick: u32) -> String {
    let fields = [
        "id",
        "log",
        "position",
        "occurredAt",
        "its: action",
        "outcome",
        "reasonCode",
        "address",
        "requestReference",
        "__typename",
        "actor { name kind reference }",
        "actor { __typename who: name }",
        "target { label reference }",
        "subjects",
        "changes { field after }",
        "hash",
    ];
    let last = if pick.is_multiple_of(4) { fields.len() } else { 13 };
    let chosen = |place: &usize| (pick.wrapping_mul(2_654_435_761) >> (place % 16)) & 1 == 1;
    let asked: Vec<_> = (0..last).filter(chosen).map(|place| fields[place]).collect();
    if asked.is_empty() {
        "id".to_owned()
    } else {
        asked.join(" ")
    }
}

/// The data of an answer as it came.
async fn answer(app: &TestApp, query: &str) -> String {
    let answer = app.owner().ask(query, json!({})).await;
    let text = String::from_utf8(answer.bytes.clone()).unwrap();
    let end = text.rfind(",\"extensions\"").expect("what it cost");
    text[..end].to_owned()
}
