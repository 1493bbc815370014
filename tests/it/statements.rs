//! How many statements a list costs: as many for forty services as for three.

use serde_json::{Value, json};

use crate::{
    both,
    support::{app::TestApp, extraction, imports, invite, make, people},
};

/// What the check of the session takes, beside the operation.
const CHECK: u64 = 1;
/// The most that an operation may take.
const MOST: u64 = 6;

const QUOTED: &str = "{ contractItems(kind: ISSUE) { code } }";

/// Operations that ask for everything at once, each with its name.
const OPERATIONS: [(&str, &str); 32] = [
    (
        "extractions",
        "{ extractions(first: 100) { totalCount nodes { state fileName columns requestedBy { name } service { name } failure { code } job { state file { url } }
            actions { name } } } }",
    ),
    (
        "steps of extractions",
        "{ extractionSteps(first: 100) { totalCount nodes { kind source actor { name } requester { name } filter entry { action } } } }",
    ),
    (
        "imports",
        "{ imports(first: 20) { nodes { state fileName uploadedBy { name } service { name } dueAt { local } refusal { message }
            problems { rowNumber } problemFile { url } job { state } actions { name } } } }",
    ),
    (
        "fields",
        "{ services(first: 40) { nodes { fieldComposition { fingerprint } fields { code options } } } }",
    ),
    (
        "keys",
        "{ organization { product { keys { name lastUsedAt lastUsedFrom actions { name reasonCode } } } } }",
    ),
    (
        "messages to webhooks",
        "{ webhookDeliveries(first: 100) { totalCount nodes { kind webhook { name events } } } }",
    ),
    (
        "grants",
        "{ piiGrants(first: 40) { totalCount nodes { networks member { name roles } services { name } } } }",
    ),
    (
        "changes of grants",
        "{ piiGrantChanges(first: 100) { totalCount nodes { kind holder { name } before { networks } after { networks } entry { action } } } }",
    ),
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
        "invitations",
        "{ invitations(first: 100) { totalCount nodes { login email state delivery mailings { number delivery }
            invitedBy { login roles } member { login roles } actions { name isAllowed availableAt } } } }",
    ),
    (
        "member search",
        "{ members(first: 100, search: { email: \"@example.com\" }) { totalCount edges { cursor node { name email roles actions { name reasonCode } } } } }",
    ),
    (
        "agents",
        "{ agents(first: 100) { totalCount edges { cursor node { role channels effectiveChannels actions { name reasonCode }
            member { name roles actions { name } } service { name contract { status } actions { name } } } } } }",
    ),
    (
        "services with their agents",
        "{ services(first: 40) { totalCount nodes { name agents(first: 3, filter: { role: AGENT, nameContains: \"colleague\" }) {
            totalCount nodes { role effectiveChannels member { name roles } actions { name } } } } } }",
    ),
    (
        "agents of the services of agents",
        "{ agents(first: 20) { nodes { service { agents(first: 2) { nodes { member { name } } } } } } }",
    ),
    (
        "administrators",
        "{ organization { admins { addedAt addedBy { name roles } member { name roles actions { name reasonCode } } } } }",
    ),
    (
        "audit",
        "{ auditEntries(first: 100) { totalCount nodes { action actor { name } target { label } changes { field } } } }",
    ),
    (
        "previews of the last month",
        "{ services(first: 100) { nodes { name terminationPreview { total { amount } } } } }",
    ),
    (
        "contracts as of an instant",
        "{ services(first: 100) { nodes { contract { asOf(at: \"2027-01-01T00:00:00Z\") { number } } } } }",
    ),
    (
        "versions of each contract",
        "{ services(first: 40) { nodes { contract { revisions(first: 10) { totalCount nodes { number previousItems { code } } } } } } }",
    ),
    (
        "charges of two spans",
        "{ services(first: 40) { nodes { a: charges(from: \"2026-11\", to: \"2026-12\") { month } b: charges(from: \"2026-12\", to: \"2027-01\") { month } } } }",
    ),
    (
        "charges with everything of their services",
        "{ charges(first: 40, filter: { from: \"2026-02\", to: \"2027-01\" }) { nodes { service { name actions { name }
            contract { editAllowance { remaining } } } } } }",
    ),
    (
        "charges with previews",
        "{ charges(first: 40, filter: { from: \"2026-02\", to: \"2027-01\" }) { nodes { service { terminationPreview { total { amount } } } } } }",
    ),
    (
        "charges with charges",
        "{ charges(first: 40, filter: { from: \"2026-02\", to: \"2027-01\" }) { nodes { service { charges(from: \"2026-11\", to: \"2027-01\") { month } } } } }",
    ),
    (
        "objects by their IDs",
        "query Q($ids: [ID!]!) { nodes(ids: $ids) { id ... on Service { name contract { status } } } }",
    ),
    (
        "the menu",
        "{ menu { name isVisible } viewer { roles organizationName member { name } } }",
    ),
    (
        "permission changes",
        "{ permissionChanges(first: 5) { totalCount nodes { kind before after actor { name } target { name }
            service { name } entry { position } } } }",
    ),
];

both! {
    async fn g5_lists_take_the_same_few_statements_for_three_services_and_for_forty(app) {
        services(&app, 0..3).await;
        administrators(&app, 0..2).await;
        close_two_months(&app).await;
        let few = counts(&app).await;

        services(&app, 3..40).await;
        administrators(&app, 2..40).await;
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
        let code = letters.iter().collect::<String>();
        let made = make::in_use(app.owner(), &code, 2).await;
        imports::uploaded(app.owner(), &made.id, b"none").await;
        extraction::requested(app.owner(), json!({ "members": {} }), json!({})).await;
        // Only a few files may wait for their check at once.
        app.run_due().await;
        invite::made(app.owner(), &format!("agent.{code}")).await;
    }
}

async fn administrators(app: &TestApp, which: std::ops::Range<u8>) {
    let like = people::somebody(app).await;
    for number in which {
        let login = format!("colleague-{number}");
        people::join_like(app, &login, false, &like).await;
        people::employ(app, ["aa", "ab", "ac"][usize::from(number % 3)], &login, false).await;
        let colleague = people::member(app.owner(), &login).await;
        app.owner().deed(people::ADD, people::of(&colleague)).await;
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

async fn ids(app: &TestApp) -> Vec<Value> {
    let data = app
        .owner()
        .data("{ services(first: 100) { nodes { id contract { id } } } }", json!({}))
        .await;
    let services = data["services"]["nodes"].as_array().unwrap();
    services
        .iter()
        .flat_map(|service| [service["id"].clone(), service["contract"]["id"].clone()])
        .collect()
}

async fn counts(app: &TestApp) -> Vec<(&'static str, u64)> {
    let mut counts = Vec::new();
    let ids = ids(app).await;
    for (name, query) in OPERATIONS {
        let token = app.owner().token().await;
        // Prices are read once for all requests of a while; here, before the count.
        app.owner().data(QUOTED, json!({})).await;
        let before = app.app.database.statements();
        let answer = app.ask(Some(&token), query, json!({ "ids": ids })).await;
        let count = app.app.database.statements() - before;
        assert_eq!(answer.json.get("errors"), None, "{name}: {}", answer.text);
        counts.push((name, count - CHECK));
    }
    counts
}
