//! The documented operations, run as they are shown in the playground; a placeholder such as `$SERVICE_ID` stands for
//! an ID that a person copies from another answer.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, OnceLock},
};

use chrono::Duration;
use orgdesk::{
    api::{playground::OPERATIONS, schema},
    cti::line::sheet::{Filled, write},
    kernel::{App, Database, Language, Timestamp},
    operate::{self, Algorithm},
};
use serde_json::{Value, json};

use crate::{
    both,
    support::{
        account,
        app::{BEGIN, PASSWORD, TestApp, Who, instant},
        authenticator::{self, Authenticator},
        cti, extraction, grants, imports, invite,
        make::{self, Made},
        people, picture,
        pooler::{self, Pooler},
        provider::{Key, Provider, prove_addresses},
        raw::Raw,
        socket, ticket,
    },
};

both! {
    async fn g10_every_documented_operation_does_what_it_says(app) {
        all_do_what_they_say(&app).await;
    }

    // case: K7
    async fn p2_every_documented_operation_needs_one_connection_at_a_time(app) {
        let database = Database::connect_narrowly(&app.url).await.unwrap();
        all_do_what_they_say(&app.changed(|app| App { database, ..app })).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_every_documented_operation_works_through_a_pooler_with_two_connections() {
    if !pooler::is_there() {
        return;
    }
    let Some(app) = TestApp::on_postgres().await else {
        return;
    };
    let pooler = Pooler::before(&app.url, 2, "extra_float_digits");
    all_do_what_they_say(&app.server_through(&pooler.url).await.unwrap()).await;
}

async fn all_do_what_they_say(app: &TestApp) {
    let world = World::make(app).await;

    for operation in OPERATIONS {
        let variables = world.variables(operation.name, operation.variables).await;
        let who = who_does(app, operation.name);
        if operation.text.contains("\nsubscription ") {
            let events = follow(app, who, operation.text, variables).await;
            assert!(
                events.last().is_some_and(|event| !event.is_null()),
                "{} tells nothing",
                operation.name
            );
            continue;
        }
        let answer = if let Some((name, content)) = file_of(&world, operation.name) {
            who.ask_with(operation.text, variables.clone(), &[("input.file", name, &content)])
                .await
        } else {
            who.ask(operation.text, variables.clone()).await
        };

        assert_eq!(
            answer.json.get("errors"),
            None,
            "{} {variables}: {}",
            operation.name,
            answer.text
        );
        for (field, value) in answer.json["data"].as_object().unwrap() {
            assert!(
                !value.is_null() && *value != json!([]),
                "{}: {field} is empty",
                operation.name
            );
            if let Some(errors) = value.get("userErrors") {
                assert_eq!(*errors, json!([]), "{} {variables}", operation.name);
            }
        }
    }
}

#[test]
fn g10_every_query_mutation_and_subscription_is_documented() {
    let sdl = schema::sdl(&schema::build());
    let documented = OPERATIONS.iter().map(|operation| operation.text).collect::<String>();

    let roots: BTreeSet<String> = ["type Query {", "type Mutation {", "type Subscription {"]
        .iter()
        .flat_map(|opening| root_fields(&sdl, opening))
        .collect();
    let missing: Vec<&String> = roots
        .iter()
        .filter(|name| {
            !["(", " {"]
                .iter()
                .any(|next| documented.contains(&format!("\n  {name}{next}")))
        })
        .collect();

    assert_eq!(missing, Vec::<&String>::new());
    assert!(roots.len() > 25, "{roots:?}");
}

#[test]
fn g10_every_operation_says_what_it_does_and_the_permission_it_needs() {
    for operation in OPERATIONS {
        let comment: Vec<&str> = operation
            .text
            .lines()
            .take_while(|line| line.starts_with("# "))
            .collect();
        let is_anybodys = ["viewer", "node", "node-list", "help-center-footer"].contains(&operation.name)
            || operation.name.starts_with("session-");

        assert!(
            comment.iter().all(|line| line.ends_with(['.', '…'])),
            "{}: {comment:?}",
            operation.name
        );
        assert!(
            is_anybodys || comment.join(" ").contains("Needs "),
            "{}: {comment:?}",
            operation.name
        );
        let asks_for_an_id = operation.variables.contains("\"$");
        assert!(
            !asks_for_an_id || comment.join(" ").contains("`"),
            "{} says where its IDs come from",
            operation.name
        );
    }
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations").is_dir());
}

/// The events of a subscription to its end, each the value of its one field.
async fn follow(app: &TestApp, who: Who<'_>, query: &str, variables: Value) -> Vec<Value> {
    let server = socket::Server::start(app, socket::patient()).await;
    let mut client = server.let_in(&who.token().await).await;
    client.subscribe("1", query, variables).await;
    let field = query
        .lines()
        .find_map(|line| line.strip_prefix("  ")?.split('(').next());
    client.events("1", field.unwrap()).await
}

async fn company(owner: Who<'_>, title: &str) -> String {
    let text = json!({ "language": "ko", "companyName": title, "representativeName": title, "address": title });
    let input = json!({ "title": title, "content": { "texts": [text], "terms": [] } });
    let made = owner
        .deed(
            "companyCreate(input: $input) => company { id }",
            json!({ "input": input }),
        )
        .await;
    made["company"]["id"].as_str().unwrap().to_owned()
}

/// An entry that a service's help center shows.
async fn published_company(owner: Who<'_>, service: &str) -> String {
    let company = company(owner, "Published").await;
    let input = json!({ "expectedVersion": 0, "companyId": company, "isOnPc": true, "isOnMobile": true });
    owner
        .deed(
            "companyPublish(id: $id, input: $input) => footer { version }",
            json!({ "id": service, "input": input }),
        )
        .await;
    company
}

/// Names of the fields that stand in a type's block.
fn root_fields(sdl: &str, opening: &str) -> Vec<String> {
    let (_, block) = sdl.split_once(opening).unwrap();
    let (block, _) = block.split_once("\n}").unwrap();
    block
        .lines()
        .filter_map(|line| line.strip_prefix('\t'))
        .filter(|line| line.starts_with(|letter: char| letter.is_ascii_lowercase()))
        .map(|line| line.split(['(', ':']).next().unwrap().to_owned())
        .collect()
}

/// Who does an operation: the owner can't leave; who was an administrator a moment ago can.
pub fn who_does<'a>(app: &'a TestApp, operation: &str) -> Who<'a> {
    match operation {
        "member-leave" => app.administrator(),
        "cti-events-record" => app.someone("acme", "phone.first"),
        name if name.starts_with("ticket-") => app.someone("acme", "teller"),
        _ => app.owner(),
    }
}

/// The file that an operation takes, with its name.
pub fn file_of(world: &World<'_>, operation: &str) -> Option<(&'static str, Vec<u8>)> {
    match operation {
        "picture-upload" => Some(("logo.png", picture::png(1))),
        "cti-agent-import" => Some(("agents.xlsx", world.sheet.clone())),
        "import-upload" => Some(("tickets.xlsx", world.tickets.clone())),
        _ => None,
    }
}

/// Another file that an operation would take as well.
pub fn other_file_of(operation: &str) -> Option<(&'static str, Vec<u8>)> {
    match operation {
        "picture-upload" => Some(("logo.png", picture::png(2))),
        "cti-agent-import" => Some((
            "agents.xlsx",
            write(&[], Language::Korean, Timestamp(instant(BEGIN))).unwrap(),
        )),
        "import-upload" => Some((
            "tickets.xlsx",
            write(&[], Language::Korean, Timestamp(instant(BEGIN))).unwrap(),
        )),
        _ => None,
    }
}

/// A provider of identities, and what it signs with.
#[derive(Clone)]
pub struct Provided(Arc<Provider>, Arc<Key>);

impl Provided {
    /// One of its own.
    pub async fn start() -> Self {
        let key = Key::new("key", Algorithm::EdDsa);
        Self(Arc::new(Provider::start(&[&key]).await), Arc::new(key))
    }
}

/// What the placeholders stand for.
pub struct World<'a> {
    app: &'a TestApp,
    ticket: String,
    support: Made,
    draft: Made,
    suspended: Made,
    discarded: Made,
    keys: [String; 3],
    key_secret: String,
    hooks: [String; 2],
    figures_hash: String,
    authenticator: OnceLock<Authenticator>,
    companies: [String; 2],
    provided: Provided,
    invitations: [String; 3],
    token: String,
    sheet: Vec<u8>,
    tickets: Vec<u8>,
    imports: [String; 3],
    extraction: String,
}

impl<'a> World<'a> {
    /// An organization in which every operation can be done.
    pub async fn make(app: &'a TestApp) -> Self {
        Self::make_with(app, Provided::start().await).await
    }

    /// The same whose identities come from this provider.
    pub async fn make_with(app: &'a TestApp, provided: Provided) -> Self {
        let owner = app.owner();
        let support = make::in_use(owner, "support", 3).await;
        let input = json!({ "serviceId": support.id, "code": "own", "type": "TEXT", "texts": [{ "language": "ko", "title": "필드" }] });
        owner.deed("fieldAdd(input: $input)", json!({ "input": input })).await;
        let draft = make::draft(owner, "draft").await;
        let suspended = make::in_use(owner, "suspended", 1).await;
        let discarded = make::in_use(owner, "discarded", 1).await;
        make::suspend(owner, &suspended).await;
        make::suspend(owner, &discarded).await;
        let mut keys = [String::new(), String::new(), String::new()];
        let mut key_secret = String::new();
        for key in &mut keys {
            let made = owner
                .deed(
                    "organizationKeyCreate(input: { name: \"key\", scopes: [USAGE_RECORD] }) => secret key { id }",
                    json!({}),
                )
                .await;
            made["key"]["id"].as_str().unwrap().clone_into(key);
            made["secret"].as_str().unwrap().clone_into(&mut key_secret);
        }
        let mut invitations = [String::new(), String::new(), String::new()];
        for (place, invitation) in invitations.iter_mut().enumerate() {
            let made = invite::made(owner, &format!("invited.{place}")).await;
            made["id"].as_str().unwrap().clone_into(invitation);
        }
        invite::made(owner, "invited").await;
        app.run_due().await;
        // An invitation waits ten minutes before it can be sent again.
        app.wait(Duration::minutes(10));
        authenticator::activated(app, app.administrator()).await;
        let companies = [
            published_company(owner, &support.id).await,
            company(owner, "Spare").await,
        ];
        let setting = provided.0.setting(Algorithm::EdDsa);
        operate::set_identity_provider(&app.app, "acme", setting).await.unwrap();
        prove_addresses(app).await;
        for (service, login) in [("support", "admin"), ("suspended", "member")] {
            people::employ(app, service, login, false).await;
        }
        cti::desk(app, "phones", &["phone.first", "phone.second"]).await;
        cti::approve(app).await;
        owner
            .deed(
                "ctiSettingUpdate(input: { expectedVersion: 0, isInboundAutoAnswered: true, isCtiLogMonitored: true })",
                json!({}),
            )
            .await;
        let filled = Filled {
            login: "phone.first".to_owned(),
            cti_id: "agent.sheet".to_owned(),
            cti_number: "0803".to_owned(),
            version: 1,
            ..Filled::default()
        };
        for login in ["holder", "newcomer"] {
            people::join(app, login, false).await;
            // One of the operations takes somebody out of a service.
            people::employ(app, "support", login, false).await;
            people::employ(app, "suspended", login, false).await;
        }
        people::join(app, "teller", false).await;
        people::employ(app, "support", "teller", false).await;
        let here = json!({ "isForAllServices": true, "networks": ["127.0.0.1"] });
        grants::give(owner, "teller", here).await;
        let ticket = ticket::made(
            app.someone("acme", "teller"),
            &support,
            json!({ "phone": "010-2345-6789" }),
        )
        .await;
        app.wait(Duration::seconds(1));
        grants::give(owner, "holder", json!({ "isForAllServices": true })).await;
        let template = imports::template(app, owner, &support.id).await;
        let tickets = imports::fill(&template, &[imports::GOOD]);
        let done = imports::fill(&template, &[imports::GOOD, imports::GOOD, imports::GOOD]);
        let done = imports::reserved(app, owner, &support.id, &done).await;
        app.wait(Duration::days(1));
        app.run_due().await;
        let imports = [
            imports::draft(app, owner, &support.id, &tickets).await,
            imports::reserved(
                app,
                owner,
                &support.id,
                &imports::fill(&template, &[imports::GOOD, imports::GOOD]),
            )
            .await,
            done,
        ];
        let members = json!({ "members": {} });
        let extraction = extraction::made(app, owner, members, json!({})).await;
        let mut hooks = [String::new(), String::new()];
        for hook in &mut hooks {
            let made = "webhookCreate(input: { name: \"hook\", url: \"https://hooks.example.com/\", events: [SERVICE_CREATE] }) => webhook { id }";
            let made = owner.deed(made, json!({})).await;
            made["webhook"]["id"].as_str().unwrap().clone_into(hook);
        }
        // Nobody is there to take a message: it is given up.
        let given_up = "UPDATE webhook_delivery SET state = 'FAILED', finished_at = created_at";
        Raw::admin(app).await.must(given_up).await;
        let hash = async |first: &str, last: &str| {
            let query =
                "query Q($first: Date!, $last: Date!) { auditReview(firstDay: $first, lastDay: $last) { hash } }";
            let data = owner.data(query, json!({ "first": first, "last": last })).await;
            data["auditReview"]["hash"].as_str().unwrap().to_owned()
        };
        let september = hash("2026-09-01", "2026-09-30").await;
        let signed = json!({ "firstDay": "2026-09-01", "lastDay": "2026-09-30", "figuresHash": september });
        owner
            .deed(
                "auditReviewSign(input: $input) => review { id }",
                json!({ "input": signed }),
            )
            .await;
        let figures_hash = hash("2026-10-01", "2026-10-31").await;
        Self {
            figures_hash,
            ticket: ticket["id"].as_str().unwrap().to_owned(),
            extraction: extraction["id"].as_str().unwrap().to_owned(),
            app,
            tickets,
            imports,
            sheet: write(&[filled], Language::Korean, Timestamp(instant(BEGIN))).unwrap(),
            token: invite::token(app, "invited"),
            support,
            draft,
            suspended,
            discarded,
            keys,
            key_secret,
            hooks,
            authenticator: OnceLock::new(),
            companies,
            provided,
            invitations,
        }
    }

    /// The variables of an operation, filled in for the test's own organization.
    pub async fn variables(&self, operation: &str, shown: &str) -> Value {
        let mut text = shown
            .replace("orgdesk-demo-owner", PASSWORD)
            .replace("\"demo\"", "\"acme\"");
        let suspended = if operation == "service-terminate" {
            &self.discarded
        } else {
            &self.suspended
        };
        let key = if operation == "organization-key-revoke" {
            &self.keys[0]
        } else {
            &self.keys[1]
        };
        let hook = if operation == "webhook-remove" {
            &self.hooks[0]
        } else {
            &self.hooks[1]
        };
        let invitation = match operation {
            "invitation-resend" => &self.invitations[0],
            "invitation-update" => &self.invitations[1],
            _ => &self.invitations[2],
        };
        for (placeholder, value) in [
            ("$TICKET_ID", &self.ticket),
            ("$SERVICE_ID", &self.support.id),
            ("$CONTRACT_ID", &self.support.contract),
            ("$DRAFT_ID", &self.draft.contract),
            ("$SUSPENDED_ID", &suspended.id),
            ("$KEY_ID", key),
            ("$KEY_SECRET", &self.key_secret),
            ("$WEBHOOK_ID", hook),
            ("$FIGURES_HASH", &self.figures_hash),
            ("$COMPANY_ID", &self.companies[0]),
            ("$SPARE_COMPANY_ID", &self.companies[1]),
            ("$INVITATION_ID", invitation),
            ("$INVITATION_TOKEN", &self.token),
            ("$EXTRACTION_ID", &self.extraction),
            ("$DONE_IMPORT_ID", &self.imports[2]),
            ("$RESERVED_IMPORT_ID", &self.imports[1]),
            ("$IMPORT_ID", &self.imports[0]),
        ] {
            text = text.replace(placeholder, value);
        }
        // By now the colleague of the other operations has left.
        if operation == "pii-grant-create" {
            let newcomer = people::member(self.app.owner(), "newcomer").await;
            for (placeholder, field) in [("$COLLEAGUE_ID", "id"), ("$COLLEAGUE_EMAIL", "email")] {
                text = text.replace(placeholder, newcomer[field].as_str().unwrap());
            }
        }
        for (placeholder, query, pointer) in [
            ("$ORGANIZATION_ID", "{ organization { id } }", "/organization/id"),
            ("$MEMBER_ID", "{ viewer { member { id } } }", "/viewer/member/id"),
            ("$SESSION_ID", "{ viewer { sessions { id } } }", "/viewer/sessions/0/id"),
            (
                "$ADMINISTRATOR_ID",
                "{ organization { admins { member { id } } } }",
                "/organization/admins/0/member/id",
            ),
            (
                "$FIELD_ID",
                "{ service(by: { code: \"support\" }) { fields { id } } }",
                "/service/fields/0/id",
            ),
            (
                "$OWN_FIELD_ID",
                "{ service(by: { code: \"support\" }) { fields { id } } }",
                "/service/fields/10/id",
            ),
            (
                "$PII_GRANT_ID",
                "{ piiGrants { nodes { id } } }",
                "/piiGrants/nodes/0/id",
            ),
            (
                "$WEBHOOK_DELIVERY_ID",
                "{ webhookDeliveries(filter: { state: FAILED }) { nodes { id } } }",
                "/webhookDeliveries/nodes/0/id",
            ),
            ("$AGENT_ID", "{ agents { nodes { id } } }", "/agents/nodes/0/id"),
            (
                "$OTHER_CTI_MEMBER_ID",
                "{ ctiAgents { nodes { member { id } } } }",
                "/ctiAgents/nodes/1/member/id",
            ),
            (
                "$CTI_MEMBER_ID",
                "{ ctiAgents { nodes { member { id } } } }",
                "/ctiAgents/nodes/0/member/id",
            ),
            ("$OTHER_AGENT_ID", "{ agents { nodes { id } } }", "/agents/nodes/1/id"),
            (
                "$PHONE_MEMBER_ID",
                "{ members(search: { login: \"phone.first\" }) { nodes { id } } }",
                "/members/nodes/0/id",
            ),
            (
                "$COLLEAGUE_ID",
                "{ members(search: { login: \"member\" }) { nodes { id } } }",
                "/members/nodes/0/id",
            ),
        ] {
            if text.contains(placeholder) {
                let data = self.app.owner().data(query, json!({})).await;
                text = text.replace(placeholder, data.pointer(pointer).unwrap().as_str().unwrap());
            }
        }
        if text.contains("$FACTOR_MEMBER_ID") {
            let data = self
                .app
                .administrator()
                .data("{ viewer { member { id } } }", json!({}))
                .await;
            text = text.replace("$FACTOR_MEMBER_ID", data["viewer"]["member"]["id"].as_str().unwrap());
        }
        if text.contains("$ENROLLED_CODE") {
            let enrolled = authenticator::enrolled(self.app.owner()).await;
            let enrolled = self.authenticator.get_or_init(|| enrolled);
            text = text.replace("$ENROLLED_CODE", &enrolled.code(self.app));
        }
        if text.contains("$CODE") {
            self.app.wait(chrono::Duration::seconds(30));
            text = text.replace("$CODE", &self.authenticator.get().unwrap().code(self.app));
        }
        if text.contains("$RESET_TOKEN") {
            text = text.replace("$RESET_TOKEN", &account::reset_token(self.app, "owner").await);
        }
        if text.contains("$REFRESH_TOKEN") {
            text = text.replace("$REFRESH_TOKEN", &self.refresh_token().await);
        }
        let claims = self.provided.0.claims(self.app, "owner", "owner@example.com");
        text = text.replace("$IDENTITY_TOKEN", &self.provided.1.token(&claims));
        let mut variables: Value = if text.is_empty() {
            json!({})
        } else {
            serde_json::from_str(&text).unwrap()
        };
        if variables.pointer("/input/expectedVersion").is_some() && variables["id"].is_string() {
            let id = variables["id"].clone();
            let version = self.version(&id).await;
            // A footer has no ID of its own: it is published once here, and counts from there.
            variables["input"]["expectedVersion"] = if operation == "company-publish" {
                json!(1)
            } else {
                version
            };
        }
        if operation == "field-reorder" {
            self.list_fields(&mut variables).await;
        }
        let entries = variables.pointer_mut("/input/entries").and_then(Value::as_array_mut);
        for entry in entries
            .into_iter()
            .flatten()
            .filter(|entry| entry["expectedVersion"].is_i64() && entry["id"].is_string())
        {
            entry["expectedVersion"] = self.version(&entry["id"].clone()).await;
        }
        variables
    }

    /// An order names every field, and the version of all of them together.
    async fn list_fields(&self, variables: &mut Value) {
        let query = "{ service(by: { code: \"support\" }) { fieldComposition { version } fields { id } } }";
        let service = self.app.owner().data(query, json!({})).await["service"].clone();
        let ids = service["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field["id"].clone());
        variables["input"]["fieldIds"] = ids.rev().collect();
        variables["input"]["expectedVersion"] = service["fieldComposition"]["version"].clone();
    }

    async fn refresh_token(&self) -> String {
        let input = json!({ "organization": "acme", "login": "owner", "password": PASSWORD });
        let query =
            "mutation M($input: SessionStartInput!) { sessionStart(input: $input) { tokens { refreshToken } } }";
        let answer = self.app.ask(None, query, json!({ "input": input })).await;
        answer.json["data"]["sessionStart"]["tokens"]["refreshToken"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The version of a thing; without an ID, of the signed-in member.
    async fn version(&self, id: &Value) -> Value {
        if id.is_null() {
            let data = self
                .app
                .owner()
                .data("{ viewer { member { version } } }", json!({}))
                .await;
            return data["viewer"]["member"]["version"].clone();
        }
        let query = "query V($id: ID!) { node(id: $id) { ... on Service { version } ... on Contract { version }
            ... on Agent { version } ... on Organization { version } ... on OrganizationKey { version }
            ... on Member { version } ... on Company { version } ... on Invitation { version }
            ... on Field { version } ... on Webhook { version } ... on PiiGrant { version } ... on Import { version } } }";
        if id.as_str().unwrap().starts_with("tkt_") {
            return json!(1);
        }
        let data = self.app.owner().data(query, json!({ "id": id })).await;
        data["node"]["version"].clone()
    }
}
