//! What can be asked of the schema, made from its own description: every argument of a field with each of its variants, and
//! everything that an answer has near at hand.

use orgdesk::kernel::Random;
use serde_json::{Value, json};

use super::surface::{Surface, named};

/// Texts that databases compare, sort, match and fold each in its own way, or don't take at all.
pub const TEXTS: [&str; 16] = [
    "가",
    "상담 10",
    "A",
    "a",
    "ß",
    "İ",
    "é",
    "e\u{301}",
    "😀",
    "10",
    "_",
    "%",
    "\\",
    "' OR '1'='1",
    "",
    "\u{0}",
];

/// Of an enumeration so many values are tried, from its beginning.
const OF_AN_ENUM: usize = 4;

impl Surface {
    /// A field's calls: without what is optional, and then each of its arguments in each of its variants. `ids` are those
    /// that there are; the first goes where an ID has to be.
    pub fn calls(&self, field: &Value, ids: &[String]) -> Vec<String> {
        let arguments: Vec<_> = field["args"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|argument| !is_page(argument))
            .collect();
        let least: Vec<_> = arguments
            .iter()
            .filter(|argument| argument["type"]["kind"] == "NON_NULL")
            .map(|argument| {
                (
                    argument["name"].as_str().unwrap(),
                    self.variants(&argument["type"], ids)[0].clone(),
                )
            })
            .collect();
        let mut calls = vec![written(&least)];
        for argument in &arguments {
            let name = argument["name"].as_str().unwrap();
            for variant in some(name, &argument["type"], self.variants(&argument["type"], ids)) {
                let mut given: Vec<_> = least.iter().filter(|(other, _)| *other != name).cloned().collect();
                given.push((name, variant));
                calls.push(written(&given));
            }
        }
        calls
    }

    /// Values of a type as they stand in a document.
    fn variants(&self, of: &Value, ids: &[String]) -> Vec<String> {
        let name = named(of);
        let texts = |texts: &[&str]| texts.iter().map(|text| json!(text).to_string()).collect::<Vec<_>>();
        match of["kind"].as_str().unwrap() {
            "NON_NULL" => self.variants(&of["ofType"], ids),
            "LIST" => {
                let inner = self.variants(&of["ofType"], ids);
                let all = inner.join(", ");
                let mut lists: Vec<_> = inner.into_iter().take(3).map(|one| format!("[{one}]")).collect();
                lists.extend([format!("[{all}]"), "[]".to_owned()]);
                lists
            }
            "ENUM" => self.values(&name).into_iter().take(OF_AN_ENUM).collect(),
            "INPUT_OBJECT" => self.objects_of(&name, ids),
            _ => match name.as_str() {
                "ID" => ids.iter().map(|id| json!(id).to_string()).collect(),
                "Int" => ["1", "0", "-1", "2147483647", "2147483648"].map(str::to_owned).into(),
                "Boolean" => ["true", "false"].map(str::to_owned).into(),
                "DateTime" => texts(&[
                    "2026-11-10T01:00:00Z",
                    "2026-11-10T10:00:00+09:00",
                    "2026-11-12T00:00:00.000001Z",
                    "1900-01-01T00:00:00Z",
                    "9999-12-31T23:59:59Z",
                    "yesterday",
                ]),
                "Date" => texts(&["2026-10-01", "2026-11-30", "1900-01-01", "2026-02-30"]),
                "Month" => texts(&["2026-11", "2026-01", "2027-01", "2026-13"]),
                _ => texts(&TEXTS),
            },
        }
    }

    /// An input with the least that it takes, and then each of its fields in each of its variants.
    fn objects_of(&self, name: &str, ids: &[String]) -> Vec<String> {
        let fields = self.inputs(name);
        let named_of = |field: &Value| field["name"].as_str().unwrap().to_owned();
        let least: Vec<_> = fields
            .iter()
            .filter(|field| field["type"]["kind"] == "NON_NULL")
            .map(|field| (named_of(field), self.variants(&field["type"], ids)[0].clone()))
            .collect();
        let object = |given: &[(String, String)]| {
            let given: Vec<_> = given.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            format!("{{ {} }}", given.join(", "))
        };
        let mut objects = vec![object(&least)];
        for field in &fields {
            for variant in some(&named_of(field), &field["type"], self.variants(&field["type"], ids)) {
                let mut given: Vec<_> = least
                    .iter()
                    .filter(|(other, _)| *other != named_of(field))
                    .cloned()
                    .collect();
                given.push((named_of(field), variant));
                objects.push(object(&given));
            }
        }
        objects
    }

    /// All of a type that needs no arguments, and so much of what it leads to.
    pub fn selection(&self, of: &Value, depth: usize) -> String {
        let name = named(of);
        if self.is_leaf(of) {
            return String::new();
        }
        let mut chosen = vec!["__typename".to_owned()];
        for field in self.fields(&name) {
            let own = field["name"].as_str().unwrap();
            let needs = field["args"]
                .as_array()
                .unwrap()
                .iter()
                .any(|argument| argument["type"]["kind"] == "NON_NULL");
            let inner = named(&field["type"]);
            if needs || (depth == 0 && !self.is_leaf(&field["type"])) || (inner.ends_with("Connection")) {
                continue;
            }
            // Of what a page has, the rows are its ground, and the rest costs nothing.
            let is_page = ["edges", "nodes"].contains(&own) && name.ends_with("Connection");
            let deeper = if is_page { depth } else { depth.saturating_sub(1) };
            chosen.push(format!("{own}{}", self.selection(&field["type"], deeper)));
        }
        format!(" {{ {} }}", chosen.join(" "))
    }
}

/// All variants of what people search by, and every third text elsewhere.
fn some(name: &str, of: &Value, variants: Vec<String>) -> Vec<String> {
    let is_searched_by = ["name", "title", "query", "equals", "begins"]
        .iter()
        .any(|word| name.to_lowercase().contains(word));
    let step = if named(of) == "String" && !is_searched_by { 3 } else { 1 };
    variants.into_iter().step_by(step).collect()
}

/// Whether an argument says which page of a list is asked for.
fn is_page(argument: &Value) -> bool {
    ["first", "last", "after", "before"].contains(&argument["name"].as_str().unwrap())
}

/// Arguments as they stand in a document, without their brackets.
fn written(given: &[(&str, String)]) -> String {
    let given: Vec<_> = given.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    given.join(", ")
}

/// An operation's variables, each leaf in its turn with another value than it should have; what writes is only tried out.
pub fn wrong(variables: &Value, name: &str) -> Vec<Value> {
    let mut variables = variables.clone();
    if !name.ends_with("-list") && variables["input"].is_object() && name != "contract-quote" {
        variables["input"]["dryRun"] = json!(true);
    }
    let mut leaves = Vec::new();
    leaves_of(&variables, String::new(), &mut leaves);
    let random = Random::seeded(name.bytes().map(u64::from).sum());
    let pick = |values: &[Value]| values[usize::try_from(random.below(values.len() as u64)).unwrap()].clone();
    let mut found = Vec::new();
    for leaf in leaves.iter().filter(|leaf| !leaf.ends_with("/dryRun")) {
        let other = match variables.pointer(leaf).unwrap() {
            Value::String(text) => {
                let mut texts: Vec<Value> = TEXTS.iter().map(|text| json!(text)).collect();
                texts.extend([
                    json!("긴 글 ".repeat(2_000)),
                    json!(format!("{text}x")),
                    json!(text.to_uppercase()),
                    Value::Null,
                ]);
                pick(&texts)
            }
            Value::Number(_) => pick(&[
                json!(-1),
                json!(0),
                json!(2_147_483_647),
                json!(2_147_483_648_i64),
                json!(1.5),
                json!("1"),
            ]),
            Value::Bool(_) => pick(&[Value::Null, json!("true")]),
            Value::Array(list) => pick(&[
                json!([]),
                json!([list[0], list[0]]),
                Value::Null,
                json!(vec![list[0].clone(); 300]),
            ]),
            _ => json!({}),
        };
        let mut wrong = variables.clone();
        *wrong.pointer_mut(leaf).unwrap() = other;
        found.push(wrong);
    }
    found
}

/// The ways to all leaves, lists among them.
fn leaves_of(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                leaves_of(value, format!("{at}/{name}"), found);
            }
        }
        Value::Array(values) => {
            if let Some(first) = values.first() {
                found.push(at.clone());
                leaves_of(first, format!("{at}/0"), found);
            }
        }
        _ => found.push(at),
    }
}
