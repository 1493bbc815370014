//! How a test comes by grants to see personal data, and how it speaks of them.

use serde_json::{Value, json};

use super::{app::Who, people};

/// The fields of a grant.
pub const FIELDS: &str =
    "id email networks isForAllServices services { code } purpose validUntil status endedAt version
    member { login } grantedByName";

/// The input of a grant to the member of this login ID, with these instead of what is usual.
pub async fn input(owner: Who<'_>, login: &str, more: Value) -> Value {
    let member = people::member(owner, login).await;
    let mut input = json!({
        "memberId": member["id"], "email": member["email"], "networks": ["203.0.113.0/24"], "purpose": "배송지를 정정하는 상담 업무",
    });
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    json!({ "input": input })
}

/// `piiGrantCreate`.
pub async fn give(owner: Who<'_>, login: &str, more: Value) -> Value {
    let field = format!("piiGrantCreate(input: $input) => grant {{ {FIELDS} }}");
    owner.deed(&field, input(owner, login, more).await).await["grant"].clone()
}

/// The problems of `piiGrantCreate`.
pub async fn problems(owner: Who<'_>, login: &str, more: Value) -> Vec<String> {
    owner
        .problems("piiGrantCreate(input: $input)", input(owner, login, more).await)
        .await
}

/// `piiGrantUpdate`: its payload.
pub async fn update(owner: Who<'_>, grant: &Value, more: Value) -> Value {
    let field = format!("piiGrantUpdate(id: $id, input: $input) => grant {{ {FIELDS} }}");
    owner.payload(&field, people::on(grant, more)).await
}

/// `piiGrantRevoke`: its payload.
pub async fn revoke(owner: Who<'_>, grant: &Value, more: Value) -> Value {
    let field = format!("piiGrantRevoke(id: $id, input: $input) => grant {{ {FIELDS} }}");
    owner.payload(&field, people::on(grant, more)).await
}

/// The log, newest first: what happened, by whom, to whom, from which networks to which, and why.
pub async fn log(owner: Who<'_>, filter: Value) -> Vec<String> {
    let query =
        "query Q($filter: PiiGrantChangeFilter) { piiGrantChanges(first: 100, filter: $filter) { totalCount nodes {
        kind actor { kind name login } holder { login } before { networks } after { networks } reason } } }";
    let data = owner.data(query, json!({ "filter": filter })).await;
    let nodes = data["piiGrantChanges"]["nodes"].as_array().unwrap();
    assert_eq!(data["piiGrantChanges"]["totalCount"], nodes.len());
    let networks = |said: &Value| {
        said["networks"].as_array().map_or("-".to_owned(), |all| {
            all.iter()
                .map(|one| one.as_str().unwrap())
                .collect::<Vec<_>>()
                .join(",")
        })
    };
    let line = |row: &Value| {
        let actor = row["actor"]["login"]
            .as_str()
            .unwrap_or_else(|| row["actor"]["kind"].as_str().unwrap());
        format!(
            "{} {actor} {} {} {} {}",
            row["kind"].as_str().unwrap(),
            row["holder"]["login"].as_str().unwrap(),
            networks(&row["before"]),
            networks(&row["after"]),
            row["reason"].as_str().unwrap_or("-")
        )
    };
    nodes.iter().map(line).collect()
}
