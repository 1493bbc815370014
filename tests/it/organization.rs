//! 조직 정보: the organization, its domain and its keys.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{Answer, PASSWORD, TestApp, Who},
        raw::Raw,
    },
};

const UPDATE: &str =
    "mutation M($id: ID!, $input: OrganizationUpdateInput!) { organizationUpdate(id: $id, input: $input) {
    organization { name domain product { url } timeZone version } userErrors { code field } } }";
const CREATE: &str =
    "organizationKeyCreate(input: $input) => secret key { id hint isLive version scopes allowedAddresses expiresAt }";
const ROTATE: &str = "organizationKeyRotate(id: $id, input: $input) => secret key { id hint isLive version scopes }";
const REVOKE: &str = "organizationKeyRevoke(id: $id, input: $input) => key { id isLive revokedAt }";

async fn update(who: Who<'_>, input: Value) -> Answer {
    who.ask(UPDATE, json!({ "id": organization_id(who).await, "input": input }))
        .await
}

async fn organization_id(who: Who<'_>) -> Value {
    who.data("{ organization { id } }", json!({})).await["organization"]["id"].clone()
}

fn errors(answer: &Answer) -> Vec<String> {
    let errors = answer.json["data"]["organizationUpdate"]["userErrors"].as_array();
    errors
        .unwrap_or_else(|| panic!("{}", answer.text))
        .iter()
        .map(|error| error["code"].as_str().unwrap().to_owned())
        .collect()
}

async fn start(app: &TestApp, domain: &str) -> bool {
    let query = "mutation M($input: SessionStartInput!) { sessionStart(input: $input) { tokens { accessToken } } }";
    let input = json!({ "organization": domain, "login": "owner", "password": PASSWORD });
    let answer = app.ask(None, query, json!({ "input": input })).await;
    !answer.json["data"]["sessionStart"]["tokens"].is_null()
}

/// A key, as `(id, secret)`.
async fn key(who: Who<'_>, name: &str) -> (String, String) {
    let made = who
        .deed(CREATE, json!({ "input": { "name": name, "scopes": ["SERVICE_READ"] } }))
        .await;
    (
        made["key"]["id"].as_str().unwrap().to_owned(),
        made["secret"].as_str().unwrap().to_owned(),
    )
}

async fn is_live(who: Who<'_>, id: &str) -> bool {
    let data = who
        .data(
            "query Q($id: ID!) { node(id: $id) { ... on OrganizationKey { isLive } } }",
            json!({ "id": id }),
        )
        .await;
    data["node"]["isLive"].as_bool().unwrap()
}

both! {
    async fn o1_the_url_follows_the_domain(app) {
        let before = app.owner().data("{ organization { product { url } code } }", json!({})).await;

        let moved = update(app.owner(), json!({ "expectedVersion": 1, "domain": "Acme-2" })).await;

        let told = &moved.json["data"]["organizationUpdate"]["organization"];
        assert_eq!(before["organization"]["product"]["url"], "https://acme.example.com");
        assert_eq!((told["domain"].as_str(), told["product"]["url"].as_str()), (Some("acme-2"), Some("https://acme-2.example.com")));
        assert_eq!((start(&app, "acme").await, start(&app, "acme-2").await), (false, true), "the old domain leads nowhere");
        let after = app.someone("acme-2", "owner").data("{ organization { code } }", json!({})).await;
        assert_eq!(after["organization"]["code"], before["organization"]["code"]);
        let theirs = update(app.rival(), json!({ "expectedVersion": 1, "domain": "acme" })).await;
        assert_eq!(errors(&theirs), Vec::<String>::new(), "a domain that was left is free");
    }

    async fn o2_the_domain_is_the_owners_and_nobody_elses(app) {
        let owner = app.owner().token().await;
        let id = organization_id(app.owner()).await;
        let wrong = [
            ("rival", "TAKEN"), ("RIVAL", "TAKEN"), ("ab", "TOO_SHORT"), ("", "BLANK"), ("-abc", "INVALID"), ("a.b.c", "INVALID"),
            ("a/../b", "INVALID"), ("evil.com#", "INVALID"), ("аcme", "INVALID"), ("a b c", "INVALID"), ("a\0bc", "INVALID"),
        ];
        for (domain, code) in wrong {
            assert_eq!(errors(&update(app.owner(), json!({ "expectedVersion": 1, "domain": domain })).await), [code], "{domain:?}");
        }
        assert_eq!(errors(&update(app.owner(), json!({ "expectedVersion": 1, "domain": "a".repeat(41) })).await), ["TOO_LONG"]);

        let admin = update(app.administrator(), json!({ "expectedVersion": 1, "domain": "mine", "timeZone": "Asia/Tokyo" })).await;
        let named = update(app.administrator(), json!({ "expectedVersion": 1, "name": "Acme Co." })).await;
        app.wait(Duration::minutes(6));
        let stale = app.ask(Some(&owner), UPDATE, json!({ "id": id, "input": { "expectedVersion": 2, "domain": "acme-3" } })).await;
        let same = app.ask(Some(&owner), UPDATE, json!({ "id": id, "input": { "expectedVersion": 2, "domain": "acme", "name": "Acme" } })).await;

        assert_eq!(errors(&admin), ["OWNER_REQUIRED", "OWNER_REQUIRED"]);
        assert_eq!(errors(&named), Vec::<String>::new());
        assert_eq!(stale.code(), "CONFIRMATION_REQUIRED", "{}", stale.text);
        assert_eq!(errors(&same), Vec::<String>::new(), "what does not change needs no confirmation");
        assert_eq!((start(&app, "acme").await, start(&app, "acme-3").await), (true, false));
        let log = app.owner().data("{ auditEntries(filter: { outcome: [DENIED] }) { nodes { reasonCode action } } }", json!({})).await;
        assert_eq!(log["auditEntries"]["nodes"][0], json!({ "reasonCode": "CONFIRMATION_REQUIRED", "action": "ORGANIZATION_UPDATE" }));
    }

    // case: I6
    async fn o2_a_crowd_that_wants_one_domain_leaves_one_with_it(app) {
        let (acme, rival) = (app.owner().token().await, app.rival().token().await);
        let ids = (organization_id(app.owner()).await, organization_id(app.rival()).await);
        let crowd = (0..24).map(|place| {
            let (token, id) = if place % 2 == 0 { (&acme, &ids.0) } else { (&rival, &ids.1) };
            app.ask(Some(token), UPDATE, json!({ "id": id, "input": { "expectedVersion": 1, "domain": "wanted" } }))
        });

        let answers = futures_util::future::join_all(crowd).await;

        let won = answers.iter().filter(|answer| answer.json["data"]["organizationUpdate"]["userErrors"] == json!([])).count();
        assert_eq!(won, 1, "{answers:#?}");
        for answer in &answers {
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(answer.code(), "none", "{}", answer.text);
        }
    }

    // case: D15
    async fn o4_a_key_is_shown_once_and_kept_nowhere(app) {
        let owner = app.owner();
        let input = json!({ "name": " Partner ", "scopes": ["USAGE_RECORD", "SERVICE_READ", "USAGE_RECORD"], "idempotencyKey": "once",
            "allowedAddresses": ["127.0.0.0/8", "2001:db8::/32"], "expiresAt": "2026-12-01T00:00:00Z" });

        let made = owner.deed(CREATE, json!({ "input": input })).await;
        let again = owner.deed(CREATE, json!({ "input": input })).await;

        let secret = made["secret"].as_str().unwrap();
        let parts: Vec<_> = secret.splitn(4, '_').collect();
        assert_eq!((parts[0], parts[1], parts[2].len()), ("oc", "v1", 26));
        assert_eq!(made["key"]["hint"], secret[secret.len() - 4..]);
        assert_eq!(made["key"]["scopes"], json!(["SERVICE_READ", "USAGE_RECORD"]));
        assert_eq!((&again["secret"], &again["key"]["id"]), (&Value::Null, &made["key"]["id"]));
        let dump = format!("{:?}", Raw::admin(&app).await.dump().await);
        assert!(dump.contains("Partner") && !dump.contains(secret) && !dump.contains(&parts[3][..20]));
        let all = owner.data("{ organization { product { keys { id } } } auditEntries(first: 100) { nodes { changes { before after } } } }", json!({})).await;
        assert_eq!(all["organization"]["product"]["keys"].as_array().unwrap().len(), 1);
        assert!(!all.to_string().contains(&parts[3][..20]));
        app.go_to("2026-12-01T00:00:00Z");
        assert!(!is_live(owner, made["key"]["id"].as_str().unwrap()).await, "an expired key is dead");
    }

    async fn o4_no_key_that_works_is_hidden_behind_those_that_do_not(app) {
        let owner = app.owner();
        let (oldest, _) = key(owner, "oldest").await;
        for _ in 0..100 {
            app.wait(Duration::seconds(1));
            let (id, _) = key(owner, "revoked").await;
            owner.deed(REVOKE, json!({ "id": id, "input": { "expectedVersion": 1 } })).await;
        }
        app.wait(Duration::seconds(1));
        let (newest, _) = key(owner, "newest").await;

        let all = owner.data("{ organization { product { keys { id isLive createdAt } } } }", json!({})).await;

        let all = all["organization"]["product"]["keys"].as_array().unwrap();
        assert_eq!((all.len(), &all[0]["id"], &all[1]["id"]), (100, &json!(newest), &json!(oldest)));
        assert!(all[2..].iter().all(|key| key["isLive"] == false));
        assert!(all[2..].windows(2).all(|pair| pair[0]["createdAt"].as_str() > pair[1]["createdAt"].as_str()));
    }

    async fn o4_what_a_key_cannot_be_is_refused(app) {
        let tries = [
            (json!({ "name": " ", "scopes": [] }), vec!["BLANK at input.name", "BLANK at input.scopes"]),
            (json!({ "name": "k", "scopes": ["SERVICE_READ"], "expiresAt": "2026-11-10T01:00:00Z" }), vec!["INVALID at input.expiresAt"]),
            (json!({ "name": "k", "scopes": ["SERVICE_READ"], "allowedAddresses": ["10.0.0.0/8"] }), vec!["ADDRESS_LOCKS_OUT at input.allowedAddresses"]),
            (json!({ "name": "k", "scopes": ["SERVICE_READ"], "allowedAddresses": ["127.0.0.1", "10.0.0.1/8", "x"] }),
                vec!["INVALID at input.allowedAddresses.1", "INVALID at input.allowedAddresses.2"]),
            (json!({ "name": "k", "scopes": ["SERVICE_READ"], "allowedAddresses": vec!["127.0.0.1"; 51] }), vec!["TOO_MANY at input.allowedAddresses"]),
        ];

        for (input, expected) in tries {
            assert_eq!(app.owner().problems(CREATE, json!({ "input": input })).await, expected, "{input}");
        }
        for name in 0..20 {
            key(app.owner(), &format!("key {name}")).await;
        }

        let more = json!({ "input": { "name": "k", "scopes": ["SERVICE_READ"] } });
        assert_eq!(app.owner().problems(CREATE, more).await, ["LIMIT_REACHED at -"]);
    }

    async fn o4_a_rotated_key_works_on_for_the_overlap_and_no_longer(app) {
        let owner = app.owner();
        let (old, _) = key(owner, "k").await;
        for hours in [-1, 25] {
            let input = json!({ "expectedVersion": 1, "overlapHours": hours });
            assert_eq!(owner.problems(ROTATE, json!({ "id": old, "input": input })).await, ["OUT_OF_RANGE at input.overlapHours"]);
        }

        let new = owner.deed(ROTATE, json!({ "id": old, "input": { "expectedVersion": 1, "overlapHours": 24 } })).await;
        app.wait(Duration::hours(23));
        let during = (is_live(owner, &old).await, is_live(owner, new["key"]["id"].as_str().unwrap()).await);
        let longer = owner.deed(ROTATE, json!({ "id": old, "input": { "expectedVersion": 2, "overlapHours": 24 } })).await;
        app.wait(Duration::hours(1));

        assert_eq!(during, (true, true));
        assert!(!is_live(owner, &old).await, "a second rotation does not lengthen the overlap");
        let dead = owner.problems(ROTATE, json!({ "id": old, "input": { "expectedVersion": 2, "overlapHours": 0 } })).await;
        assert_eq!(dead, ["KEY_NOT_LIVE at id"]);
        let at_once = longer["key"]["id"].as_str().unwrap();
        owner.deed(ROTATE, json!({ "id": at_once, "input": { "expectedVersion": 1, "overlapHours": 0 } })).await;
        assert!(!is_live(owner, at_once).await);
    }

    async fn o4_rotating_makes_no_more_keys_than_there_may_be(app) {
        let owner = app.owner();
        let (mut id, _) = key(owner, "k").await;
        let mut made = 0;
        for _ in 0..25 {
            let input = json!({ "expectedVersion": 1, "overlapHours": 24 });
            let payload = owner.payload(ROTATE, json!({ "id": id, "input": input })).await;
            let Some(new) = payload["key"]["id"].as_str() else {
                assert_eq!(payload["userErrors"][0]["code"], "LIMIT_REACHED");
                break;
            };
            id = new.to_owned();
            made += 1;
        }

        assert_eq!(made, 19);
        owner.deed(ROTATE, json!({ "id": id, "input": { "expectedVersion": 1, "overlapHours": 0 } })).await;
    }

    async fn o4_the_last_key_is_rotated_not_revoked(app) {
        let owner = app.owner();
        let (first, _) = key(owner, "first").await;
        let revoke = |id: &str| json!({ "id": id, "input": { "expectedVersion": 1 } });

        let last = owner.problems(REVOKE, revoke(&first)).await;
        let (second, _) = key(owner, "second").await;
        let gone = owner.deed(REVOKE, revoke(&first)).await;
        let guarded = owner.problems(REVOKE, revoke(&second)).await;

        assert_eq!(last, ["LAST_KEY at id"]);
        assert_eq!((gone["key"]["isLive"].as_bool(), gone["key"]["revokedAt"].as_str()), (Some(false), Some("2026-11-10T01:00:00.000Z")));
        assert_eq!(guarded, ["LAST_KEY at id"]);
    }
}
