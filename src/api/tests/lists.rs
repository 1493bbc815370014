//! Lists are written past the executor wherever they can be: what that answers with is a text already.

use std::sync::Arc;

use async_graphql::{Request, Value, parser::types::OperationType};
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    api::{
        backend::{Backend, RequestHead},
        session::Api,
    },
    kernel::{App, Random, Settings, SystemClock, at_hand, config::Source, seal::KeyRing},
    operate::{self, Person},
    setup,
};

async fn installation(folder: &std::path::Path) -> App {
    let pairs = [("ORGDESK_DATA".to_owned(), folder.display().to_string())];
    let ring = KeyRing::parse("test:JSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/QEFCQ0Q=", b"").unwrap();
    let source = Source::read(pairs.into_iter()).unwrap();
    let settings = Settings::for_demo(&source, Zeroizing::new((0..32).collect()), ring).unwrap();
    let app = setup::open(settings, Arc::new(SystemClock), Random::seeded(1)).await;
    let app = app.unwrap();
    let owner = Person {
        login: "owner".to_owned(),
        name: "소유자".to_owned(),
        email: "owner@acme.example.com".to_owned(),
        password_hash: operate::hash_password(&app, "a password of fifteen characters")
            .await
            .unwrap(),
        is_administrator: false,
    };
    operate::create_organization(&app, "Acme", "acme", "Asia/Seoul", owner)
        .await
        .unwrap();
    app
}

/// The data of an answer to the owner.
async fn data(api: &Api, operation: OperationType, document: &str, variables: serde_json::Value) -> Value {
    let token = operate::access_token(api.app(), "acme", "owner").await.unwrap();
    let head = RequestHead {
        bearer: Some(&token),
        signed: None,
        accept_language: None,
        user_agent: None,
        peer: None,
        forwarded_for: Vec::new(),
        forwarded: Vec::new(),
        request_id: "test",
        operation,
        cost: 1,
        paid: None,
    };
    let Ok(entered) = api.enter(head).await else {
        panic!("{document}")
    };
    let mut request = Request::new(document).variables(async_graphql::Variables::from_json(variables));
    request.data = entered.data;
    let answer = api.execute(&entered.visit, request).await;
    api.leave(entered.visit).await;
    assert!(answer.errors.is_empty(), "{document}: {:?}", answer.errors);
    answer.data
}

/// What stands at a path.
fn at<'v>(mut value: &'v Value, path: &str) -> &'v Value {
    for step in path.split('.') {
        let Value::Object(members) = value else {
            panic!("{path}: {value}")
        };
        value = &members[step];
    }
    value
}

#[tokio::test]
async fn p5_lists_with_what_they_refer_to_are_written_past_the_executor() {
    let folder = tempfile::tempdir().unwrap();
    let api = Api::new(installation(folder.path()).await).unwrap();
    let create = "mutation ($input: ServiceCreateInput!) { serviceCreate(input: $input) { service { id } userErrors { code } } }";
    let desk = json!({ "input": { "kind": "CONSULTATION", "code": "desk", "name": "창구" } });
    let made = data(&api, OperationType::Mutation, create, desk).await;
    assert!(
        matches!(at(&made, "serviceCreate.service.id"), Value::String(_)),
        "{made}"
    );
    operate::add_agent(api.app(), "acme", "desk", "owner", true)
        .await
        .unwrap();

    for (document, path, is_written) in [
        (
            "{ services { nodes { id code languages { code } contract { id items { label } service { code } } } } }",
            "services.nodes",
            true,
        ),
        (
            "query ($m: Month!) { services { edges { cursor node { charges(from: $m, to: \"2026-12\") { id lines { label } } } } } }",
            "services.edges",
            true,
        ),
        (
            "{ services { nodes { code contract { editAllowance { used } } } } }",
            "services.nodes",
            false,
        ),
        (
            "{ agents { nodes { role channels member { login email } service { contract { status } } } } }",
            "agents.nodes",
            true,
        ),
        ("{ agents { nodes { effectiveChannels } } }", "agents.nodes", false),
        (
            "{ organization { members { nodes { id name email language isOwner joinedAt leftAt } } } }",
            "organization.members.nodes",
            true,
        ),
        (
            "{ organization { members { nodes { roles } } } }",
            "organization.members.nodes",
            false,
        ),
    ] {
        let answer = data(&api, OperationType::Query, document, json!({ "m": "2026-11" })).await;
        let list = at(&answer, path);
        assert_eq!(at_hand::text_of(list).is_some(), is_written, "{document}: {list}");
    }
}
