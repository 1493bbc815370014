//! Every mutation that the schema has, without a list of its own: tried out it answers as the real one and leaves every
//! row as it was; sent twenty times with one idempotency key it is done once and answers alike; with another input
//! under that key it is refused. What it is sent with are the documented operations.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use orgdesk::api::playground::{OPERATIONS, Operation};
use serde_json::{Value, json};

use crate::{
    both,
    operations::{World, file_of, other_file_of, who_does},
    support::{
        app::{Answer, TestApp},
        dump::{Dump, dump},
        surface::{Surface, named},
    },
};

/// The mutations that take neither `idempotencyKey` nor `dryRun` (decisions, "Idempotency and dry run"): they prove who
/// somebody is and answer with what is shown once, show what is in the log each time, or, as events of telephones, are told
/// apart by IDs of their own.
pub const NEITHER: [&str; 18] = [
    "ctiEventsRecord",
    "invitationAccept",
    "partnerTokenIssue",
    "passwordChange",
    "passwordReset",
    "passwordResetRequest",
    "recoveryCodesRenew",
    "secondFactorActivate",
    "secondFactorEnroll",
    "secondFactorRemove",
    "sessionConfirm",
    "sessionEnd",
    "sessionEndAll",
    "sessionExchange",
    "sessionRefresh",
    "sessionRevoke",
    "sessionStart",
    "ticketReveal",
];

/// The operation after which the owner is none any more, so that it is done in a world of its own.
const TRANSFER: &str = "ownership-transfer";

/// The operation after which whoever did it is nobody, so that he can't repeat it.
const LEAVE: &str = "member-leave";

/// The mutation that an operation does; `None` for a query.
fn mutation(operation: &Operation) -> Option<&'static str> {
    let (_, rest) = operation.text.split_once("\nmutation ")?;
    let field = rest.lines().nth(1)?.trim();
    field.split(['(', ' ']).next()
}

/// The mutations that take a key and can be tried out, in the order in which the operations are done: examples that only
/// try something out come later, since what they do the others do not expect, and last what moves the things they name. What
/// needs a service in use comes before what ends its use.
fn operations(takers: &BTreeSet<String>) -> Vec<&'static Operation> {
    let is_taker = |operation: &&Operation| mutation(operation).is_some_and(|name| takers.contains(name));
    let mut all: Vec<_> = OPERATIONS.iter().filter(is_taker).collect();
    all.sort_by_key(|operation| {
        let last = ["field-reorder", LEAVE].iter().position(|name| *name == operation.name);
        (
            last.map_or(0, |place| place + 1),
            !["ticket-", "import-"]
                .iter()
                .any(|begin| operation.name.starts_with(begin)),
            operation.variables.contains("\"dryRun\": true"),
        )
    });
    all
}

/// What each mutation's input has: the names of its fields.
async fn inputs(app: &TestApp) -> BTreeMap<String, Vec<Value>> {
    let surface = Surface::of(app).await;
    let mutations = surface.fields("Mutation").into_iter();
    mutations
        .map(|field| {
            let input = field["args"]
                .as_array()
                .unwrap()
                .iter()
                .find(|argument| argument["name"] == "input");
            let fields = input
                .map(|input| surface.inputs(&named(&input["type"])))
                .unwrap_or_default();
            (field["name"].as_str().unwrap().to_owned(), fields)
        })
        .collect()
}

/// Every row, but for the brakes of sign-ins, which count attempts and not effects.
async fn rows(app: &TestApp) -> Dump {
    let mut rows = dump(app).await;
    rows.retain(|table, _| !table.ends_with("sign_in_throttle"));
    rows
}

/// The answer without what is made anew each time, or shown only once: IDs, secrets, links and their hints.
fn told(answer: &Answer) -> Value {
    fn plain(value: &Value, name: &str) -> Value {
        match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| (name.clone(), plain(value, name)))
                .collect(),
            Value::Array(values) => values.iter().map(|value| plain(value, name)).collect(),
            Value::String(_) if ["secret", "signingSecret", "hint", "url"].contains(&name) => Value::Null,
            Value::String(text) if is_id(text) => json!(format!("{}_…", text.split('_').next().unwrap())),
            other => other.clone(),
        }
    }
    json!([plain(&answer.json["data"], ""), answer.json["errors"]])
}

fn is_id(text: &str) -> bool {
    let id = text.split_once('_').map(|(_, rest)| rest);
    id.is_some_and(|rest| {
        rest.len() >= 26
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    })
}

fn with(variables: &Value, name: &str, value: Value) -> Value {
    let mut variables = variables.clone();
    variables["input"][name] = value;
    variables
}

/// The same with another input: another thing, another version, or another text.
fn another(variables: &Value, fields: &[Value]) -> Value {
    if let Some(id) = variables["id"].as_str() {
        let mut other = variables.clone();
        other["id"] = json!(format!("{id}x"));
        return other;
    }
    for field in fields {
        let name = field["name"].as_str().unwrap();
        let value = &variables["input"][name];
        let other = match (value, named(&field["type"]).as_str()) {
            _ if ["idempotencyKey", "dryRun"].contains(&name) => continue,
            (Value::String(text), "String" | "ID") => json!(format!("{text}x")),
            (Value::Number(number), "Int") => json!(number.as_i64().unwrap() + 1),
            (Value::Bool(is), _) => json!(!is),
            (Value::Array(list), _) => {
                let mut list = list.clone();
                match list.pop() {
                    Some(last) if list.is_empty() => list.extend([last.clone(), last]),
                    _ => {}
                }
                json!(list)
            }
            _ => continue,
        };
        return with(variables, name, other);
    }
    panic!("{variables}: nothing to change")
}

/// Whoever does an operation, with what it takes.
struct Deed<'a> {
    app: &'a TestApp,
    operation: &'static Operation,
    token: String,
    file: Option<(&'static str, Vec<u8>)>,
}

impl Deed<'_> {
    async fn ask(&self, variables: Value) -> Answer {
        let text = self.operation.text;
        match &self.file {
            None => self.app.ask(Some(&self.token), text, variables).await,
            Some((name, content)) => {
                let files = [("input.file", *name, content.as_slice())];
                self.app
                    .send_files([127, 0, 0, 1], "en", Some(&self.token), text, variables, &files)
                    .await
            }
        }
    }
}

/// Tries an operation out, does it twenty times with one key, and once more with another input.
async fn prove(app: &TestApp, world: &World<'_>, operation: &'static Operation, fields: &[Value]) {
    let name = operation.name;
    let mut variables = world.variables(name, operation.variables).await;
    variables["input"].as_object_mut().unwrap().remove("dryRun");
    if [LEAVE, "viewer-update"].contains(&name) {
        let own = who_does(app, name)
            .data("{ viewer { member { version } } }", json!({}))
            .await;
        variables["input"]["expectedVersion"] = own["viewer"]["member"]["version"].clone();
    }
    let deed = Deed {
        app,
        operation,
        token: who_does(app, name).token().await,
        file: file_of(world, name),
    };
    let before = rows(app).await;

    let dry = deed.ask(with(&variables, "dryRun", json!(true))).await;
    assert!(
        rows(app).await == before,
        "trying {name} out left something behind: {}",
        dry.text
    );
    let keyed = with(&variables, "idempotencyKey", json!(name));
    let is_last = [TRANSFER, LEAVE].contains(&name);
    let answers = join_all((0..if is_last { 1 } else { 20 }).map(|_| deed.ask(keyed.clone()))).await;

    let field = mutation(operation).unwrap();
    let first = &answers[0];
    assert_eq!(
        first.json["data"][field]["userErrors"],
        json!([]),
        "{name} {variables}: {}",
        first.text
    );
    assert_eq!(told(&dry), told(first), "{name} tried out and done");
    for answer in &answers {
        assert_eq!(told(answer), told(first), "{name} twenty times");
    }
    let after = rows(app).await;
    assert!(after != before, "{name} did nothing");
    assert_eq!(entries(&after) - entries(&before), 1, "{name} stands in the log once");
    if is_last {
        return;
    }
    let other = if deed.file.is_some() {
        let file = other_file_of(name);
        Deed { file, ..deed }.ask(keyed).await
    } else {
        deed.ask(another(&keyed, fields)).await
    };
    let errors = &other.json["data"][field]["userErrors"];
    assert_eq!(errors[0]["code"], "IDEMPOTENCY_KEY_REUSED", "{name}: {}", other.text);
    assert!(rows(app).await == after, "{name} with another input did something");
}

fn entries(rows: &Dump) -> usize {
    let logs = rows.iter().filter(|(table, _)| table.ends_with("audit_entry"));
    logs.map(|(_, rows)| rows.len()).sum()
}

both! {
    // case: I6
    async fn g4_every_mutation_can_be_tried_out_and_repeated(app) {
        let inputs = inputs(&app).await;
        let has = |fields: &[Value], name: &str| fields.iter().any(|field| field["name"] == name);
        let (takers, others): (Vec<_>, Vec<_>) = inputs.iter().partition(|(_, fields)| has(fields, "idempotencyKey") && has(fields, "dryRun"));
        let others: Vec<_> = others.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(others, NEITHER, "a mutation takes both, or stands in the one list of those that do not");
        let takers: BTreeSet<_> = takers.into_iter().map(|(name, _)| name.clone()).collect();
        let world = World::make(&app).await;
        let mut done = BTreeSet::new();

        for operation in operations(&takers) {
            let field = mutation(operation).unwrap();
            if operation.name != TRANSFER {
                prove(&app, &world, operation, &inputs[field]).await;
            }
            done.insert(field.to_owned());
        }

        assert_eq!(done, takers, "every mutation has a documented operation");
    }

    async fn g4_a_transfer_of_ownership_can_be_tried_out(app) {
        let world = World::make(&app).await;
        let transfer = OPERATIONS.iter().find(|operation| operation.name == TRANSFER).unwrap();

        prove(&app, &world, transfer, &[]).await;
    }
}
