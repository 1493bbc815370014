//! The schema as clients and tools see it: what is committed is what is served, and all of it is described.

use orgdesk::api::schema;
use serde_json::{Value, json};

const EVERYTHING: &str = "{ __schema { types { kind name description
    fields(includeDeprecated: true) { name description type { name ofType { name ofType { name } } }
      args(includeDeprecated: true) { name description type { name } } }
    inputFields(includeDeprecated: true) { name description type { name ofType { name } } }
    enumValues(includeDeprecated: true) { name description } } } }";

#[test]
fn g1_the_committed_schema_is_the_one_that_is_served() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");

    let built = schema::sdl(&schema::build());

    let committed = std::fs::read_to_string(path).unwrap();
    assert!(built == committed, "run `cargo run -- schema > schema.graphql`");
}

#[tokio::test]
async fn g1_everything_in_the_schema_is_described_in_sentences() {
    let mut bad = Vec::new();

    let described = each_described(&types().await, &mut |path, description| {
        if !description.ends_with('.') || description.trim() != description {
            bad.push(format!("{path}: {description:?}"));
        }
    });

    assert_eq!(bad, Vec::<String>::new());
    assert!(described > 500, "only {described} things were looked at");
}

#[tokio::test]
async fn g1_page_sizes_say_their_limits() {
    let mut found = 0;

    each_described(&types().await, &mut |path, description| {
        if path.ends_with("(first)") || path.ends_with("(last)") {
            found += 1;
            assert!(description.contains("1 to 100"), "{path}: {description}");
        }
    });

    assert!(found >= 14, "{found}");
}

#[tokio::test]
async fn g1_lists_and_numbers_of_inputs_say_their_limits() {
    let types = types().await;

    let inputs = types.iter().filter(|this| this["kind"] == "INPUT_OBJECT");
    let fields = inputs.flat_map(|this| list(this, "inputFields").iter().map(move |field| (this, field)));
    let silent: Vec<String> = fields
        .filter(|(_, field)| names(&field["type"]).iter().any(|name| name == "Int"))
        .filter(|(_, field)| field["name"] != "expectedVersion")
        .filter(|(_, field)| !text(field, "description").contains(|letter: char| letter.is_ascii_digit()))
        .map(|(this, field)| format!("{}.{}", text(this, "name"), text(field, "name")))
        .collect();

    assert_eq!(silent, Vec::<String>::new());
}

#[tokio::test]
async fn g1_no_number_is_a_float() {
    let types = types().await;

    let uses: Vec<String> = types
        .iter()
        .filter(|this| !text(this, "name").starts_with("__"))
        .flat_map(|this| {
            list(this, "fields")
                .iter()
                .chain(list(this, "inputFields"))
                .map(move |field| (this, field))
        })
        .filter(|(_, field)| field["type"].to_string().contains("\"Float\""))
        .map(|(this, field)| format!("{}.{}", text(this, "name"), text(field, "name")))
        .collect();

    assert_eq!(uses, Vec::<String>::new());
}

/// Calls with the path and description of each type, field, argument and value that is the service's own; answers how
/// many there were.
fn each_described(types: &[Value], seen: &mut impl FnMut(&str, &str)) -> usize {
    const BUILT_IN: [&str; 5] = ["Boolean", "Float", "ID", "Int", "String"];
    let mut count = 0;
    let mut see = |path: &str, described: &Value| {
        count += 1;
        seen(path, described["description"].as_str().unwrap_or_default());
    };
    for this in types {
        let name = text(this, "name");
        if name.starts_with("__") || BUILT_IN.contains(&name) {
            continue;
        }
        see(name, this);
        for field in list(this, "fields").iter().chain(list(this, "inputFields")) {
            let path = format!("{name}.{}", text(field, "name"));
            see(&path, field);
            for argument in list(field, "args") {
                see(&format!("{path}({})", text(argument, "name")), argument);
            }
        }
        for value in list(this, "enumValues") {
            see(&format!("{name}.{}", text(value, "name")), value);
        }
    }
    count
}

async fn types() -> Vec<Value> {
    let answer = json!(schema::build().execute(EVERYTHING).await);
    assert_eq!(answer.get("errors"), None, "{answer}");
    list(&answer["data"]["__schema"], "types").to_vec()
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// The names on the way through the wrappers of a type.
fn names(of: &Value) -> Vec<String> {
    std::iter::successors(Some(of), |outer| outer.get("ofType"))
        .map(|step| text(step, "name").to_owned())
        .collect()
}
