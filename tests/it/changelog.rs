//! `docs/changelog.md`: what is deprecated stands there with the day on which it goes, half a year after it was said at the
//! earliest; and nothing stands there that is not so.

use std::collections::BTreeMap;

use chrono::{Months, NaiveDate};
use orgdesk::api::schema;
use serde_json::{Value, json};

const TEXT: &str = include_str!("../../docs/changelog.md");

/// What is deprecated, as the API says it: the schema coordinate with its reason.
async fn deprecated() -> BTreeMap<String, String> {
    const ASK: &str = "{ __schema { types { name
        fields(includeDeprecated: true) { name isDeprecated deprecationReason
            args(includeDeprecated: true) { name isDeprecated deprecationReason } }
        inputFields(includeDeprecated: true) { name isDeprecated deprecationReason }
        enumValues(includeDeprecated: true) { name isDeprecated deprecationReason } } } }";
    let answer = json!(schema::build().execute(ASK).await);
    assert_eq!(answer.get("errors"), None, "{answer}");
    let mut found = BTreeMap::new();
    let mut see = |coordinate: String, this: &Value| {
        if this["isDeprecated"] == true {
            found.insert(
                coordinate,
                this["deprecationReason"].as_str().unwrap_or_default().to_owned(),
            );
        }
    };
    for kind in list(&answer["data"]["__schema"], "types") {
        let owner = text(kind, "name");
        for this in ["fields", "inputFields", "enumValues"]
            .iter()
            .flat_map(|name| list(kind, name))
        {
            let coordinate = format!("{owner}.{}", text(this, "name"));
            for argument in list(this, "args") {
                see(format!("{coordinate}({}:)", text(argument, "name")), argument);
            }
            see(coordinate, this);
        }
    }
    found
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// The rows of the table of what is deprecated: coordinate, when that was said, when it goes.
fn rows() -> BTreeMap<String, (NaiveDate, NaiveDate)> {
    let (_, table) = TEXT.split_once("<!-- deprecated -->").unwrap();
    let (table, _) = table.split_once("<!-- end -->").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [coordinate, since, until, _] = cells[..] else {
            panic!("{row}");
        };
        (
            coordinate.trim_matches('`').to_owned(),
            (since.parse().unwrap(), until.parse().unwrap()),
        )
    })
    .collect()
}

#[tokio::test]
async fn g1_what_is_deprecated_stands_in_the_changelog_with_its_end() {
    let (deprecated, rows) = (deprecated().await, rows());

    let listed: Vec<_> = rows.keys().collect();
    assert_eq!(deprecated.keys().collect::<Vec<_>>(), listed);
    assert!(!listed.is_empty());
    for (coordinate, reason) in &deprecated {
        let (since, until) = rows[coordinate];
        assert!(
            reason.ends_with(&format!(" Removal on {until}.")),
            "{coordinate}: {reason}"
        );
        assert!(
            until >= since.checked_add_months(Months::new(6)).unwrap(),
            "{coordinate} goes too soon"
        );
    }
}

#[test]
fn g1_versions_stand_in_the_changelog_newest_first() {
    let (_, listed) = TEXT.split_once("## Versions").unwrap();
    let heads: Vec<_> = listed.lines().filter_map(|line| line.strip_prefix("### ")).collect();

    assert_eq!(heads.first(), Some(&"Unreleased"), "{heads:?}");
    for head in &heads[1..] {
        let (version, day) = head.split_once(", ").unwrap_or_else(|| panic!("{head}"));
        assert!(
            version.split('.').count() == 3 && day.parse::<NaiveDate>().is_ok(),
            "{head}"
        );
    }
    for line in listed.lines().filter(|line| line.starts_with("- ")) {
        let kind = line[2..].split(':').next().unwrap();
        assert!(
            ["Added", "Changed", "Deprecated", "Removed", "Fixed"].contains(&kind),
            "{line}"
        );
    }
}
