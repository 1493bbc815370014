//! Global IDs and pages: any object by its ID, for its own organization only, and cursors that hold while rows come
//! and go.

use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who},
        cti, extraction, grants, imports, invite, make, people, picture, staff, ticket,
    },
};

const NODE: &str = "query N($id: ID!) { node(id: $id) { __typename id } }";
const NODES: &str = "query N($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";

both! {
    async fn g3_every_kind_of_object_is_read_again_by_its_id(app) {
        let objects = everything(&app).await;

        for (kind, id) in &objects {
            let data = app.owner().data(NODE, json!({ "id": id })).await;

            assert_eq!(data["node"], json!({ "__typename": kind, "id": id }));
        }
        let kinds: Vec<&str> = objects.iter().map(|(kind, _)| *kind).collect();
        let known = "{ __type(name: \"Node\") { possibleTypes { name } } }";
        let data = app.owner().data(known, json!({})).await;
        for kind in data["__type"]["possibleTypes"].as_array().unwrap() {
            assert!(kinds.contains(&kind["name"].as_str().unwrap()), "{kind}");
        }
    }

    async fn g3_nodes_come_in_the_order_of_their_ids_with_null_where_there_is_none(app) {
        let objects = everything(&app).await;
        let mut ids: Vec<String> = objects.iter().rev().map(|(_, id)| id.clone()).collect();
        ids.insert(1, "svc_unknown".to_owned());
        ids.push(ids[0].clone());

        let data = app.owner().data(NODES, json!({ "ids": ids })).await;

        let found: Vec<&Value> = data["nodes"].as_array().unwrap().iter().map(|node| &node["id"]).collect();
        let mut wanted: Vec<Value> = ids.into_iter().map(Value::from).collect();
        wanted[1] = Value::Null;
        assert_eq!(found, wanted.iter().collect::<Vec<_>>());
    }

    async fn g3_another_organization_and_the_unprivileged_find_nothing(app) {
        let objects = everything(&app).await;
        let ids: Vec<&String> = objects.iter().map(|(_, id)| id).collect();

        let rival = app.rival().data(NODES, json!({ "ids": ids })).await;
        let member = app.member().data(NODES, json!({ "ids": ids })).await;
        let nobody = app.ask(None, NODES, json!({ "ids": ids })).await;

        let nothing = json!(vec![Value::Null; ids.len()]);
        assert_eq!(rival["nodes"], nothing);
        assert_eq!(member["nodes"], nothing);
        assert!(nobody.json.pointer("/data/nodes").is_none_or(|nodes| *nodes == nothing), "{}", nobody.text);
    }

    async fn g3_ids_of_another_kind_and_texts_that_are_no_ids_find_nothing(app) {
        let desk = make::in_use(app.owner(), "desk", 1).await;
        let (_, bare) = desk.id.split_once('_').unwrap();
        let charge = format!("chg_{bare}");
        let mut ids: Vec<String> = ["org", "key", "mbr", "ctr", "aud", "pch", "ses", "rft", "job", "xyz"]
            .map(|prefix| format!("{prefix}_{bare}"))
            .into();
        ids.extend([charge.clone(), format!("{charge}00000"), format!("{charge}99999"), format!("{charge}-0001")]);
        ids.extend(["", "_", "svc", "svc_", "svc_0", "한글_가나다", "svc_\0", "chg_가나다라마바사아자차카타파하"].map(str::to_owned));
        ids.extend([bare.to_owned(), desk.id.to_uppercase(), format!("{} ", desk.id), format!("{}0", desk.id)]);
        ids.push("svc_".repeat(2_000));

        for id in ids {
            let data = app.owner().data(NODE, json!({ "id": id })).await;

            assert_eq!(data["node"], Value::Null, "{id:?}");
        }
    }

    async fn g3_more_than_a_hundred_nodes_are_refused(app) {
        let answer = app.owner().ask(NODES, json!({ "ids": vec!["svc_x"; 101] })).await;

        assert!(["BAD_USER_INPUT", "QUERY_TOO_COMPLEX"].contains(&answer.code()), "{}", answer.text);
    }
}

/// One object of each kind, with its type's name.
async fn everything(app: &TestApp) -> Vec<(&'static str, String)> {
    let owner = app.owner();
    let figures = r#"{ auditReview(firstDay: "2026-10-01", lastDay: "2026-10-31") { hash } }"#;
    let figures = owner.data(figures, json!({})).await;
    let reviewed =
        json!({ "firstDay": "2026-10-01", "lastDay": "2026-10-31", "figuresHash": figures["auditReview"]["hash"] });
    let desk = make::in_use(owner, "desk", 2).await;
    let key = "organizationKeyCreate(input: { name: \"key\", scopes: [SERVICE_READ] }) => key { id }";
    let key = owner.deed(key, json!({})).await;
    let invitation = invite::made(owner, "new.agent").await;
    let company = owner.deed(&make::company("Company"), json!({})).await;
    let agent = staff::add(owner, &desk, &people::member(owner, "admin").await, json!({})).await;
    let logo = picture::uploaded(owner, &picture::png(1)).await;
    let (_, phones) = cti::desk(app, "phones", &["phone.kim"]).await;
    owner
        .deed(cti::SAVE, cti::all(vec![cti::entry(&phones[0], 0, "kim", "0101")]))
        .await;
    let hook = r#"webhookCreate(input: { name: "w", url: "https://hooks.example.com/", events: [SERVICE_CREATE] }) => webhook { id }"#;
    let hook = owner.deed(hook, json!({})).await;
    let grant = grants::give(owner, "admin", json!({ "isForAllServices": true })).await;
    // The owner sees tickets where he works himself.
    people::employ(app, "desk", "owner", false).await;
    let ticket = ticket::made(owner, &desk, json!({})).await;
    let import = imports::uploaded(owner, &desk.id, b"none").await;
    let extraction = extraction::requested(owner, json!({ "members": {} }), json!({})).await;
    vec![
        ("Extraction", extraction),
        (
            "ExtractionStep",
            find(
                owner,
                "{ extractionSteps { nodes { id } } }",
                "/extractionSteps/nodes/0/id",
            )
            .await,
        ),
        ("Import", import["id"].as_str().unwrap().to_owned()),
        ("Ticket", ticket["id"].as_str().unwrap().to_owned()),
        ("Picture", picture::id(&logo).to_owned()),
        (
            "CtiHolding",
            find(owner, "{ ctiHoldings { nodes { id } } }", "/ctiHoldings/nodes/0/id").await,
        ),
        ("Invitation", invitation["id"].as_str().unwrap().to_owned()),
        (
            "Organization",
            find(owner, "{ organization { id } }", "/organization/id").await,
        ),
        ("Webhook", hook["webhook"]["id"].as_str().unwrap().to_owned()),
        (
            "WebhookDelivery",
            find(
                owner,
                "{ webhookDeliveries { nodes { id } } }",
                "/webhookDeliveries/nodes/0/id",
            )
            .await,
        ),
        ("OrganizationKey", key["key"]["id"].as_str().unwrap().to_owned()),
        (
            "Member",
            find(owner, "{ viewer { member { id } } }", "/viewer/member/id").await,
        ),
        ("Company", company["company"]["id"].as_str().unwrap().to_owned()),
        ("Agent", agent["id"].as_str().unwrap().to_owned()),
        ("PiiGrant", grant["id"].as_str().unwrap().to_owned()),
        (
            "PiiGrantChange",
            find(
                owner,
                "{ piiGrantChanges { nodes { id } } }",
                "/piiGrantChanges/nodes/0/id",
            )
            .await,
        ),
        (
            "Field",
            find(
                owner,
                "{ service(by: { code: \"desk\" }) { fields { id } } }",
                "/service/fields/0/id",
            )
            .await,
        ),
        ("Service", desk.id),
        ("Contract", desk.contract),
        (
            "Charge",
            find(
                owner,
                "{ charges(filter: { from: \"2026-11\", to: \"2026-11\" }) { nodes { id } } }",
                "/charges/nodes/0/id",
            )
            .await,
        ),
        (
            "AuditReview",
            owner
                .deed(
                    "auditReviewSign(input: $input) => review { id }",
                    json!({ "input": reviewed }),
                )
                .await["review"]["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        ),
        (
            "AuditEntry",
            find(
                owner,
                "{ auditEntries(first: 1) { nodes { id } } }",
                "/auditEntries/nodes/0/id",
            )
            .await,
        ),
        (
            "PermissionChange",
            find(
                owner,
                "{ permissionChanges(first: 1) { nodes { id } } }",
                "/permissionChanges/nodes/0/id",
            )
            .await,
        ),
    ]
}

async fn find(who: Who<'_>, query: &str, pointer: &str) -> String {
    let data = who.data(query, json!({})).await;
    data.pointer(pointer).unwrap().as_str().unwrap().to_owned()
}
