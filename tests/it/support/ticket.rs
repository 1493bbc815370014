//! How a test comes by tickets, and how it speaks of them.

use serde_json::{Value, json};

use super::{
    app::{TestApp, Who},
    canary,
    make::{self, Made},
    people,
};

/// The fields of a ticket.
pub const FIELDS: &str =
    "id number channel status priority receivedAt processedAt processing externalReference isMigrated
    assignee { login } values { code text options isAgreed isMasked fault } version";

/// The verbs, for [`Who::payload`].
pub const CREATE: &str =
    "ticketCreate(input: $input) => ticket { id number channel status priority receivedAt processedAt processing
    externalReference isMigrated assignee { login } values { code text options isAgreed isMasked fault } version }";
pub const UPDATE: &str = "ticketUpdate(id: $id, input: $input) => ticket { id number channel status priority receivedAt processedAt processing
    externalReference isMigrated assignee { login } values { code text options isAgreed isMasked fault } version }";
pub const REVEAL: &str = "ticketReveal(input: $input) => tickets { ticket { id number } values { code text fault } }";

/// A service of Acme in use, with its agent and its manager.
pub async fn desk(app: &TestApp, code: &str) -> Made {
    let desk = make::in_use(app.owner(), code, 5).await;
    for (login, is_manager) in [("agent", false), ("manager", true)] {
        if app
            .owner()
            .data(
                "query Q($login: String) { members(search: { login: $login }) { totalCount } }",
                json!({ "login": login }),
            )
            .await["members"]["totalCount"]
            == 0
        {
            people::join(app, login, false).await;
        }
        people::employ(app, code, login, is_manager).await;
    }
    desk
}

/// The values that a ticket needs at least, with these instead or beside.
pub fn values(more: &Value) -> Value {
    let mut all = json!({
        "category": { "text": "기타" }, "mail": { "text": canary::MAIL }, "subject": { "text": "배송 문의" },
        "content": { "text": "언제 오나요?" }, "personalAgree": { "isAgreed": true },
    });
    for (code, value) in more.as_object().into_iter().flatten() {
        all[code] = value.clone();
    }
    listed(&all)
}

/// Values as inputs have them: a text, a list of options, yes or no, null for none; or an input as it is.
pub fn listed(values: &Value) -> Value {
    let one = |(code, value): (&String, &Value)| {
        let mut input = match value {
            Value::String(text) => json!({ "text": text }),
            Value::Array(_) => json!({ "options": value }),
            Value::Bool(_) => json!({ "isAgreed": value }),
            Value::Null => json!({}),
            other => other.clone(),
        };
        input["code"] = json!(code);
        input
    };
    values.as_object().unwrap().iter().map(one).collect()
}

/// The variables of `ticketCreate`: what is given, and these values instead of what is usual.
pub fn input(desk: &Made, more: Value, given: &Value) -> Value {
    let mut input = json!({ "serviceId": desk.id, "values": values(given) });
    for (name, value) in more.as_object().into_iter().flatten() {
        input[name] = value.clone();
    }
    json!({ "input": input })
}

/// `ticketCreate` with these values instead of what is usual.
pub async fn made(who: Who<'_>, desk: &Made, given: Value) -> Value {
    who.deed(CREATE, input(desk, json!({}), &given)).await["ticket"].clone()
}

/// `ticketUpdate`: its payload.
pub async fn update(who: Who<'_>, ticket: &Value, more: Value) -> Value {
    who.payload(UPDATE, people::on(ticket, more)).await
}

/// A ticket as one sees it; null for whoever sees none.
pub async fn seen(who: Who<'_>, ticket: &Value) -> Value {
    let query = format!("query Q($id: ID!) {{ node(id: $id) {{ ... on Ticket {{ {FIELDS} }} }} }}");
    who.data(&query, json!({ "id": ticket["id"] })).await["node"].clone()
}

/// The text of a field of a ticket.
pub fn text<'t>(ticket: &'t Value, code: &str) -> &'t str {
    let values = ticket["values"].as_array().unwrap();
    let value = values.iter().find(|value| value["code"] == code);
    value.and_then(|value| value["text"].as_str()).unwrap_or("-")
}

/// The numbers of the tickets that a filter leaves, in their order, with what else the connection says.
pub async fn search(who: Who<'_>, desk: &Made, filter: Value) -> Vec<i64> {
    let query = "query Q($id: ID!, $filter: TicketFilter) { tickets(serviceId: $id, first: 100, filter: $filter) { totalCount nodes { number } } }";
    let data = who.data(query, json!({ "id": desk.id, "filter": filter })).await;
    let nodes = data["tickets"]["nodes"].as_array().unwrap();
    assert_eq!(data["tickets"]["totalCount"], nodes.len());
    nodes.iter().map(|node| node["number"].as_i64().unwrap()).collect()
}
