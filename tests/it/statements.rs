//! How many statements a list costs: as many for forty services as for three.

use serde_json::json;

use crate::{
    both,
    support::{app::TestApp, make},
};

/// What the check of the session takes, beside the operation.
const CHECK: u64 = 1;
/// The most that an operation may take.
const MOST: u64 = 6;

const QUOTED: &str = "{ contractItems(kind: ISSUE) { code } }";

/// Operations that ask for everything at once, each with its name.
const OPERATIONS: [(&str, &str); 9] = [
    (
        "organization",
        "{ organization { name services(first: 100) { totalCount nodes { name
            contract { status items { code userCount } editAllowance { remaining } }
            charges(from: \"2026-02\", to: \"2027-01\") { month status total { amount } }
            actions { name isAllowed } } } } }",
    ),
    (
        "lines",
        "{ services(first: 40) { nodes { charges(from: \"2026-02\", to: \"2027-01\") { month lines { label amount { amount } } } } } }",
    ),
    (
        "services",
        "{ services(first: 100, orderBy: { field: NAME, direction: ASC }) { totalCount edges { cursor node { name
            organization { name } contract { items { code } service { name } } actions { name } } } } }",
    ),
    (
        "charges",
        "{ charges(first: 100, filter: { from: \"2026-02\", to: \"2027-01\" }) { totalCount total { amount }
            nodes { month total { amount } lines { label amount { amount } } service { name } } } }",
    ),
    (
        "charges with their contracts",
        "{ charges(first: 100, filter: { from: \"2026-02\", to: \"2027-01\" }) {
            edges { node { month service { name contract { status } } } } } }",
    ),
    (
        "revisions",
        "{ services(first: 1, filter: { nameContains: \"Desk aa\" }) { nodes { contract { revisions(first: 100) { totalCount nodes {
            number items { code } previousItems { code } } } } } } }",
    ),
    (
        "members",
        "{ organization { members(first: 100) { totalCount nodes { name roles } } } }",
    ),
    (
        "audit",
        "{ auditEntries(first: 100) { totalCount nodes { action actor { name } target { label } changes { field } } } }",
    ),
    (
        "permission changes",
        "{ permissionChanges(first: 100) { totalCount nodes { kind before after actor { name } target { name }
            service { name } entry { position } } } }",
    ),
];

both! {
    async fn g5_lists_take_the_same_few_statements_for_three_services_and_for_forty(app) {
        services(&app, 0..3).await;
        close_two_months(&app).await;
        let few = counts(&app).await;

        services(&app, 3..40).await;
        edit_three_times(&app).await;
        let many = counts(&app).await;

        assert_eq!(few, many);
        let over: Vec<_> = many.iter().filter(|(_, count)| *count > MOST).collect();
        assert!(over.is_empty(), "more than {MOST}: {over:?} of {many:?}");
    }
}

async fn services(app: &TestApp, which: std::ops::Range<u8>) {
    for number in which {
        let letters = [number / 26, number % 26].map(|place| char::from(b'a' + place));
        make::in_use(app.owner(), &letters.iter().collect::<String>(), 2).await;
    }
}

async fn close_two_months(app: &TestApp) {
    for month in ["2026-12-01T01:10:00+09:00", "2027-01-01T01:10:00+09:00"] {
        app.go_to(month);
        app.run_due().await;
    }
}

async fn edit_three_times(app: &TestApp) {
    let query = "{ service(by: { code: \"aa\" }) { contract { id version } } }";
    for day in 2..5 {
        app.go_to(&format!("2027-01-0{day}T10:00:00+09:00"));
        let contract = app.owner().data(query, json!({})).await["service"]["contract"].clone();
        let items = json!([{ "code": "TICKET", "userCount": day + 1 }]);
        let input = json!({ "expectedVersion": contract["version"], "items": items });
        let edit = json!({ "id": contract["id"], "input": input });
        app.owner().deed("contractUpdate(id: $id, input: $input)", edit).await;
    }
}

async fn counts(app: &TestApp) -> Vec<(&'static str, u64)> {
    let mut counts = Vec::new();
    for (name, query) in OPERATIONS {
        let token = app.owner().token().await;
        // Prices are read once for all requests of a while; here, before the count.
        app.owner().data(QUOTED, json!({})).await;
        let before = app.app.database.statements();
        let answer = app.ask(Some(&token), query, json!({})).await;
        let count = app.app.database.statements() - before;
        assert_eq!(answer.json.get("errors"), None, "{name}: {}", answer.text);
        counts.push((name, count - CHECK));
    }
    counts
}
