//! Lists of services, agents and members are written past the executor, with what they refer to: for everybody, in every
//! language, what is written is what the executor answers, byte by byte, errors with it.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who},
        make, partner, people, staff,
    },
};

const SERVICE: &[&str] = &[
    "id",
    "code",
    "kind",
    "name",
    "languages { code isMain }",
    "timeZone",
    "editorType",
    "status",
    "createdAt",
    "suspendedAt",
    "terminatedAt",
    "version",
    "contractButton",
    "__typename",
    "charges(from: $from, to: \"2026-12\") { month total { amount } }",
    "these: charges(from: $from, to: $to) { month lines { kind amount { amount } } }",
    "contract { id status }",
    "its: contract { items { code label isOn userCount expectedVolume } service { code contract { version } } }",
    "contract { actions { name } }",
    "agents(first: 1) { totalCount }",
    "charges(from: $from, to: $from) { lines { label } }",
    "charges(from: \"2026-12\", to: \"2020-01\") { month }",
    "organization { name }",
];

const CONTRACT: &[&str] = &[
    "discountPercent",
    "freeTrialFromDate",
    "freeTrialToDate",
    "startedOn",
    "endedOn",
    "signedAt",
    "editedOn",
    "createdAt",
    "version",
    "items { label }",
    "editAllowance { remaining }",
];

const AGENT: &[&str] = &[
    "id",
    "role",
    "channels",
    "assignsCallbacks",
    "forwardsTickets",
    "viewsAccessLogs",
    "receivesTickets",
    "receivesChats",
    "controlsAssignment",
    "addedAt",
    "version",
    "__typename",
    "member { login name email }",
    "he: member { id }",
    "service { code contract { status } }",
    "effectiveChannels",
    "actions { name isAllowed reasonCode }",
];

const MEMBER: &[&str] = &[
    "id", "login", "name", "email", "language", "isOwner", "status", "joinedAt", "leftAt", "version", "roles",
];

/// Some of the fields, the more seldom the later they stand: those at the end are the executor's.
fn some(fields: &[&str], pick: usize) -> String {
    let mut state = u32::try_from(pick).unwrap();
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(state >> 16).unwrap()
    };
    let most = fields.len() - next() % (fields.len() / 2);
    let mut chosen: Vec<&str> = Vec::new();
    for field in &fields[..most] {
        let name = |field: &str| field.split(['(', ' ']).next().unwrap().to_owned();
        if next().is_multiple_of(3) && !chosen.iter().any(|other| name(other) == name(field)) {
            chosen.push(field);
        }
    }
    chosen.push(fields[0]);
    let turned = next() % chosen.len();
    chosen.rotate_left(turned);
    chosen.join(" ")
}

/// Asks for a list in the plain way and by a fragment, which leaves it to the executor.
async fn same(who: Who<'_>, list: impl Fn(&str) -> String, kind: &str, fields: &str) -> String {
    let mut answers = Vec::new();
    for asked in [fields.to_owned(), format!("... on {kind} {{ {fields} }}")] {
        let uses = |name: &str| fields.contains(&format!("${name}"));
        let month = |name: &str, rest: &str| uses(name).then(|| format!("${name}: Month!{rest}"));
        let variables = [month("from", ""), month("to", " = \"2026-12\"")];
        let variables: Vec<_> = variables.into_iter().flatten().collect();
        let variables = if variables.is_empty() {
            String::new()
        } else {
            format!("query Q({}) ", variables.join(", "))
        };
        let given = if uses("from") {
            json!({ "from": "2026-11" })
        } else {
            json!({})
        };
        let answer = who.ask(&format!("{variables}{{ {} }}", list(&asked)), given).await;
        answers.push(told(&answer.bytes));
    }
    assert_eq!(answers[0], answers[1], "{fields}");
    answers.swap_remove(0)
}

/// The data of an answer as they came, and its errors without where in the document they were.
fn told(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).unwrap();
    let place = |place: Option<usize>| place.unwrap_or_else(|| panic!("{text}"));
    let (data, end) = (place(text.find("\"data\":")), place(text.rfind(",\"extensions\"")));
    let mut answer: Value = serde_json::from_str(text).unwrap();
    for error in answer["errors"].as_array_mut().into_iter().flatten() {
        error.as_object_mut().unwrap().remove("locations");
    }
    format!("{} {}", &text[data..end], answer["errors"])
}

async fn services(app: &TestApp) {
    staff::full(app.owner(), "anna").await;
    make::in_use(app.owner(), "bora", 1).await;
    make::draft(app.owner(), "cleo").await;
    staff::issue(app.owner(), "dora").await;
    app.go_to("2027-01-05T10:00:00+09:00");
    app.run_due().await;
}

both! {
    async fn p5_services_with_what_they_refer_to_are_written_as_the_executor_answers_them(app) {
        services(&app).await;
        for pick in 0..60 {
            let who = app.owner().speaking(["ko", "en"][pick % 2]);
            let list = |service: &str| match pick % 3 {
                0 => format!("services {{ nodes {{ {service} }} }}"),
                1 => format!("organization {{ services(first: 3) {{ edges {{ node {{ {service} }} cursor }} }} }}"),
                _ => format!("services(last: 2) {{ nodes {{ {service} }} pageInfo {{ endCursor }} }} none: services(filter: {{ nameContains: \"zz\" }}) {{ nodes {{ {service} }} }}"),
            };
            let answer = same(who, list, "Service", &some(SERVICE, pick)).await;
            assert!(answer.contains("svc_") || answer.contains("at most 36 months"), "{answer}");
            let contract = format!("contract {{ {} }} id", some(CONTRACT, pick));
            same(who, |service| format!("services {{ nodes {{ {service} }} }}"), "Service", &contract).await;
        }
    }

    async fn p5_what_somebody_may_not_see_is_an_error_at_the_same_places(app) {
        services(&app).await;
        let key = partner::key(app.owner(), &["SERVICE_READ"]).await;
        let token = partner::token(&app, &key).await;
        let partner = app.bearing(&token);
        for (fields, is_refused) in [
            ("code contract { id }", false),
            ("code charges(from: \"2026-11\", to: \"2026-12\") { month }", true),
            ("code contract { service { charges(from: \"2026-11\", to: \"2026-12\") { month } } }", true),
        ] {
            let answer = same(partner, |service| format!("services {{ nodes {{ {service} }} }}"), "Service", fields).await;
            assert_eq!(answer.contains("FORBIDDEN"), is_refused, "{answer}");
            assert!(answer.contains("bora") || !fields.contains("service"), "{answer}");
        }
        // Nobody is refused what there is nothing of.
        let none = |service: &str| format!("services(filter: {{ nameContains: \"zz\" }}) {{ nodes {{ {service} }} }}");
        let answer = same(partner, none, "Service", "charges(from: \"2026-11\", to: \"2026-12\") { month }").await;
        assert!(answer.ends_with("{\"services\":{\"nodes\":[]}} null"), "{answer}");
    }

    async fn p5_agents_and_members_are_written_as_the_executor_answers_them(app) {
        services(&app).await;
        let like = people::somebody(&app).await;
        for login in ["lena", "mina", "nora"] {
            people::join_like(&app, login, false, &like).await;
        }
        for (login, service, is_manager) in [("lena", "anna", true), ("mina", "anna", false), ("nora", "bora", false), ("lena", "bora", false)] {
            people::employ(&app, service, login, is_manager).await;
        }
        for pick in 0..40 {
            let who = if pick % 2 == 0 { app.owner() } else { app.someone("acme", "lena") };
            let list = |agent: &str| match pick % 4 {
                0 | 1 => format!("agents {{ nodes {{ {agent} }} }}"),
                _ => format!("agents(first: 2, orderBy: {{ field: ROLE, direction: DESC }}) {{ totalCount edges {{ cursor node {{ {agent} }} }} }}"),
            };
            let answer = same(who, list, "Agent", &some(AGENT, pick)).await;
            assert!(answer.contains("agt_"), "{answer}");
            let list = |member: &str| format!("organization {{ members(first: 4) {{ nodes {{ {member} }} }} }}");
            let answer = same(app.owner(), list, "Member", &some(MEMBER, pick)).await;
            assert!(answer.contains("mbr_"), "{answer}");
        }
        let emails = |who| same(who, |agent| format!("agents {{ nodes {{ {agent} }} }}"), "Agent", "member { login email }");
        let (all, own) = (emails(app.owner()).await, emails(app.someone("acme", "lena")).await);
        assert_eq!((all.matches('@').count(), all.contains("\"email\":null")), (4, false), "{all}");
        assert!(own.contains("\"login\":\"mina\",\"email\":null") && own.contains("\"email\":\"lena@example.com\""), "{own}");
    }
}
