//! Partner systems with a token: what a key lets them do, for how long, and what the log says of it.

use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        app::{TestApp, Who, codes},
        make::{self, Made},
        partner::{self, Key, UPDATE, code, issue, issue_from, key, token},
        raw::Raw,
    },
};

const SERVICES: &str = "{ services { totalCount } }";
const ROTATE: &str = "organizationKeyRotate(id: $id, input: $input) => secret key { id }";
const REFUSED: [&str; 1] = ["CREDENTIALS_REFUSED at input.key"];

/// Adds a service, contracts, suspends and terminates it, as whoever has this token.
async fn life(who: Who<'_>) -> Made {
    let made = make::in_use(who, "desk", 3).await;
    make::suspend(who, &made).await;
    make::terminate(who, &made).await;
    made
}

/// The entries of the log since its beginning that somebody other than members left.
async fn entries(app: &TestApp, filter: &str) -> Vec<Value> {
    let query = format!(
        "{{ auditEntries(first: 100, filter: {{ {filter} }}) {{ nodes {{ action outcome reasonCode address
            actor {{ kind reference name }} target {{ reference }} }} }} }}"
    );
    let data = app.owner().data(&query, json!({})).await;
    data["auditEntries"]["nodes"].as_array().unwrap().clone()
}

async fn revoke(app: &TestApp, key: &Key) {
    key_of_more(app).await;
    let input = json!({ "id": key.id, "input": { "expectedVersion": 1 } });
    app.owner()
        .deed("organizationKeyRevoke(id: $id, input: $input) => key { id }", input)
        .await;
}

/// The last key is not revoked: there has to be another.
async fn key_of_more(app: &TestApp) {
    key(app.owner(), &["USAGE_RECORD"]).await;
}

both! {
    async fn o5_a_partner_adds_contracts_suspends_and_terminates_a_service_by_token(app) {
        let made = key(app.owner(), &["SERVICE_MANAGE"]).await;
        let issued = issue(&app, "acme", &made.secret).await;
        let by_code = issue(&app, &code(&app).await, &made.secret).await;
        let token = issued["token"]["accessToken"].as_str().unwrap();

        let desk = life(app.bearing(token)).await;

        assert_eq!(issued["token"]["scopes"], json!(["SERVICE_MANAGE"]));
        assert_eq!(issued["token"]["expiresAt"], "2026-11-10T01:10:00.000Z");
        assert_eq!(codes(&by_code), Vec::<String>::new(), "an organization has a code as well as a domain");
        let seen = app.bearing(token).data("query Q($id: ID!) { service(by: { id: $id }) { status
            contract { status editAllowance { remaining } revisions { totalCount } } actions { name isAllowed } } viewer { roles } }", json!({ "id": desk.id })).await;
        assert_eq!((&seen["service"]["status"], &seen["service"]["contract"]["revisions"]["totalCount"]), (&json!("TERMINATED"), &json!(2)));
        assert_eq!(seen["viewer"], Value::Null, "a key is no member");
        let told = entries(&app, &format!("actorId: \"{}\"", made.id)).await;
        let actions: Vec<_> = told.iter().rev().map(|entry| entry["action"].as_str().unwrap()).collect();
        assert_eq!(actions.len(), 4, "{told:#?}");
        for action in ["SERVICE_CREATE", "CONTRACT_SIGN", "SERVICE_SUSPEND", "SERVICE_TERMINATE"] {
            assert!(actions.contains(&action), "{actions:?}");
        }
        for entry in &told {
            assert_eq!(entry["actor"], json!({ "kind": "KEY", "reference": made.id, "name": "Partner" }));
            assert_eq!((&entry["outcome"], &entry["address"]), (&json!("DONE"), &json!("127.0.0.1")));
        }
        let issues = entries(&app, "action: [PARTNER_TOKEN_ISSUE]").await;
        assert!(issues.iter().all(|entry| entry["target"]["reference"] == json!(made.id)), "{issues:#?}");
    }

    async fn o5_a_key_reaches_what_its_scopes_say_and_gives_nobody_a_right(app) {
        let desk = make::in_use(app.owner(), "desk", 3).await;
        let reading = token(&app, &key(app.owner(), &["SERVICE_READ"]).await).await;
        let recording = token(&app, &key(app.owner(), &["USAGE_RECORD"]).await).await;
        let both = token(&app, &key(app.owner(), &["SERVICE_READ", "USAGE_RECORD"]).await).await;
        let usage = "mutation M($input: UsageRecordInput!) { usageRecord(input: $input) { userErrors { code } } }";
        let entry = json!({ "serviceId": desk.id, "meter": "CHATS", "externalId": "1", "quantity": 1, "occurredAt": "2026-11-10T00:30:00Z" });
        let suspend = "mutation M($id: ID!) { serviceSuspend(id: $id, input: { expectedVersion: 2, acknowledgeCharges: true }) { userErrors { code } } }";

        for (token, reads, records) in [(&reading, true, false), (&recording, false, true), (&both, true, true)] {
            let read = app.ask(Some(token), SERVICES, json!({})).await;
            let changed = app.ask(Some(token), suspend, json!({ "id": desk.id })).await;
            let recorded = app.ask(Some(token), usage, json!({ "input": { "entries": [entry] } })).await;
            let found = app.ask(Some(token), "query Q($id: ID!) { node(id: $id) { id } }", json!({ "id": desk.id })).await;

            assert_eq!(read.code(), if reads { "none" } else { "FORBIDDEN" }, "{}", read.text);
            assert_eq!(changed.code(), "FORBIDDEN", "{}", changed.text);
            assert_eq!(recorded.code() == "FORBIDDEN", !records, "{}", recorded.text);
            assert_eq!(found.json["data"]["node"].is_object(), reads, "{}", found.text);
        }
        for field in ["organization { name }", "members(search: { name: \"x\" }) { totalCount }", "auditEntries { totalCount }",
            "charges(filter: { from: \"2026-11\", to: \"2026-11\" }) { totalCount }", "piiGrants { totalCount }", "agents { totalCount }"] {
            let answer = app.ask(Some(&both), &format!("{{ {field} }}"), json!({})).await;
            assert_eq!(answer.code(), "FORBIDDEN", "{field}: {}", answer.text);
        }
        let access = app.ask(Some(&both), "query Q($id: ID!) { piiAccess(serviceId: $id) { isUnmasked } }", json!({ "id": desk.id })).await;
        assert_eq!(access.code(), "FORBIDDEN", "{}", access.text);
    }

    // case: D15
    async fn o4_a_dead_key_and_its_tokens_are_refused_at_once(app) {
        let owner = app.owner();
        let revoked = key(owner, &["SERVICE_READ"]).await;
        let expiring = partner::made(owner, json!({ "name": "k", "scopes": ["SERVICE_READ"], "expiresAt": "2026-11-10T01:05:00Z" })).await;
        let rotated = key(owner, &["SERVICE_READ"]).await;
        let tokens = [token(&app, &revoked).await, token(&app, &expiring).await, token(&app, &rotated).await];
        for token in &tokens {
            assert_eq!(app.ask(Some(token), SERVICES, json!({})).await.code(), "none");
        }

        revoke(&app, &revoked).await;
        let rotation = json!({ "id": rotated.id, "input": { "expectedVersion": 1, "overlapHours": 1 } });
        let new = owner.deed(ROTATE, rotation).await;
        app.wait(Duration::minutes(5));

        for (key, token) in [(&revoked, &tokens[0]), (&expiring, &tokens[1])] {
            let answer = app.ask(Some(token), SERVICES, json!({})).await;
            assert_eq!((answer.status, answer.code()), (401, "UNAUTHENTICATED"), "{}", answer.text);
            assert_eq!(codes(&issue(&app, "acme", &key.secret).await), REFUSED);
        }
        assert_eq!(app.ask(Some(&tokens[2]), SERVICES, json!({})).await.status, 200, "a rotated key works on for its overlap");
        assert!(issue(&app, "acme", &rotated.secret).await["token"].is_object());
        app.wait(Duration::minutes(55));
        assert_eq!(codes(&issue(&app, "acme", &rotated.secret).await), REFUSED);
        assert!(issue(&app, "acme", new["secret"].as_str().unwrap()).await["token"].is_object());
    }

    // case: D10
    async fn o4_a_key_that_dies_while_its_request_waits_does_nothing_more(app) {
        let made = key(app.owner(), &["SERVICE_MANAGE"]).await;
        let token = token(&app, &made).await;
        let mut raw = Raw::admin(&app).await;
        let create = |code: &str| format!("serviceCreate(input: {{ kind: ISSUE, code: \"{code}\", name: \"{code}\" }}) {{ userErrors {{ code }} }}");
        let (first, second) = (create("first"), create("second"));
        let trigger = if raw.is_postgres() {
            "CREATE FUNCTION kill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE organization_key SET revoked_at = created_at; RETURN NULL; END $$;
             ALTER FUNCTION kill() SECURITY DEFINER;
             CREATE TRIGGER kill AFTER INSERT ON service FOR EACH STATEMENT EXECUTE FUNCTION kill()"
        } else {
            "CREATE TRIGGER kill AFTER INSERT ON service BEGIN UPDATE organization_key SET revoked_at = created_at; END"
        };
        raw.must(trigger).await;

        let answer = app.ask(Some(&token), &format!("mutation {{ a: {first} b: {second} }}"), json!({})).await;

        assert_eq!((answer.code(), &answer.json["errors"][0]["path"]), ("UNAUTHENTICATED", &json!(["b"])), "{}", answer.text);
        assert_eq!((raw.count("service WHERE code = 'first'").await, raw.count("service WHERE code = 'second'").await), (1, 0));
    }

    async fn o4_a_change_of_a_key_holds_for_its_tokens_too(app) {
        let made = key(app.owner(), &["SERVICE_READ"]).await;
        let token = token(&app, &made).await;

        let input = json!({ "expectedVersion": 1, "scopes": ["USAGE_RECORD"], "name": " Renamed " });
        let changed = app.owner().deed(UPDATE, json!({ "id": made.id, "input": input })).await;
        let after = app.ask(Some(&token), SERVICES, json!({})).await;

        assert_eq!((&changed["key"]["name"], &changed["key"]["scopes"], &changed["key"]["version"]), (&json!("Renamed"), &json!(["USAGE_RECORD"]), &json!(2)));
        assert_eq!(after.code(), "FORBIDDEN");
        let log = app.owner().data("{ permissionChanges(filter: { kind: [KEY_SCOPES_CHANGED] }) { nodes { before after } } }", json!({})).await;
        assert_eq!(log["permissionChanges"]["nodes"], json!([{ "before": ["KEY_SERVICE_READ"], "after": ["KEY_USAGE_RECORD"] }]));
        for (input, expected) in [
            (json!({ "expectedVersion": 1, "name": "x" }), "STALE_VERSION at input.expectedVersion"),
            (json!({ "expectedVersion": 2, "scopes": [] }), "BLANK at input.scopes"),
            (json!({ "expectedVersion": 2, "name": " " }), "BLANK at input.name"),
            (json!({ "expectedVersion": 2, "allowedAddresses": ["10.0.0.1"] }), "ADDRESS_LOCKS_OUT at input.allowedAddresses"),
            (json!({ "expectedVersion": 2, "allowedAddresses": ["127.0.0.1", "x"] }), "INVALID at input.allowedAddresses.1"),
        ] {
            assert_eq!(app.owner().problems(UPDATE, json!({ "id": made.id, "input": input })).await, [expected]);
        }
        key_of_more(&app).await;
        let revoke = json!({ "id": made.id, "input": { "expectedVersion": 2 } });
        app.owner().deed("organizationKeyRevoke(id: $id, input: $input)", revoke).await;
        let dead = json!({ "id": made.id, "input": { "expectedVersion": 3, "name": "x" } });
        assert_eq!(app.owner().problems(UPDATE, dead).await, ["KEY_NOT_LIVE at id"]);
    }

    // case: D1
    async fn o5_what_is_not_right_is_refused_alike_and_braked(app) {
        let made = key(app.owner(), &["SERVICE_READ"]).await;
        let rivals = key(app.rival(), &["SERVICE_READ"]).await;
        let mut typo = made.secret.clone();
        typo.replace_range(40..41, if &made.secret[40..41] == "x" { "y" } else { "x" });
        let tries = [
            ("acme", rivals.secret.as_str()), ("nobody", &made.secret), ("rival", &made.secret), ("acme", &typo), ("acme", &made.signing_secret),
            ("acme", ""), ("", ""), ("acme", "oc_v1_"), ("ac\0me", &made.secret), ("acme", "키"),
        ];
        let mut answers = Vec::new();
        for (organization, key) in tries {
            answers.push(issue(&app, organization, key).await);
        }
        for answer in &answers {
            assert_eq!((answer, codes(answer)), (&answers[0], REFUSED.map(str::to_owned).to_vec()));
        }

        for _ in tries.len()..30 {
            assert_eq!(codes(&issue(&app, "acme", "wrong").await), REFUSED);
        }
        let blocked = issue(&app, "acme", "wrong").await;
        let right = issue(&app, "acme", &made.secret).await;
        let elsewhere = issue_from(&app, [203, 0, 113, 9], "acme", "wrong").await;
        app.wait(Duration::minutes(1));
        let later = issue(&app, "acme", "wrong").await;

        assert_eq!(codes(&blocked), ["SIGN_IN_BLOCKED at input.key"]);
        assert_eq!(blocked["userErrors"][0]["availableAt"], "2026-11-10T01:01:00.000Z");
        assert!(right["token"].is_object(), "others' guesses stop nobody who has a key");
        assert_eq!((codes(&elsewhere), codes(&later)), (REFUSED.map(str::to_owned).to_vec(), REFUSED.map(str::to_owned).to_vec()));
        let mut raw = Raw::admin(&app).await;
        assert_eq!(raw.count("security_event WHERE kind = 'PARTNER_TOKEN_UNKNOWN_ORGANIZATION'").await, 3);
        assert_eq!(raw.count("audit_entry WHERE action = 'PARTNER_TOKEN_ISSUE' AND reason = 'SIGN_IN_BLOCKED'").await, 1);
    }

    async fn o5_one_key_gets_sixty_tokens_a_minute(app) {
        let made = key(app.owner(), &["SERVICE_READ"]).await;
        for _ in 0..60 {
            token(&app, &made).await;
        }

        let more = issue(&app, "acme", &made.secret).await;
        app.wait(Duration::minutes(1));

        assert_eq!(codes(&more), ["SIGN_IN_BLOCKED at input.key"]);
        token(&app, &made).await;
    }

    async fn o5_members_tokens_and_partners_tokens_are_not_each_other(app) {
        let made = key(app.owner(), &["SERVICE_READ"]).await;
        let token = token(&app, &made).await;
        let member = app.owner().token().await;
        let (partners, members): (Vec<_>, Vec<_>) = (token.split('.').collect(), member.split('.').collect());
        let forged = [
            format!("{}.{}.{}", members[0], partners[1], partners[2]), format!("{}.{}.{}", partners[0], members[1], members[2]),
            format!("{}.{}.{}", partners[0], members[1], partners[2]), format!("{}.{}.{}", members[0], partners[1], members[2]),
        ];

        for token in &forged {
            let answer = app.ask(Some(token), SERVICES, json!({})).await;
            assert_eq!((answer.status, answer.code()), (401, "UNAUTHENTICATED"), "{}", answer.text);
        }
        for secret in [&made.secret, &made.signing_secret] {
            assert_eq!(app.ask(Some(secret), SERVICES, json!({})).await.status, 401, "a key is no token");
        }
        app.wait(Duration::minutes(10));
        assert_eq!(app.ask(Some(&token), SERVICES, json!({})).await.status, 401, "a token lives ten minutes");
    }

    async fn o4_the_last_use_is_noted_once_a_minute_with_its_address(app) {
        let made = key(app.owner(), &["SERVICE_READ"]).await;
        let last = async || {
            let data = app.owner().data("{ organization { product { keys { lastUsedAt lastUsedFrom version } } } }", json!({})).await;
            data["organization"]["product"]["keys"][0].clone()
        };
        let never = last().await;
        let token = token(&app, &made).await;
        let issued = last().await;
        app.wait(Duration::seconds(59));
        app.ask_from([203, 0, 113, 7], "en", Some(&token), SERVICES, json!({})).await;
        let soon = last().await;
        app.wait(Duration::seconds(1));
        app.ask_from([203, 0, 113, 7], "en", Some(&token), SERVICES, json!({})).await;
        let later = last().await;

        let told = |at: Value, from: Value| json!({ "lastUsedAt": at, "lastUsedFrom": from, "version": 1 });
        assert_eq!(never, told(Value::Null, Value::Null));
        assert_eq!((&issued, &soon), (&told(json!("2026-11-10T01:00:00.000Z"), json!("127.0.0.1")), &issued));
        assert_eq!(later, told(json!("2026-11-10T01:01:00.000Z"), json!("203.0.113.7")), "and nobody's version went up");
    }

    async fn g4_a_partners_retry_has_one_effect_and_its_dry_run_none(app) {
        let (one, other) = (key(app.owner(), &["SERVICE_MANAGE"]).await, key(app.owner(), &["SERVICE_MANAGE"]).await);
        let (one, other) = (token(&app, &one).await, token(&app, &other).await);
        let create = "serviceCreate(input: $input) => service { code }";
        let new = |code: &str, dry: bool| json!({ "input": { "kind": "ISSUE", "code": code, "name": code, "idempotencyKey": "key", "dryRun": dry } });

        let dry = app.bearing(&one).payload(create, new("desk", true)).await;
        let first = app.bearing(&one).payload(create, new("desk", false)).await;
        let again = app.bearing(&one).payload(create, new("desk", false)).await;
        let differs = app.bearing(&one).payload(create, new("second", false)).await;
        let others = app.bearing(&other).payload(create, new("third", false)).await;

        assert_eq!((&dry, &again), (&first, &first));
        assert_eq!(codes(&differs), ["IDEMPOTENCY_KEY_REUSED at input.idempotencyKey"]);
        assert_eq!(codes(&others), Vec::<String>::new(), "each key has keys of its own");
        let count = app.owner().data(SERVICES, json!({})).await;
        assert_eq!(count["services"]["totalCount"], 2);
    }
}
