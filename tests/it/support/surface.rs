//! The API's own description of itself, and how to call whatever is in it with the least that it takes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::app::TestApp;

const ASK: &str = "{ __schema { types { name kind isOneOf
    fields { name description type { ...T } args { name type { ...T } } }
    inputFields { name type { ...T } } enumValues { name } } } }
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name
        ofType { kind name ofType { kind name } } } } } }";

/// Every type.
pub struct Surface(BTreeMap<String, Value>);

impl Surface {
    /// As the owner of Acme sees it.
    pub async fn of(app: &TestApp) -> Self {
        let data = app.owner().data(ASK, json!({})).await;
        let types = data["__schema"]["types"].as_array().unwrap().iter();
        Self(
            types
                .map(|one| (one["name"].as_str().unwrap().to_owned(), one.clone()))
                .collect(),
        )
    }

    /// The fields of a type.
    pub fn fields(&self, name: &str) -> Vec<Value> {
        self.0[name]["fields"].as_array().cloned().unwrap_or_default()
    }

    /// The fields of an input.
    pub fn inputs(&self, name: &str) -> Vec<Value> {
        self.0[name]["inputFields"].as_array().cloned().unwrap_or_default()
    }

    /// The types that have fields.
    pub fn objects(&self) -> Vec<String> {
        self.0.keys().filter(|name| !name.starts_with("__")).cloned().collect()
    }

    /// The field with the arguments that it needs; those on the way to `at` as well, and `value` there.
    pub fn call(&self, field: &Value, at: &[String], value: &str) -> String {
        let mut given = Vec::new();
        for argument in field["args"].as_array().unwrap() {
            let name = argument["name"].as_str().unwrap();
            let (head, rest) = at.split_first().map_or(("", at), |(head, rest)| (head.as_str(), rest));
            if head == name {
                given.push(format!("{name}: {}", self.value(&argument["type"], rest, Some(value))));
            } else if argument["type"]["kind"] == "NON_NULL" {
                given.push(format!("{name}: {}", self.value(&argument["type"], &[], None)));
            }
        }
        let given = if given.is_empty() {
            String::new()
        } else {
            format!("({})", given.join(", "))
        };
        let selection = if self.is_leaf(&field["type"]) {
            ""
        } else {
            " { __typename }"
        };
        format!("{}{given}{selection}", field["name"].as_str().unwrap())
    }

    /// The ways to every value of a type, such as `ID`, among a field's arguments.
    pub fn ways(&self, field: &Value, to: &str) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        for argument in field["args"].as_array().unwrap() {
            self.find(argument, to, &mut Vec::new(), &mut found);
        }
        found
    }

    fn find(&self, input: &Value, to: &str, way: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        way.push(input["name"].as_str().unwrap().to_owned());
        let name = named(&input["type"]);
        if name == to {
            found.push(way.clone());
        }
        for inner in self.0[&name]["inputFields"].as_array().into_iter().flatten() {
            self.find(inner, to, way, found);
        }
        way.pop();
    }

    fn value(&self, of: &Value, at: &[String], value: Option<&str>) -> String {
        match of["kind"].as_str().unwrap() {
            "NON_NULL" => self.value(&of["ofType"], at, value),
            "LIST" => format!("[{}]", self.value(&of["ofType"], at, value)),
            "ENUM" => self.0[of["name"].as_str().unwrap()]["enumValues"][0]["name"]
                .as_str()
                .unwrap()
                .to_owned(),
            "INPUT_OBJECT" => self.object(of["name"].as_str().unwrap(), at, value),
            _ if value.is_some() && at.is_empty() && of["name"] == "Int" => value.unwrap().to_owned(),
            _ if value.is_some() && at.is_empty() => format!("\"{}\"", value.unwrap()),
            _ => match of["name"].as_str().unwrap() {
                "Int" => "1".to_owned(),
                "Boolean" => "true".to_owned(),
                "DateTime" => "\"2026-11-10T00:00:00Z\"".to_owned(),
                "Date" => "\"2026-11-10\"".to_owned(),
                "Month" => "\"2026-11\"".to_owned(),
                "ID" => "\"svc_7zzzzzzzzzzzzzzzzzzzzzzzzz\"".to_owned(),
                "String" => "\"none\"".to_owned(),
                "Upload" => "$file".to_owned(),
                other => panic!("{other}: say here what the least of it is"),
            },
        }
    }

    fn object(&self, name: &str, at: &[String], value: Option<&str>) -> String {
        let fields = self.0[name]["inputFields"].as_array().unwrap();
        // Of what is all optional, something has to be given too.
        let is_one = self.0[name]["isOneOf"] == true || fields.iter().all(|field| field["type"]["kind"] != "NON_NULL");
        let mut given = Vec::new();
        for (place, field) in fields.iter().enumerate() {
            let own = field["name"].as_str().unwrap();
            if at.first().is_some_and(|head| head == own) {
                given.push(format!("{own}: {}", self.value(&field["type"], &at[1..], value)));
            } else if field["type"]["kind"] == "NON_NULL" || (is_one && at.is_empty() && place == 0) {
                given.push(format!("{own}: {}", self.value(&field["type"], &[], None)));
            }
        }
        format!("{{ {} }}", given.join(", "))
    }

    /// The values of an enumeration.
    pub fn values(&self, name: &str) -> Vec<String> {
        let values = self.0[name]["enumValues"].as_array().into_iter().flatten();
        values.map(|value| value["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Whether a value of this type has no fields.
    pub fn is_leaf(&self, of: &Value) -> bool {
        ["SCALAR", "ENUM"].contains(&self.0[&named(of)]["kind"].as_str().unwrap())
    }
}

/// A document of one call; it declares the file that the call takes, where it takes one.
pub fn document(word: &str, call: &str) -> String {
    let declared = if call.contains("$file") { "($file: Upload!)" } else { "" };
    format!("{word}{declared} {{ {call} }}")
}

/// The name of a type without its wrappings.
pub fn named(of: &Value) -> String {
    of["name"].as_str().map_or_else(|| named(&of["ofType"]), str::to_owned)
}
