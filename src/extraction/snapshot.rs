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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l4_a_filters_texts_are_not_told() {
        let filter = json!({
            "serviceId": "svc_1", "filter": { "status": ["NEW"], "receivedAt": { "from": "2026-11-01T00:00:00Z", "to": null },
            "externalReference": "홍길동", "value": { "code": "phone", "equals": "010-1234-5678" } },
        });

        assert_eq!(
            snapshot(&filter),
            json!({
                "serviceId": "svc_1", "filter": { "status": ["NEW"], "receivedAt": { "from": "2026-11-01T00:00:00Z" },
                "externalReference": "***", "value": { "code": "phone", "equals": "***" } },
            })
        );
    }
}
