//! What logs tell of how a list was narrowed: everything but texts that somebody typed, which may be anybody's name or number.

use serde_json::{Value as Json, json};

/// What of a filter logs may tell: everything but texts that somebody typed.
const TOLD: [&str; 23] = [
    "serviceId",
    "memberId",
    "assigneeId",
    "actorId",
    "targetId",
    "grantId",
    "extractionId",
    "from",
    "to",
    "status",
    "channel",
    "kind",
    "role",
    "log",
    "action",
    "outcome",
    "source",
    "number",
    "serviceKind",
    "code",
    "isMigrated",
    "priority",
    "day",
];

/// How a list is narrowed, without what somebody typed.
pub(super) fn snapshot(filter: &Json) -> Json {
    match filter {
        Json::Object(fields) => {
            let told = |(name, value): (&String, &Json)| {
                let value = match value {
                    Json::Null => return None,
                    Json::Object(_) => snapshot(value),
                    value if name.ends_with("Id") && !value.as_str().is_some_and(is_id) => json!("***"),
                    Json::String(text) if name == "code" && !is_code(text) => json!("***"),
                    value if TOLD.contains(&name.as_str()) => value.clone(),
                    Json::Bool(_) => value.clone(),
                    _ => json!("***"),
                };
                Some((name.clone(), value))
            };
            Json::Object(fields.iter().filter_map(told).collect())
        }
        other => other.clone(),
    }
}

/// Whether a text has the form of an ID, and so nothing else in it: the schema takes any text for one.
fn is_id(text: &str) -> bool {
    let is_own = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    text.split_once('_').is_some_and(|(kind, number)| {
        kind.len() <= 5
            && kind.chars().all(|letter| letter.is_ascii_lowercase())
            && number.len() == 26
            && number.chars().all(is_own)
    })
}

/// Whether a text has the form of a field's code.
fn is_code(text: &str) -> bool {
    let is_own = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    text.len() <= 50 && text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.chars().all(is_own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l4_a_filters_texts_are_not_told() {
        let filter = json!({
            "serviceId": "svc_00000000000000000000000007", "assigneeId": "홍길동 010-1234-5678", "extractionId": "\u{0}",
            "filter": { "status": ["NEW"], "receivedAt": { "from": "2026-11-01T00:00:00Z", "to": null },
            "externalReference": "홍길동", "value": { "code": "phone", "equals": "010-1234-5678" } },
        });

        assert_eq!(
            snapshot(&filter),
            json!({
                "serviceId": "svc_00000000000000000000000007", "assigneeId": "***", "extractionId": "***",
                "filter": { "status": ["NEW"], "receivedAt": { "from": "2026-11-01T00:00:00Z" },
                "externalReference": "***", "value": { "code": "phone", "equals": "***" } },
            })
        );
    }
}
